/**
 * The bridges of a node as far as pods' networks are concerned.
 * @module
 */
import { BRIDGE } from '../../../network/host.ts'
import type { UnderlayTables } from './tables.ts'

/** A bridge that is there. */
export interface Bridge {
  readonly name: string
  readonly datapath: 'system' | 'netdev'
  /** Bytes; absent: Open vSwitch has not said. */
  readonly mtu?: number
}

/** The name that OVN's bridge has unless it was given another (ovn-controller(8)). */
export const OVN_BRIDGE = 'br-int'

/** The bridge of this name; undefined when there is none. */
export function bridgeNamed(tables: UnderlayTables, name: string): Bridge | undefined {
  const row = tables.byName('Bridge', name)
  if (row === undefined) return undefined
  const mtu = tables.byName('Interface', name)?.mtu
  return {
    name,
    datapath: row.datapath_type === 'netdev' ? 'netdev' : 'system',
    ...(mtu === undefined ? {} : { mtu }),
  }
}

/**
 * Whose a bridge is that no pod is put on by its name, for people; undefined where pods may be. On the overlay's the agent
 * alone says what is there, and on OVN's its controller: a port of ours could be taken for another's.
 */
export function reservedFor(tables: Pick<UnderlayTables, 'rows'>, name: string): string | undefined {
  if (name === BRIDGE) return "Weft's own"
  return ovnBridges(tables).has(name) ? "OVN's" : undefined
}

/** The names of the bridges that pods may be put on, sorted. */
export function podBridges(tables: Pick<UnderlayTables, 'rows'>): readonly string[] {
  return [...tables.rows('Bridge').values()]
    .map(({ name }) => name)
    .filter((name) => reservedFor(tables, name) === undefined)
    .sort()
}

/** OVN's bridge; a machine with several chassis names one for each. */
export function ovnBridge(tables: Pick<UnderlayTables, 'rows'>): string {
  const [root] = tables.rows('Open_vSwitch').values()
  return root?.external_ids.get('ovn-bridge') || OVN_BRIDGE
}

function ovnBridges(tables: Pick<UnderlayTables, 'rows'>): ReadonlySet<string> {
  const names = new Set([OVN_BRIDGE])
  const keys = /^ovn-bridge(-(?!mappings|datapath-type|remote).*)?$/
  for (const { external_ids: ids } of tables.rows('Open_vSwitch').values())
    for (const [key, value] of ids) if (keys.test(key)) names.add(value)
  return names
}
