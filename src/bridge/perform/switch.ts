/**
 * Changes of Open vSwitch. Each makes sure that something is so, and resolves when ovs-vswitchd has followed.
 * @module
 */
import {
  addBridge,
  addPort,
  byName,
  decodeRows,
  delBridge,
  delPortRows,
  everyRow,
  mutate,
  type OvsdbClient,
  select,
  waitForConfig,
  waitForOfport,
} from '../../ovs/ovsdb/index.ts'
import { BridgeError } from '../errors.ts'
import { type BridgeRow, type Change, IDS } from '../model.ts'
import { observeBridges } from '../observe/switch.ts'

/** Changes of the switch. */
export type SwitchChange = Extract<Change, { readonly do: 'bridge' | 'no-bridge' | 'ids' | 'port' | 'no-port' }>

/** How long ovs-vswitchd may take for one change, in milliseconds. */
const PATIENCE_MS = 10_000

/** Performs one. Throws what Open vSwitch says, and OVSDB_TIMEOUT when ovs-vswitchd does not follow. */
export async function performSwitch(client: OvsdbClient, change: SwitchChange): Promise<void> {
  switch (change.do) {
    case 'bridge':
      await refuseForeign(client, change.bridge)
      return followed(client, (await addBridge(client, requestOf(change.bridge))).nextCfg)
    case 'no-bridge': {
      const found = (await observeBridges(client)).find(({ name }) => name === change.name)
      // The token is random: nobody else's bridge has it.
      if (found === undefined || found.externalIds[IDS.token] !== change.token) return
      await delBridge(client, change.name)
      return followed(client)
    }
    case 'ids': {
      const { table, name, ids } = change
      const mutations = [
        ['external_ids', 'delete', Object.keys(ids)],
        ['external_ids', 'insert', ids],
      ] as const
      const [done] = await client.transact([mutate(table, byName(name), mutations)])
      if (done?.count !== 1) throw gone(name)
      return
    }
    case 'port':
      return port(client, change)
    case 'no-port': {
      const uuids = await portsOf(client, change.bridge, change.name)
      await delPortRows(client, uuids)
      return uuids.length === 0 ? undefined : followed(client)
    }
  }
}

/** Somebody may have made one of that name in the meantime. */
async function refuseForeign(client: OvsdbClient, { name, externalIds }: BridgeRow): Promise<void> {
  const found = (await observeBridges(client)).find((one) => one.name === name)
  if (found === undefined || found.externalIds[IDS.token] === externalIds[IDS.token]) return
  throw new BridgeError(
    'BRIDGE_NOT_OURS',
    `somebody else has just made a bridge ${name}`,
    'look at it, and begin again',
  )
}

function requestOf({ name, datapathType, mac, mtu, externalIds }: BridgeRow) {
  return {
    name,
    bridge: {
      datapath_type: datapathType,
      // Forwards by itself while nobody gives it flows.
      fail_mode: 'standalone',
      other_config: { hwaddr: mac },
      external_ids: externalIds,
    },
    interface: { mtu_request: mtu },
  }
}

async function port(client: OvsdbClient, change: Extract<Change, { readonly do: 'port' }>): Promise<void> {
  const { bridge, name, trunks } = change
  if ((await portsOf(client, bridge, name)).length === 0) await addPort(client, { bridge, name, port: { trunks } })
  const monitor = await client.monitor({ Interface: { columns: ['name', 'ofport', 'error'] } })
  try {
    await waitForOfport(monitor, name, { timeoutMs: PATIENCE_MS })
  } finally {
    monitor.close()
  }
}

/** Ports of that name on that bridge. */
async function portsOf(client: OvsdbClient, bridge: string, name: string): Promise<readonly string[]> {
  const [bridges, ports] = await client.transact([
    select('Bridge', everyRow, ['name', 'ports']),
    select('Port', everyRow, ['_uuid', 'name']),
  ])
  const held = new Set(
    decodeRows('Bridge', bridges, ['name', 'ports'])
      .filter((row) => row.name === bridge)
      .flatMap((row) => row.ports),
  )
  return decodeRows('Port', ports, ['_uuid', 'name'])
    .filter((row) => row.name === name && held.has(row.uuid))
    .map(({ uuid }) => uuid)
}

function gone(name: string): BridgeError {
  return new BridgeError(
    'BRIDGE_UNKNOWN',
    `${name} is gone from Open vSwitch`,
    'look who removed it, and make it again',
  )
}

/** Resolves when ovs-vswitchd has taken over what is in the database now. */
async function followed(client: OvsdbClient, config?: number): Promise<void> {
  const monitor = await client.monitor({ Open_vSwitch: { columns: ['cur_cfg', 'next_cfg'] } })
  try {
    const [root] = monitor.rows('Open_vSwitch').values()
    await waitForConfig(monitor, config ?? root?.next_cfg ?? 0, { timeoutMs: PATIENCE_MS })
  } finally {
    monitor.close()
  }
}
