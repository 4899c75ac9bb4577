/**
 * What Neutron has against what is written down: ports of ours that are in no pool, what is written down and missing, and entries of VMs'
 * ports that do not fit. Pure; whoever reads lists. Only what carries the cluster's tags is ours: nothing else is found (docs/adr/0037).
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { parseIp } from '../../network/model/address.ts'
import type { NodePorts, PooledPort, PortPool } from '../../network/model/neutron.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import { clusterTags, hasTags } from './ours.ts'

/** What an audit reads. */
export interface PortsAudit {
  /** The uid of the namespace kube-system. */
  readonly cluster: string
  readonly nodes: readonly NodePorts[]
  /** Every port with {@link clusterTags}, as Neutron lists them. */
  readonly ours: readonly Port[]
  /** VMs' ports by id; one that is gone is absent. */
  readonly parents: ReadonlyMap<string, Port>
  /** Other ports that may still carry what no pool has: those of its networks, and those with trunks. */
  readonly carriers?: readonly Carrier[]
}

/** A port that lets others' packets through. */
export type Carrier = Pick<Port, 'id' | 'networkId' | 'addressPairs' | 'trunk'>

/** Something that does not fit. */
export interface PortsFinding {
  readonly code:
    | 'neutron-port-unpooled'
    | 'neutron-port-missing'
    | 'neutron-port-differs'
    | 'neutron-groups-differ'
    | 'neutron-parent-missing'
    | 'neutron-pair-missing'
    | 'neutron-pair-stray'
    | 'neutron-subport-missing'
    | 'neutron-subport-differs'
    | 'neutron-subport-stray'
    | 'neutron-address-missing'
  /** Whose pool it is about; absent: nobody's. */
  readonly node?: string
  /** `port <id>`, and more where that is not enough to tell findings apart. */
  readonly object: string
  readonly detail: string
}

/** Everything that does not fit. What is being made or taken away at this moment may be among it: look twice. */
export function auditPorts({ cluster, nodes, ours, parents, carriers = [] }: PortsAudit): readonly PortsFinding[] {
  const there = new Map(ours.filter((port) => hasTags(port, clusterTags(cluster))).map((port) => [port.id, port]))
  const unpooled = inNoPool([...there.values()], nodes)
  const [all, alone] = [named([...there.values()]), named(unpooled)]
  return [
    ...nodes.flatMap(({ node, pools }) =>
      pools.flatMap((pool) => auditPool(pool, there, parents).map((one) => ({ ...one, node }))),
    ),
    ...nodes.flatMap(({ node, pools }) => auditStrays(pools, all, parents).map((one) => ({ ...one, node }))),
    ...carriers.filter(({ id }) => !parents.has(id)).flatMap((one) => straysOn(one, alone)),
    ...unpooled.map(({ id, name, fixedIps }) => {
      const addresses = fixedIps.map(({ address }) => address).join(', ')
      return { code: 'neutron-port-unpooled', object: `port ${id}`, detail: `${name}, with ${addresses}` } as const
    }),
  ]
}

/** Those that are written down for no node. */
export function inNoPool(ports: readonly Port[], nodes: readonly NodePorts[]): readonly Port[] {
  const pooled = new Set(nodes.flatMap(({ pools }) => pools.flatMap((pool) => pool.ports.map(({ id }) => id))))
  return ports.filter(({ id }) => !pooled.has(id))
}

function auditPool(
  pool: PortPool,
  there: ReadonlyMap<string, Port>,
  parents: ReadonlyMap<string, Port>,
): readonly PortsFinding[] {
  const { portId } = pool.parent
  const parent = parents.get(portId)
  if (parent !== undefined) return pool.ports.flatMap((port) => auditPort({ pool, parent, there }, port))
  const detail = `network ${pool.network} has ${pool.ports.length} ports behind it`
  return pool.ports.length === 0 ? [] : [{ code: 'neutron-parent-missing', object: `port ${portId}`, detail }]
}

interface Place {
  readonly pool: PortPool
  /** The VM's port. */
  readonly parent: Port
  readonly there: ReadonlyMap<string, Port>
}

function auditPort({ pool, parent, there }: Place, port: PooledPort): readonly PortsFinding[] {
  const object = `port ${port.id}`
  const own = new Set(parent.fixedIps.map(({ address }) => plain(address)))
  if (pool.mode === 'fixed') {
    const lost = port.addresses.find(({ address }) => !own.has(address))
    if (lost === undefined) return []
    return [{ code: 'neutron-address-missing', object, detail: `the VM's port has ${lost.address} no more` }]
  }
  const found = there.get(port.id)
  if (found === undefined) return [{ code: 'neutron-port-missing', object, detail: `of network ${pool.network}` }]
  return [
    ...differences(pool, port, found).map((detail) => ({ code: 'neutron-port-differs', object, detail }) as const),
    ...groupDifferences(pool, port, found).map(
      (detail) => ({ code: 'neutron-groups-differ', object, detail }) as const,
    ),
    ...(pool.mode === 'pair' ? auditPairs(parent, port) : auditSubport(parent, port)),
  ]
}

function differences(pool: PortPool, port: PooledPort, found: Port): readonly string[] {
  const has = new Set(found.fixedIps.map(({ address }) => plain(address)))
  const lost = port.addresses.filter(({ address }) => !has.has(address)).map(({ address }) => address)
  return [
    ...(lost.length === 0 ? [] : [`it has ${lost.join(' and ')} no more`]),
    ...(found.networkId === pool.networkId ? [] : [`it is in network ${found.networkId}`]),
    ...(pool.mode !== 'trunk' || found.mac.toLowerCase() === port.mac ? [] : [`it has the MAC address ${found.mac}`]),
  ]
}

/** Of ports that pods asked other groups for only the names are written down. */
function groupDifferences({ groups }: PortPool, port: PooledPort, found: Port): readonly string[] {
  const now = [...found.securityGroups].sort()
  if (port.groups !== undefined || isDeepStrictEqual(now, [...groups])) return []
  return [`it is in ${now.join(', ') || 'no group'} instead of ${groups.join(', ') || 'none'}`]
}

function auditPairs(parent: Port, port: PooledPort): readonly PortsFinding[] {
  const pairs = new Set(parent.addressPairs.map(({ address }) => plain(address)))
  const lost = port.addresses.find(({ address }) => !pairs.has(address))
  if (lost === undefined) return []
  const detail = `the VM's port ${parent.id} has no address pair for ${lost.address}`
  return [{ code: 'neutron-pair-missing', object: `port ${port.id}`, detail }]
}

function auditSubport({ id, trunk }: Port, port: PooledPort): readonly PortsFinding[] {
  const object = `port ${port.id}`
  const found = trunk?.subports.find(({ portId }) => portId === port.id)
  if (found === undefined) {
    return [{ code: 'neutron-subport-missing', object, detail: `it is not on the trunk of the VM's port ${id}` }]
  }
  if (found.vlan === port.vlan) return []
  return [{ code: 'neutron-subport-differs', object, detail: `VLAN ${found.vlan} on its trunk, not ${port.vlan}` }]
}

/** Ports of ours, as entries of VMs' ports name them: each VM's port has its own entries looked up, and not all ports of the cluster. */
interface Named {
  readonly byId: ReadonlyMap<string, Port>
  /** By network and address. */
  readonly byAddress: ReadonlyMap<string, readonly Port[]>
}

function named(ports: readonly Port[]): Named {
  const entries = ports.flatMap((port) =>
    port.fixedIps.map(({ address }) => ({ port, key: placeOf(port.networkId, address) })),
  )
  const byAddress = new Map([...Map.groupBy(entries, ({ key }) => key)].map(([key, all]) => [key, all.map(portOf)]))
  return { byId: new Map(ports.map((port) => [port.id, port])), byAddress }
}

function portOf({ port }: { readonly port: Port }): Port {
  return port
}

function placeOf(networkId: string, address: string): string {
  return `${networkId} ${plain(address)}`
}

/** Entries of a node's VM's ports that are of ports of ours, and of none of this VM's. Entries of anything else are others'. */
function auditStrays(
  pools: readonly PortPool[],
  there: Named,
  parents: ReadonlyMap<string, Port>,
): readonly PortsFinding[] {
  return [...Map.groupBy(pools, ({ parent }) => parent.portId)].flatMap(([parentId, behind]) => {
    const parent = parents.get(parentId)
    if (parent === undefined) return []
    return straysOn(parent, there, new Set(behind.flatMap(({ ports }) => ports.map(({ id }) => id))))
  })
}

function straysOn(carrier: Carrier, others: Named, mine: ReadonlySet<string> = new Set()): readonly PortsFinding[] {
  return [...strayPairs(carrier, others, mine), ...straySubports(carrier, others, mine)]
}

function strayPairs(parent: Carrier, others: Named, mine: ReadonlySet<string>): readonly PortsFinding[] {
  const pairs = new Map(parent.addressPairs.map((pair) => [placeOf(parent.networkId, pair.address), pair]))
  return [...pairs].flatMap(([place, { address, mac }]) =>
    (others.byAddress.get(place) ?? [])
      .filter(({ id }) => !mine.has(id))
      .map(({ id }): PortsFinding => {
        // Without the MAC address no client removes a pair.
        const macText = mac === undefined ? '' : `, and the pair’s MAC address ${mac}`
        const object = `port ${parent.id}, pair ${plain(address)}`
        return { code: 'neutron-pair-stray', object, detail: `the address is that of port ${id}${macText}` }
      }),
  )
}

function straySubports(
  { id: parentId, trunk }: Carrier,
  others: Named,
  mine: ReadonlySet<string>,
): readonly PortsFinding[] {
  return (trunk?.subports ?? [])
    .filter(({ portId }) => others.byId.has(portId) && !mine.has(portId))
    .map(({ portId, vlan }) => ({
      code: 'neutron-subport-stray',
      object: `port ${parentId}, subport ${portId}`,
      detail: `VLAN ${vlan} of trunk ${trunk?.id}`,
    }))
}

/** An address as it is written down. A pair of one address may be told with its length. */
function plain(address: string): string {
  return parseIp(address.replace(/\/(?:32|128)$/, '')) ?? address
}
