/**
 * What is ours in Open vSwitch's database: the bridge with its ports, pods' ports on bridges of others, and rows that carry
 * our mark.
 * @module
 */
import { BRIDGE } from '../../network/host.ts'
import { advanceConfig, delPortRows } from '../../ovs/ovsdb/helpers/ports.ts'
import {
  byUuid,
  connectOvsdb,
  decodeRows,
  deleteRows,
  everyRow,
  mutate,
  type OvsdbClient,
  select,
} from '../../ovs/ovsdb/index.ts'
import { AgentError } from '../errors.ts'
import { UNDERLAY_OWNER } from '../plugins/ovs/record.ts'
import type { CleanPlaces, Trace } from './clean.ts'

const OWNER = { key: 'weft-owner', value: 'weft-agent' } as const
const TIMEOUT_MS = 10_000

/** Our bridge and rows. Throws AGENT_NO_SWITCH where the database cannot be asked: it may hold them still. */
export async function switchTraces({ ovsdb }: CleanPlaces): Promise<readonly Trace[]> {
  using client = await connect(ovsdb)
  const { bridges, ports, qos } = await read(client)
  return [
    ...bridges.map(({ name, ports }) => ({
      what: `bridge ${name} with ${ports.length} ports`,
      remove: () => removeBridges(ovsdb),
    })),
    ...ports.map(({ uuid, name }) => ({ what: `port ${name}`, remove: () => removePort(ovsdb, uuid) })),
    ...qos.map(({ uuid }) => ({ what: `row ${uuid} of OVSDB's table QoS`, remove: () => removeRow(ovsdb, uuid) })),
  ]
}

async function connect(path: string): Promise<OvsdbClient> {
  try {
    return await connectOvsdb({ path })
  } catch (cause) {
    throw new AgentError(
      'AGENT_NO_SWITCH',
      `Open vSwitch's database does not answer at ${path}, and may hold bridge ${BRIDGE} still`,
      'start Open vSwitch and clean again',
      { cause },
    )
  }
}

async function read(client: OvsdbClient) {
  const [bridges, ports, qos] = await client.transact(
    [
      select('Bridge', everyRow, ['_uuid', 'name', 'ports', 'external_ids']),
      select('Port', [['external_ids', 'includes', UNDERLAY_OWNER]], ['_uuid', 'name']),
      select('QoS', everyRow, ['_uuid', 'external_ids']),
    ],
    { timeoutMs: TIMEOUT_MS },
  )
  const isOurs = ({ external_ids: ids }: { readonly external_ids: ReadonlyMap<string, string> }): boolean =>
    ids.get(OWNER.key) === OWNER.value
  return {
    bridges: decodeRows('Bridge', bridges, ['_uuid', 'name', 'ports', 'external_ids']).filter(isOurs),
    ports: decodeRows('Port', ports, ['_uuid', 'name']),
    qos: decodeRows('QoS', qos, ['_uuid', 'external_ids']).filter(isOurs),
  }
}

/** Ports and interfaces go with their bridge. */
async function removeBridges(path: string): Promise<void> {
  using client = await connect(path)
  const uuids = (await read(client)).bridges.map(({ uuid }) => uuid)
  if (uuids.length === 0) return
  const removal = mutate('Open_vSwitch', everyRow, [['bridges', 'delete', uuids]])
  await client.transact([removal, ...advanceConfig()], { timeoutMs: TIMEOUT_MS })
}

async function removePort(path: string, uuid: string): Promise<void> {
  using client = await connect(path)
  await delPortRows(client, [uuid], { timeoutMs: TIMEOUT_MS })
}

async function removeRow(path: string, uuid: string): Promise<void> {
  using client = await connect(path)
  await client.transact([deleteRows('QoS', byUuid(uuid)), ...advanceConfig()], {
    timeoutMs: TIMEOUT_MS,
  })
}
