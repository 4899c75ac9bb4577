/**
 * The cluster's configuration as OpenShift SDN's ClusterNetwork `default`. An object of theirs works as it is. What they
 * have no words for is under `weft`: the encapsulation, the fabric, ranges per node, the underlay's family, who translates services, and service
 * networks beyond the first. `clusterNetworks` may hold IPv6 networks too.
 *
 * Fields that say the same thing twice must agree. Where they do not, the value is a text that tells both: the model
 * refuses it and shows it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { familyOf } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { at, listAt, nameOf, optionalField, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { CLUSTER_NETWORKS } from './resources.ts'

/** The only one that counts. */
const NAME = 'default'
/** The ports that IANA gave to VXLAN and Geneve. */
const VXLAN_PORT = 4789
const GENEVE_PORT = 6081
/** The end of the plugin's name says how tenants are kept apart. */
const PLUGIN = /(?:^|[-/])(multitenant|subnet|networkpolicy)$/
const FAMILIES: Readonly<Record<string, number>> = { IPv4: 4, IPv6: 6 }

/** Cluster ↔ ClusterNetwork. */
export const clusterNetworkBinding: KubeBinding<'Cluster'> = {
  resource: CLUSTER_NETWORKS,
  place: clusterPlace,
  nameOf: (object) => (nameOf(object) === NAME ? NAME : undefined),
  decode,
  encode: (cluster) => objectOf(CLUSTER_NETWORKS, clusterPlace(NAME), patch(cluster)),
  patch,
}

function decode(object: KubeObject): unknown {
  return {
    networks: networksIn(object),
    serviceNetworks: serviceNetworksIn(object),
    tenancy: tenancyIn(at(object, 'pluginName')),
    encapsulation: encapsulationIn(object),
    ...optionalField('fabric', fabricIn(at(object, 'weft', 'fabric'))),
    ...optionalField('rangesPerNode', at(object, 'weft', 'rangesPerNode')),
    underlay: underlayIn(at(object, 'weft', 'underlayFamily')),
    services: at(object, 'weft', 'services') ?? 'weft',
    ...optionalField('mtu', numberAt(object, 'mtu')),
  }
}

function networksIn(object: KubeObject): readonly unknown[] {
  const network = textAt(object, 'network')
  const length = numberAt(object, 'hostsubnetlength')
  const [first, ...others] = listAt(object, 'clusterNetworks')
  if (first === undefined) return network === undefined ? [] : [{ cidr: network, hostBits: length }]
  const agreed = {
    cidr: agreement('network', network, 'clusterNetworks[0]', at(first, 'CIDR')),
    hostBits: agreement('hostsubnetlength', length, 'clusterNetworks[0]', at(first, 'hostSubnetLength')),
  }
  return [agreed, ...others.map((one) => ({ cidr: at(one, 'CIDR'), hostBits: at(one, 'hostSubnetLength') }))]
}

function serviceNetworksIn(object: KubeObject): readonly unknown[] {
  const first = textAt(object, 'serviceNetwork')
  const all = listAt(object, 'weft', 'serviceNetworks')
  if (first === undefined || all.includes(first)) return all
  return all.length === 0 ? [first] : [`serviceNetwork ${first} is not in weft.serviceNetworks`, ...all]
}

function tenancyIn(pluginName: unknown): unknown {
  if (typeof pluginName !== 'string' || pluginName === '') return pluginName ?? 'multitenant'
  return PLUGIN.exec(pluginName.toLowerCase())?.[1] ?? pluginName
}

function encapsulationIn(object: KubeObject): unknown {
  const given = at(object, 'weft', 'encapsulation')
  const vxlanPort = numberAt(object, 'vxlanPort')
  const type = at(given, 'type') ?? 'vxlan'
  const port = numberAt(given, 'port')
  if (type === 'vxlan') {
    const agreed = agreement('vxlanPort', vxlanPort, 'weft.encapsulation', port)
    return { type, port: agreed ?? VXLAN_PORT }
  }
  return { type, ...optionalField('port', type === 'geneve' ? (port ?? GENEVE_PORT) : port) }
}

function fabricIn(given: unknown): unknown {
  if (given === undefined) return undefined
  return { way: at(given, 'way'), otherwise: at(given, 'otherwise') ?? 'tunnel' }
}

function underlayIn(family: unknown): unknown {
  if (family === undefined) return 4
  return typeof family === 'string' && Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : family
}

/** The value that two fields give, of which either may be absent. */
function agreement(legacyName: string, legacy: unknown, name: string, value: unknown): unknown {
  if (legacy === undefined || value === undefined || legacy === value) return value ?? legacy
  return `${legacyName} ${shortly(legacy)}, but ${name} ${shortly(value)}`
}

function shortly(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 45) : typeof value
}

/** Zero stands for an absent number: their objects are written by a language that cannot tell the two apart. */
function numberAt(input: unknown, key: string): unknown {
  const value = at(input, key)
  return value === 0 ? undefined : value
}

function patch(cluster: Cluster): MergePatch {
  const { networks, serviceNetworks, encapsulation } = cluster
  const [first] = networks
  // Their own network is an IPv4 one.
  const legacy = first !== undefined && familyOf(first.cidr) === 4 ? first : undefined
  return {
    network: legacy?.cidr ?? null,
    hostsubnetlength: legacy?.hostBits ?? null,
    serviceNetwork: serviceNetworks.find((network) => familyOf(network) === 4) ?? null,
    pluginName: `redhat/openshift-ovs-${cluster.tenancy}`,
    clusterNetworks: networks.map(({ cidr, hostBits }) => ({ CIDR: cidr, hostSubnetLength: hostBits })),
    vxlanPort: encapsulation.type === 'vxlan' ? encapsulation.port : null,
    mtu: cluster.mtu ?? null,
    weft: {
      encapsulation: { type: encapsulation.type, port: encapsulation.type === 'gre' ? null : encapsulation.port },
      fabric: cluster.fabric === undefined ? null : { ...cluster.fabric },
      rangesPerNode: cluster.rangesPerNode ?? null,
      underlayFamily: cluster.underlay === 6 ? 'IPv6' : 'IPv4',
      services: cluster.services,
      serviceNetworks,
    },
  }
}
