import type { TransactOptions } from '../client/client.ts'
import type { OvsdbClient } from '../client/open-vswitch.ts'
import { isOvsdbError, OvsdbError } from '../errors.ts'
import type { RowInput } from '../schema/open-vswitch.ts'
import { decodeRows, insert, mutate, select, wait } from '../transact/open-vswitch.ts'
import { byName, everyRow, named, type Operation } from '../transact/operations.ts'
import type { OperationResult } from '../transact/results.ts'

/** A port with one interface, to be added to a bridge. */
export type PortRequest = {
  readonly bridge: string
  readonly name: string
  /** Columns of the Interface row: type, ofport_request, options, external_ids, … */
  readonly interface?: Omit<RowInput<'Interface'>, 'name'>
  /** Columns of the Port row: tag, external_ids, … */
  readonly port?: Omit<RowInput<'Port'>, 'name' | 'interfaces'>
}

export type AddedPort = {
  readonly name: string
  readonly portUuid: string
  readonly interfaceUuid: string
  /** ovs-vswitchd has taken the transaction over when `Open_vSwitch.cur_cfg` reaches this. */
  readonly nextCfg: number
}

/**
 * Adds ports in one transaction: all or none. The answer means "recorded"; use `waitForOfport` for "forwarding".
 * Throws OVSDB_NO_SUCH_BRIDGE, and OVSDB_CONSTRAINT_VIOLATION where a name is taken.
 */
export async function addPorts(
  client: Pick<OvsdbClient, 'transact'>,
  requests: readonly PortRequest[],
  options?: TransactOptions,
): Promise<readonly AddedPort[]> {
  if (requests.length === 0) return []
  const bridges = [...new Set(requests.map((request) => request.bridge))]
  const operations = [
    // A mutation of a bridge that is not there would succeed with count 0 and the new rows vanish: insist on it.
    ...bridges.map((bridge) => wait('Bridge', byName(bridge), ['name'], '==', [{ name: bridge }])),
    ...requests.flatMap(insertPort),
    ...bridges.map((bridge) => attachPorts(bridge, requests)),
    ...advanceConfig(),
  ]
  const results = await client.transact(operations, options).catch((error: unknown) => {
    throw withMissingBridge(error, bridges)
  })
  const nextCfg = configOf(results)
  return requests.map((request, index) => {
    const at = bridges.length + 2 * index
    const [interfaceUuid = '', portUuid = ''] = [results[at]?.uuid, results[at + 1]?.uuid]
    return { name: request.name, portUuid, interfaceUuid, nextCfg }
  })
}

/** Adds one port; see `addPorts`. */
export async function addPort(
  client: Pick<OvsdbClient, 'transact'>,
  request: PortRequest,
  options?: TransactOptions,
): Promise<AddedPort> {
  const [added] = await addPorts(client, [request], options)
  if (added === undefined) throw new OvsdbError('OVSDB_BAD_RESULT', 'no port was added')
  return added
}

/** Removes ports by name from whichever bridge has them; unknown names are fine. Returns the names that were there. */
export async function delPorts(
  client: Pick<OvsdbClient, 'transact'>,
  names: readonly string[],
  options?: TransactOptions,
): Promise<readonly string[]> {
  if (names.length === 0) return []
  const found = await client.transact(
    names.map((name) => select('Port', byName(name), ['_uuid', 'name'])),
    options,
  )
  const rows = found.flatMap((result) => decodeRows('Port', result, ['_uuid', 'name']))
  await delPortRows(
    client,
    rows.map((row) => row.uuid),
    options,
  )
  return rows.map((row) => row.name)
}

/** Removes ports by the UUIDs of their Port rows (as a monitor knows them): one round trip. */
export async function delPortRows(
  client: Pick<OvsdbClient, 'transact'>,
  uuids: readonly string[],
  options?: TransactOptions,
): Promise<void> {
  if (uuids.length === 0) return
  // Port and Interface rows that nothing refers to are collected by the server.
  await client.transact([mutate('Bridge', everyRow, [['ports', 'delete', uuids]]), ...advanceConfig()], options)
}

/** The last two operations of a change: what ovs-vsctl does to find out when ovs-vswitchd has followed. */
export function advanceConfig(): readonly Operation[] {
  return [mutate('Open_vSwitch', everyRow, [['next_cfg', '+=', 1]]), select('Open_vSwitch', everyRow, ['next_cfg'])]
}

/** The `next_cfg` that `advanceConfig` set, read from the end of the results. */
export function configOf(results: readonly OperationResult[]): number {
  return decodeRows('Open_vSwitch', results.at(-1), ['next_cfg'])[0]?.next_cfg ?? 0
}

function insertPort(request: PortRequest, index: number): readonly Operation[] {
  const { name } = request
  return [
    insert('Interface', { ...request.interface, name }, `interface${index}`),
    insert('Port', { ...request.port, name, interfaces: [named(`interface${index}`)] }, `port${index}`),
  ]
}

function attachPorts(bridge: string, requests: readonly PortRequest[]): Operation {
  const ports = requests.flatMap((request, index) => (request.bridge === bridge ? [named(`port${index}`)] : []))
  return mutate('Bridge', byName(bridge), [['ports', 'insert', ports]])
}

function withMissingBridge(error: unknown, bridges: readonly string[]): unknown {
  if (!isOvsdbError(error, 'OVSDB_WAIT_FAILED')) return error
  const bridge = bridges[error.opIndex ?? -1]
  return new OvsdbError('OVSDB_NO_SUCH_BRIDGE', `bridge ${bridge ?? '(unknown)'} does not exist in Open vSwitch`, {
    remedy: 'create the bridge first (ovs-vsctl add-br) or correct its name',
    cause: error,
  })
}
