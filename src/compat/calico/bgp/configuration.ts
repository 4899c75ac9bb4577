/**
 * What holds for all nodes, as Calico's BGPConfiguration.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Cidr } from '../../../network/model/address.ts'
import type { BgpConfiguration } from '../../../network/model/bgp.ts'
import { at, listAt, nameOf, optionalField, textAt } from '../../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../../merge.ts'
import { fieldNamed } from './field-names.ts'
import { bfdAnnotation, bfdTimesIn, passwordIn, passwordOf, secondsIn, secondsText, wordIn, wordOf } from './reading.ts'
import { BGP_CONFIGURATIONS } from './resources.ts'

/** BGPConfiguration ↔ BgpConfiguration. */
export const bgpConfigurationBinding: KubeBinding<'BgpConfiguration'> = {
  resource: BGP_CONFIGURATIONS,
  isOptional: true,
  keepsLast: true,
  place: clusterPlace,
  nameOf,
  fieldOf: fieldNamed({
    mesh: 'spec.nodeToNodeMeshEnabled',
    asNumber: 'spec.asNumber',
    port: 'spec.listenPort',
    isStrictlyBound: 'spec.bindMode',
    meshPassword: 'spec.nodeMeshPassword.secretKeyRef',
    meshRestart: 'spec.nodeMeshMaxRestartTime',
    bfd: 'annotation weft.dev/bfd',
    'bfd.interval': 'annotation weft.dev/bfd',
    'bfd.multiplier': 'annotation weft.dev/bfd',
    ignoredInterfaces: 'spec.ignoredInterfaces',
    metric4: 'spec.ipv4NormalRoutePriority',
    metric6: 'spec.ipv6NormalRoutePriority',
    communities: 'spec.prefixAdvertisements',
    'communities[].add': 'spec.prefixAdvertisements[].communities',
    clusterIps: 'spec.serviceClusterIPs',
    'clusterIps[]': 'spec.serviceClusterIPs[].cidr',
    externalIps: 'spec.serviceExternalIPs',
    'externalIps[]': 'spec.serviceExternalIPs[].cidr',
    loadBalancerIps: 'spec.serviceLoadBalancerIPs',
    'loadBalancerIps[]': 'spec.serviceLoadBalancerIPs[].cidr',
    tellsEachLoadBalancer: 'spec.serviceLoadBalancerAggregation',
  }),
  decode,
  encode: (value) => objectOf(BGP_CONFIGURATIONS, clusterPlace(value.name), patch(value)),
  patch,
}

const BOUND: Readonly<Record<string, boolean>> = { NodeIP: true, None: false }
const AGGREGATION: Readonly<Record<string, boolean>> = { Disabled: true, Enabled: false }

function decode(object: KubeObject): unknown {
  const spec = at(object, 'spec')
  const bound = textAt(spec, 'bindMode')
  return {
    name: nameOf(object),
    ...optionalField('mesh', at(spec, 'nodeToNodeMeshEnabled')),
    ...optionalField('asNumber', at(spec, 'asNumber')),
    ...optionalField('port', at(spec, 'listenPort')),
    ...optionalField('isStrictlyBound', bound === undefined ? undefined : (BOUND[bound] ?? bound)),
    ...optionalField('meshPassword', passwordIn(at(spec, 'nodeMeshPassword'))),
    ...optionalField('meshRestart', secondsIn(at(spec, 'nodeMeshMaxRestartTime'))),
    ...optionalField('bfd', bfdTimesIn(object)),
    ...optionalField('ignoredInterfaces', at(spec, 'ignoredInterfaces')),
    ...optionalField('metric4', at(spec, 'ipv4NormalRoutePriority')),
    ...optionalField('metric6', at(spec, 'ipv6NormalRoutePriority')),
    ...optionalField('communities', communitiesIn(spec)),
    ...optionalField('clusterIps', networksIn(at(spec, 'serviceClusterIPs'))),
    ...optionalField('externalIps', networksIn(at(spec, 'serviceExternalIPs'))),
    ...optionalField('loadBalancerIps', networksIn(at(spec, 'serviceLoadBalancerIPs'))),
    ...optionalField('tellsEachLoadBalancer', wordIn(AGGREGATION, at(spec, 'serviceLoadBalancerAggregation'))),
  }
}

/** Names of communities stand for their values; what is no name is a value. */
function communitiesIn(spec: unknown): unknown {
  const advertisements = at(spec, 'prefixAdvertisements')
  if (!Array.isArray(advertisements)) return advertisements
  const named = new Map(listAt(spec, 'communities').map((one) => [at(one, 'name'), at(one, 'value')]))
  return advertisements.map((one) => {
    const add = at(one, 'communities') ?? []
    return { cidr: at(one, 'cidr'), add: Array.isArray(add) ? add.map((name) => named.get(name) ?? name) : add }
  })
}

function networksIn(list: unknown): unknown {
  return Array.isArray(list) ? list.map((one) => at(one, 'cidr')) : list
}

function networksOf(networks: readonly Cidr[] | undefined): unknown {
  return networks?.map((cidr) => ({ cidr })) ?? null
}

function patch(value: BgpConfiguration): MergePatch {
  const { isStrictlyBound, communities } = value
  return {
    metadata: bfdAnnotation(value.bfd),
    spec: {
      nodeToNodeMeshEnabled: value.mesh ?? null,
      asNumber: value.asNumber ?? null,
      listenPort: value.port ?? null,
      bindMode: isStrictlyBound === undefined ? null : isStrictlyBound ? 'NodeIP' : 'None',
      nodeMeshPassword: passwordOf(value.meshPassword),
      nodeMeshMaxRestartTime: secondsText(value.meshRestart),
      ignoredInterfaces: value.ignoredInterfaces ?? null,
      ipv4NormalRoutePriority: value.metric4 ?? null,
      ipv6NormalRoutePriority: value.metric6 ?? null,
      prefixAdvertisements: communities?.map(({ cidr, add }) => ({ cidr, communities: add })) ?? null,
      serviceClusterIPs: networksOf(value.clusterIps),
      serviceExternalIPs: networksOf(value.externalIps),
      serviceLoadBalancerIPs: networksOf(value.loadBalancerIps),
      serviceLoadBalancerAggregation: wordOf(AGGREGATION, value.tellsEachLoadBalancer),
    },
  }
}
