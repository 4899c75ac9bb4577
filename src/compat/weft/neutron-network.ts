/**
 * A network of Neutron's that pods get addresses of, as `weft.dev/v1alpha1` NeutronNetwork: `spec` is an administrator's, `status` the
 * controller's. `status` is no subresource: every write is one, with or without it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import type { NeutronNetwork, NeutronNetworkStatus } from '../../network/model/neutron.ts'
import type { Selector } from '../../network/model/policy.ts'
import { at, listAt, nameOf, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { selectorOf } from '../policy/writing.ts'

export const NEUTRON_NETWORKS: Resource = {
  group: 'weft.dev',
  version: 'v1alpha1',
  plural: 'neutronnetworks',
  kind: 'NeutronNetwork',
  namespaced: false,
}

/** NeutronNetwork ↔ NeutronNetwork. One that cannot be read stays what it was: ports of running pods rest on it. */
export const neutronNetworkBinding: KubeBinding<'NeutronNetwork'> = {
  resource: NEUTRON_NETWORKS,
  isOptional: true,
  keepsLast: true,
  place: clusterPlace,
  nameOf,
  fieldOf: (path) => `spec.${path.replace(/^nodes\b/, 'nodeSelector')}`,
  decode,
  encode: (network) => objectOf(NEUTRON_NETWORKS, clusterPlace(network.name), patch(network)),
  patch,
}

const PLAIN = ['subnets', 'mode', 'pool', 'securityGroups', 'parent'] as const

function decode(object: KubeObject): unknown {
  const nodeSelector = at(object, 'spec', 'nodeSelector')
  const status = at(object, 'status')
  return {
    name: nameOf(object),
    network: at(object, 'spec', 'network'),
    ...Object.assign({}, ...PLAIN.map((key) => optionalField(key, at(object, 'spec', key)))),
    ...optionalField('nodes', nodeSelector === undefined ? undefined : selectorIn(nodeSelector)),
    ...optionalField('status', status === undefined ? undefined : statusIn(status)),
  }
}

/** The demands as they stand there: the model's decoder says what is wrong with them. */
function selectorIn(input: unknown): unknown {
  const labels = at(input, 'matchLabels') ?? {}
  const exact = Object.entries(labels).map(([key, value]) => ({ key, operator: 'In', values: [value] }))
  const others = listAt(input, 'matchExpressions').map((one) => ({
    key: at(one, 'key'),
    operator: at(one, 'operator'),
    values: at(one, 'values') ?? [],
  }))
  return [...exact, ...others]
}

function statusIn(status: unknown): unknown {
  return {
    ready: at(status, 'ready') ?? false,
    ...optionalField('reason', at(status, 'reason')),
    ...optionalField('problem', at(status, 'problem')),
    ...optionalField('networkId', at(status, 'networkId')),
    nodes: at(status, 'nodes') ?? 0,
    ports: at(status, 'ports') ?? 0,
    leased: at(status, 'leased') ?? 0,
  }
}

function patch({ network, nodes, status, ...rest }: NeutronNetwork): MergePatch {
  const { pool, parent } = rest
  return {
    spec: {
      network,
      subnets: rest.subnets ?? null,
      mode: rest.mode ?? null,
      pool: pool === undefined ? null : { min: pool.min ?? null, max: pool.max ?? null, batch: pool.batch ?? null },
      securityGroups: rest.securityGroups ?? null,
      nodeSelector: nodes === undefined ? null : selectorFields(nodes),
      parent: parent === undefined ? null : { mac: parent.mac ?? null, network: parent.network ?? null },
    },
    status: status === undefined ? null : statusFields(status),
  }
}

/** A merge patch leaves what it does not speak of: both parts are said. */
function selectorFields(selector: Selector): MergePatch {
  return { matchLabels: null, matchExpressions: null, ...selectorOf(selector) }
}

function statusFields({ ready, reason, problem, networkId, nodes, ports, leased }: NeutronNetworkStatus): MergePatch {
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: reason ?? (ready ? 'PortsReady' : 'PortsNotReady'),
    message: problem ?? '',
  }
  return {
    ready,
    reason: reason ?? null,
    problem: problem ?? null,
    networkId: networkId ?? null,
    nodes,
    ports,
    leased,
    conditions: [condition],
  }
}
