/**
 * Looks at the bridges of this machine's Open vSwitch. Changes nothing.
 * @module
 */
import { decodeRows, everyRow, type OvsdbClient, select } from '../../ovs/ovsdb/index.ts'
import type { SwitchBridge, SwitchPort } from '../model.ts'

/** Every bridge with its ports, sorted by name. */
export async function observeBridges(client: Pick<OvsdbClient, 'transact'>): Promise<readonly SwitchBridge[]> {
  const [bridges, ports, interfaces] = await client.transact([
    select('Bridge', everyRow, BRIDGE),
    select('Port', everyRow, PORT),
    select('Interface', everyRow, INTERFACE),
  ])
  const links = new Map(decodeRows('Interface', interfaces, INTERFACE).map((row) => [row.uuid, row]))
  const known = new Map(
    decodeRows('Port', ports, PORT).map((row): readonly [string, SwitchPort] => [
      row.uuid,
      {
        name: row.name,
        interfaces: row.interfaces.flatMap((uuid) => {
          const link = links.get(uuid)
          if (link === undefined) return []
          const { name, type, error } = link
          return [{ name, type, ...(error === undefined ? {} : { error }) }]
        }),
        ...(row.tag === undefined ? {} : { tag: row.tag }),
        trunks: row.trunks,
        externalIds: Object.fromEntries(row.external_ids),
      },
    ]),
  )
  return decodeRows('Bridge', bridges, BRIDGE)
    .map((row) => ({
      name: row.name,
      datapathType: row.datapath_type === 'netdev' ? 'netdev' : 'system',
      externalIds: Object.fromEntries(row.external_ids),
      ports: row.ports.flatMap((uuid) => known.get(uuid) ?? []).sort((a, b) => a.name.localeCompare(b.name)),
    }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

const BRIDGE = ['_uuid', 'name', 'ports', 'datapath_type', 'external_ids'] as const
const PORT = ['_uuid', 'name', 'interfaces', 'tag', 'trunks', 'external_ids'] as const
const INTERFACE = ['_uuid', 'name', 'type', 'error'] as const
