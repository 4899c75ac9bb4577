import type { TransactOptions } from '../client/client.ts'
import type { OvsdbClient } from '../client/open-vswitch.ts'
import type { RowInput } from '../schema/open-vswitch.ts'
import { decodeRows, insert, mutate, select, update } from '../transact/open-vswitch.ts'
import { byName, everyRow, named, type Operation } from '../transact/operations.ts'
import { advanceConfig, configOf } from './ports.ts'

/** A bridge with its local port. */
export type BridgeRequest = {
  readonly name: string
  /** Columns of the Bridge row: datapath_type, fail_mode, protocols, external_ids, other_config, … */
  readonly bridge?: Omit<RowInput<'Bridge'>, 'name' | 'ports' | 'external_ids' | 'other_config'> & {
    readonly external_ids?: Readonly<Record<string, string>>
    readonly other_config?: Readonly<Record<string, string>>
  }
  /** Columns of the local port's Interface row, when the bridge is created. */
  readonly interface?: Omit<RowInput<'Interface'>, 'name' | 'type'>
}

export type AddedBridge = { readonly uuid: string; readonly created: boolean; readonly nextCfg: number }

/**
 * Makes sure a bridge exists. An existing one keeps its ports and gets the given columns; its external_ids and
 * other_config gain the given keys and keep the others.
 */
export async function addBridge(
  client: Pick<OvsdbClient, 'transact'>,
  request: BridgeRequest,
  options?: TransactOptions,
): Promise<AddedBridge> {
  const [roots, bridges] = await client.transact(
    [select('Open_vSwitch', everyRow, ['_uuid']), select('Bridge', byName(request.name), ['_uuid'])],
    options,
  )
  const [existing] = decodeRows('Bridge', bridges, ['_uuid'])
  if (existing !== undefined) {
    const results = await client.transact([...adjustBridge(request), ...advanceConfig()], options)
    return { uuid: existing.uuid, created: false, nextCfg: configOf(results) }
  }
  const hasRoot = decodeRows('Open_vSwitch', roots, ['_uuid']).length > 0
  const results = await client.transact([...createBridge(request, hasRoot), ...advanceConfig()], options)
  return { uuid: results[0]?.uuid ?? '', created: true, nextCfg: configOf(results) }
}

/** Removes a bridge with everything on it; an unknown name is fine. Returns whether it was there. */
export async function delBridge(
  client: Pick<OvsdbClient, 'transact'>,
  name: string,
  options?: TransactOptions,
): Promise<boolean> {
  const [found] = await client.transact([select('Bridge', byName(name), ['_uuid'])], options)
  const uuids = decodeRows('Bridge', found, ['_uuid']).map((row) => row.uuid)
  if (uuids.length === 0) return false
  await client.transact([mutate('Open_vSwitch', everyRow, [['bridges', 'delete', uuids]]), ...advanceConfig()], options)
  return true
}

function createBridge(request: BridgeRequest, hasRoot: boolean): readonly Operation[] {
  const { name } = request
  const attach = hasRoot
    ? mutate('Open_vSwitch', everyRow, [['bridges', 'insert', [named('bridge')]]])
    : insert('Open_vSwitch', { bridges: [named('bridge')] })
  return [
    insert('Bridge', { ...request.bridge, name, ports: [named('port')] }, 'bridge'),
    insert('Port', { name, interfaces: [named('interface')] }, 'port'),
    insert('Interface', { ...request.interface, name, type: 'internal' }, 'interface'),
    attach,
  ]
}

function adjustBridge(request: BridgeRequest): readonly Operation[] {
  const { external_ids = {}, other_config = {}, ...columns } = request.bridge ?? {}
  const where = byName(request.name)
  return [
    update('Bridge', where, columns),
    mutate('Bridge', where, [
      ['external_ids', 'delete', Object.keys(external_ids)],
      ['external_ids', 'insert', external_ids],
      ['other_config', 'delete', Object.keys(other_config)],
      ['other_config', 'insert', other_config],
    ]),
  ]
}
