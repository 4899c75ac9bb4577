/**
 * What the node's own Open vSwitch holds of the underlay: the logical switch, the ports made in advance, and the pods that have
 * one. It is all that a pod's ADD reads: Neutron is not asked.
 * @module
 */
import { type CachedPort, parseCache } from '../compat/ovn-underlay/cache.ts'
import { NODE_KEYS, POD_KEYS } from '../compat/ovn-underlay/keys.ts'
import { parseRecord, type SwitchRecord } from '../compat/ovn-underlay/record.ts'
import { decodeRows, everyRow, mutate, type OperationResult, type OvsdbClient, select } from '../ovs/ovsdb/index.ts'

/** A pod's interface, as its row says. */
export interface PodRow {
  /** The name of the link on the node. */
  readonly link: string
  /** ID of the port that the pod has. */
  readonly port: string
  readonly address: string
  /** Undefined in rows of the script before us. */
  readonly containerId: string | undefined
  readonly ifname: string | undefined
  readonly network: string | undefined
  /** `namespace/name`. */
  readonly pod: string | undefined
  readonly tag: number | undefined
  readonly error: string | undefined
}

/** All of it. */
export interface NodeState {
  /** `external_ids` of the table Open_vSwitch. */
  readonly keys: ReadonlyMap<string, string>
  readonly record: SwitchRecord | undefined
  readonly cache: readonly CachedPort[]
  readonly pods: readonly PodRow[]
  /** Datapaths by bridge: `netdev` is the one in user space. */
  readonly datapaths: ReadonlyMap<string, string>
}

/** Reads it in one transaction. Throws UNDERLAY_CACHE, and what OVSDB throws. */
export async function readState(ovs: Pick<OvsdbClient, 'transact'>): Promise<NodeState> {
  const [roots, bridges, interfaces, ports] = await ovs.transact([
    select('Open_vSwitch', everyRow, ['external_ids']),
    select('Bridge', everyRow, ['name', 'datapath_type']),
    ...POD_QUERIES,
  ])
  const [root] = decodeRows('Open_vSwitch', roots, ['external_ids'])
  const keys = textsIn(root?.external_ids)
  return {
    keys,
    record: parseRecord(keys.get(NODE_KEYS.record)),
    cache: parseCache(keys.get(NODE_KEYS.cache)),
    pods: podsIn(interfaces, ports),
    datapaths: new Map(
      decodeRows('Bridge', bridges, ['name', 'datapath_type']).map(({ name, datapath_type }) => [name, datapath_type]),
    ),
  }
}

/** The pods alone: their rows say what is to be taken away, whatever the cache or the record have become. */
export async function readPods(ovs: Pick<OvsdbClient, 'transact'>): Promise<readonly PodRow[]> {
  const [interfaces, ports] = await ovs.transact(POD_QUERIES)
  return podsIn(interfaces, ports)
}

/** The values of `external_ids` of the table Open_vSwitch alone: they are there also where what they hold cannot be read. */
export async function readKeys(ovs: Pick<OvsdbClient, 'transact'>): Promise<ReadonlyMap<string, string>> {
  const [roots] = await ovs.transact([select('Open_vSwitch', everyRow, ['external_ids'])])
  return textsIn(decodeRows('Open_vSwitch', roots, ['external_ids'])[0]?.external_ids)
}

/** Sets keys, or removes them with undefined; the others stay. One transaction. */
export async function writeKeys(
  ovs: Pick<OvsdbClient, 'transact'>,
  keys: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const set = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
  await ovs.transact([
    mutate('Open_vSwitch', everyRow, [
      ['external_ids', 'delete', Object.keys(keys)],
      ['external_ids', 'insert', Object.fromEntries(set)],
    ]),
  ])
}

const POD_QUERIES = [
  select('Interface', everyRow, ['name', 'external_ids', 'error']),
  select('Port', everyRow, ['name', 'tag']),
]

function podsIn(interfaces: OperationResult | undefined, ports: OperationResult | undefined): readonly PodRow[] {
  const tags = new Map(decodeRows('Port', ports, ['name', 'tag']).map(({ name, tag }) => [name, tag]))
  return decodeRows('Interface', interfaces, ['name', 'external_ids', 'error']).flatMap((row): readonly PodRow[] => {
    const ids = textsIn(row.external_ids)
    const port = ids.get(POD_KEYS.port)
    if (port === undefined) return []
    return [
      {
        link: row.name,
        port: port.toLowerCase(),
        address: ids.get(POD_KEYS.address) ?? '',
        containerId: ids.get(POD_KEYS.container),
        ifname: ids.get(POD_KEYS.ifname),
        network: ids.get(POD_KEYS.network),
        pod: ids.get(POD_KEYS.pod),
        tag: tags.get(row.name),
        error: row.error,
      },
    ]
  })
}

function textsIn(map: ReadonlyMap<unknown, unknown> | undefined): ReadonlyMap<string, string> {
  return new Map([...(map ?? [])].map(([key, value]) => [String(key), String(value)]))
}
