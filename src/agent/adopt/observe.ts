/**
 * Looks at what another plugin has left. Changes nothing.
 * @module
 */
import { type Link, linkList, type RtnlSocket } from '../../linux/index.ts'
import { byName, decodeRows, everyRow, type OvsdbClient, select } from '../../ovs/ovsdb/index.ts'
import type { Lease } from '../attach/lease.ts'
import { hostLocalRecords } from './host-local.ts'
import { FOREIGN_BRIDGE, type ForeignBridge, type ForeignPort, type Observed } from './observed.ts'
import { findPods } from './pod-links.ts'

/** Where it is looked. */
export interface AdoptionPlaces {
  /** `host-local`'s folder: one per network in it. */
  readonly hostLocal: string
  /** Sockets that the other daemons serve. */
  readonly daemons: readonly string[]
}

export const ADOPTION_PLACES: AdoptionPlaces = {
  hostLocal: '/var/lib/cni/networks',
  daemons: ['/run/k8s-ovs/cni-server.sock', '/run/openshift-sdn/cniserver/socket'],
}

/** Everything there is to take over. */
export async function observeForeign(
  client: Pick<OvsdbClient, 'transact'>,
  rtnl: RtnlSocket,
  leases: readonly Lease[],
  places: AdoptionPlaces,
): Promise<Observed> {
  const served = await Promise.all(places.daemons.map(async (socket) => ((await isServed(socket)) ? [socket] : [])))
  return {
    bridge: await foreignBridge(client, linkList(rtnl)),
    pods: findPods(rtnl),
    records: hostLocalRecords(places.hostLocal),
    daemons: served.flat(),
    leases,
  }
}

/** The other plugin's bridge. Internal ports and tunnels of it are its own, the others are pods'. */
export async function foreignBridge(
  client: Pick<OvsdbClient, 'transact'>,
  links: readonly Link[],
): Promise<ForeignBridge | undefined> {
  const [bridges, allPorts, interfaces] = await client.transact([
    select('Bridge', byName(FOREIGN_BRIDGE), ['_uuid', 'ports', 'datapath_type']),
    select('Port', everyRow, ['_uuid', 'name', 'interfaces', 'qos']),
    select('Interface', everyRow, ['_uuid', 'name', 'type', 'external_ids']),
  ])
  const [bridge] = decodeRows('Bridge', bridges, ['_uuid', 'ports', 'datapath_type'])
  if (bridge === undefined) return undefined
  const ports = decodeRows('Port', allPorts, ['_uuid', 'name', 'interfaces', 'qos']).filter(({ uuid }) =>
    bridge.ports.includes(uuid),
  )
  const rows = decodeRows('Interface', interfaces, ['_uuid', 'name', 'type', 'external_ids'])
  const names = new Set(links.map(({ name }) => name))
  return {
    uuid: bridge.uuid,
    datapath: bridge.datapath_type === 'netdev' ? 'netdev' : 'system',
    qos: [...new Set(ports.flatMap(({ qos }) => qos ?? []))],
    ports: ports.flatMap((port): readonly ForeignPort[] => {
      const row = rows.find(({ uuid }) => port.interfaces.includes(uuid))
      if (row === undefined || !LINKS.has(row.type) || row.name === FOREIGN_BRIDGE) return []
      const { external_ids: ids, name } = row
      return [{ name, hasLink: names.has(name), sandbox: ids.get('sandbox'), address: ids.get('ip') }]
    }),
  }
}

/** Types of interfaces that are links of the system. */
const LINKS: ReadonlySet<string> = new Set(['', 'system'])

async function isServed(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data: () => undefined } })
    socket.end()
    return true
  } catch {
    return false
  }
}
