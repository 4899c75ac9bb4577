/**
 * Ports that are prepared for a node, and what its agent does with them, as `weft.dev/v1alpha1` NodePorts and PortUse: two objects, so
 * that each has one writer (docs/adr/0038).
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { Resource } from '../../kube/object.ts'
import type { NodePorts, PortLease, PortPool, PortUse } from '../../network/model/neutron.ts'
import { at, listAt, nameOf, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'

/** What a node has, named as the node. */
export const NODE_PORTS: Resource = {
  group: 'weft.dev',
  version: 'v1alpha1',
  plural: 'nodeports',
  kind: 'NodePorts',
  namespaced: false,
}

/** What a node's agent does with it, named as the node. */
export const PORT_USES: Resource = {
  group: 'weft.dev',
  version: 'v1alpha1',
  plural: 'portuses',
  kind: 'PortUse',
  namespaced: false,
}

/** NodePorts ↔ NodePorts. */
export const nodePortsBinding: KubeBinding<'NodePorts'> = {
  resource: NODE_PORTS,
  isOptional: true,
  place: clusterPlace,
  nameOf,
  decode: (object) => ({
    node: nameOf(object),
    pools: listAt(object, 'pools').map(poolIn),
    problems: listAt(object, 'problems'),
  }),
  encode: (ports) => objectOf(NODE_PORTS, clusterPlace(ports.node), portsPatch(ports)),
  patch: portsPatch,
}

/** PortUse ↔ PortUse. */
export const portUseBinding: KubeBinding<'PortUse'> = {
  resource: PORT_USES,
  isOptional: true,
  place: clusterPlace,
  nameOf,
  decode: (object) => ({
    node: nameOf(object),
    leased: listAt(object, 'leased').map(leaseIn),
    resting: listAt(object, 'resting'),
    given: listAt(object, 'given'),
    wants: listAt(object, 'wants'),
  }),
  encode: (use) => objectOf(PORT_USES, clusterPlace(use.node), usePatch(use)),
  patch: usePatch,
}

/** Whatever is no object is left as it is: the model's decoder says what is wrong with it. */
function poolIn(pool: unknown): unknown {
  if (at(pool, 'subnets') === undefined) return pool
  const subnets = listAt(pool, 'subnets').map((subnet) => ({
    id: at(subnet, 'id'),
    cidr: at(subnet, 'cidr'),
    ...optionalField('gateway', at(subnet, 'gateway')),
    routes: listAt(subnet, 'routes').map((route) => ({ destination: at(route, 'dst'), gateway: at(route, 'gw') })),
    nameservers: listAt(subnet, 'nameservers'),
  }))
  return { ...Object(pool), subnets }
}

function portsPatch({ pools, problems }: NodePorts): MergePatch {
  return { pools: pools.map(poolFields), problems }
}

function poolFields({ subnets, ...pool }: PortPool): MergePatch {
  return {
    ...pool,
    subnets: subnets.map(({ routes, ...subnet }) => ({
      ...subnet,
      routes: routes.map(({ destination, gateway }) => ({ dst: destination, gw: gateway })),
    })),
  }
}

function leaseIn(lease: unknown): unknown {
  const optional = (['pod', 'since'] as const).map((key) => optionalField(key, at(lease, key)))
  return Object.assign(
    { id: at(lease, 'id'), sandbox: at(lease, 'sandbox'), ifname: at(lease, 'interface') },
    ...optional,
  )
}

function usePatch({ leased, resting, given, wants }: PortUse): MergePatch {
  return { leased: leased.map(leaseFields), resting, given, wants }
}

function leaseFields({ ifname, ...lease }: PortLease): MergePatch {
  return { ...lease, interface: ifname }
}
