/**
 * Our bridge in Open vSwitch, and its ports. Tunnels are protected ports: what came out of one of them leaves by none of them, with no
 * flow and no daemon at work. Everything is recognisable by `external_ids`, and nothing of others is touched.
 * @module
 */
import {
  addBridge,
  byUuid,
  createPortBatcher,
  delBridge,
  delPortRows,
  type Monitor,
  type MonitoredRow,
  mutate,
  type OvsdbClient,
  setInterface,
  update,
} from '../ovs/ovsdb/index.ts'
import { MeshError } from './errors.ts'
import { OWNER, OWNER_KEY, PEER_KEY } from './names.ts'
import type { BridgePlan, PortPlan } from './plan.ts'

/** What is watched of the database. */
export const SWITCH_SPEC = {
  Bridge: { columns: ['name', 'ports', 'datapath_type', 'external_ids'] },
  Port: { columns: ['name', 'interfaces', 'protected', 'external_ids'] },
  Interface: { columns: ['name', 'type', 'options', 'bfd', 'bfd_status', 'mtu_request', 'error', 'external_ids'] },
} as const
export type SwitchMonitor = Monitor<typeof SWITCH_SPEC>
type BridgeRow = MonitoredRow<typeof SWITCH_SPEC, 'Bridge'>
type InterfaceRow = MonitoredRow<typeof SWITCH_SPEC, 'Interface'>

/** How a bridge of Open vSwitch forwards: by the kernel, or in user space, on machines whose kernel cannot. */
export type DatapathType = 'system' | 'netdev'

/** Three signs of life are missing after a second and a half. */
const BFD = { enable: 'true', min_rx: '500', min_tx: '500', mult: '3' } as const

/** Brings the switch to a plan; undefined takes everything of ours away. Resolves with what could not be done, in words. */
export async function applySwitch(
  client: OvsdbClient,
  monitor: SwitchMonitor,
  plan: BridgePlan | undefined,
  datapathType: DatapathType,
): Promise<readonly string[]> {
  const bridges = [...monitor.rows('Bridge').values()]
  const old = bridges.filter((row) => isOurs(row) && row.name !== plan?.name)
  const left = []
  for (const row of old) left.push(await removeBridge(client, monitor, row))
  const kept = left.flatMap((sentence) => sentence ?? [])
  if (plan === undefined) return kept
  const present = bridges.find(({ name }) => name === plan.name)
  if (present !== undefined && !isOurs(present)) throw foreign(plan.name)
  if (present === undefined || present.datapath_type !== datapathType) {
    await addBridge(client, {
      name: plan.name,
      bridge: { datapath_type: datapathType, fail_mode: 'standalone', external_ids: { [OWNER_KEY]: OWNER } },
      interface: { mtu_request: plan.mtu },
    })
  }
  const local = monitor.byName('Interface', plan.name)
  if (local !== undefined && local.mtu_request !== plan.mtu) {
    await setInterface(client, plan.name, { set: { mtu_request: plan.mtu } })
  }
  return [...kept, ...(await applyPorts(client, monitor, plan))]
}

/** Whether a row is ours. */
export function isOurs({ external_ids }: { readonly external_ids: ReadonlyMap<string, string> }): boolean {
  return external_ids.get(OWNER_KEY) === OWNER
}

/** What BFD says of each of our ports, by the port's name; undefined where it says nothing yet. */
export function portStates(
  monitor: SwitchMonitor,
): ReadonlyMap<string, { readonly bfd?: string; readonly error?: string }> {
  return new Map(
    [...monitor.rows('Interface').values()].filter(isOurs).map(({ name, bfd_status, error }) => {
      const bfd = bfd_status.get('state')
      return [name, { ...(bfd === undefined ? {} : { bfd }), ...(error === undefined ? {} : { error }) }]
    }),
  )
}

async function applyPorts(client: OvsdbClient, monitor: SwitchMonitor, plan: BridgePlan): Promise<readonly string[]> {
  const wanted = new Map(plan.ports.map((port) => [port.name, port]))
  const present = ownPorts(monitor, plan.name)
  await delPortRows(
    client,
    present.filter(({ name }) => !wanted.has(name)).map(({ uuid }) => uuid),
  )
  for (const { link, isProtected, uuid, name } of present) {
    const port = wanted.get(name)
    if (port === undefined) continue
    if (!isAs(link, port)) await correct(client, link, port)
    if (!isProtected) await client.transact([update('Port', byUuid(uuid), { protected: true })])
  }
  const there = new Set(present.map(({ name }) => name))
  const batcher = createPortBatcher(client)
  const added = await Promise.allSettled(
    plan.ports.filter(({ name }) => !there.has(name)).map((port) => batcher.add(requestOf(plan.name, port))),
  )
  return added.flatMap((one) => (one.status === 'rejected' ? [sentenceOf(one.reason)] : []))
}

interface OwnPort {
  readonly uuid: string
  readonly name: string
  readonly isProtected: boolean
  readonly link: InterfaceRow
}

function ownPorts(monitor: SwitchMonitor, bridge: string): readonly OwnPort[] {
  const uuids = monitor.byName('Bridge', bridge)?.ports ?? []
  return uuids.flatMap((uuid) => {
    const port = monitor.row('Port', uuid)
    const link = monitor.row('Interface', port?.interfaces[0] ?? '')
    if (port === undefined || link === undefined || !isOurs(link)) return []
    return [{ uuid, name: port.name, isProtected: port.protected, link }]
  })
}

function requestOf(bridge: string, { name, peer, type, options }: PortPlan) {
  const external_ids = { [OWNER_KEY]: OWNER, [PEER_KEY]: peer }
  return { bridge, name, interface: { type, options, bfd: BFD, external_ids }, port: { protected: true } }
}

function isAs(link: InterfaceRow, { type, options, peer }: PortPlan): boolean {
  return (
    link.type === type &&
    isSame(link.options, options) &&
    isSame(link.bfd, BFD) &&
    link.external_ids.get(PEER_KEY) === peer
  )
}

function isSame(map: ReadonlyMap<string, string>, wanted: Readonly<Record<string, string>>): boolean {
  return (
    map.size === Object.keys(wanted).length && Object.entries(wanted).every(([key, value]) => map.get(key) === value)
  )
}

async function correct(client: OvsdbClient, link: InterfaceRow, { type, options, peer }: PortPlan): Promise<void> {
  await setInterface(client, link.name, { set: { type, options, bfd: BFD }, externalIds: { [PEER_KEY]: peer } })
}

/** Ports of others stay, and with them the bridge, which is theirs from then on. Resolves with a sentence that says so. */
async function removeBridge(client: OvsdbClient, monitor: SwitchMonitor, row: BridgeRow): Promise<string | undefined> {
  const own = ownPorts(monitor, row.name).map(({ uuid }) => uuid)
  const others = row.ports.filter((uuid) => !own.includes(uuid) && monitor.row('Port', uuid)?.name !== row.name)
  if (others.length === 0) {
    await delBridge(client, row.name)
    return undefined
  }
  await delPortRows(client, own)
  await client.transact([mutate('Bridge', byUuid(row.uuid), [['external_ids', 'delete', [OWNER_KEY]]])])
  const names = others.map((uuid) => monitor.row('Port', uuid)?.name ?? uuid).join(', ')
  return `the bridge ${row.name} stays: it has ports of others (${names})`
}

function foreign(name: string): MeshError {
  return new MeshError(
    'MESH_NOT_OURS',
    `somebody else has made the bridge ${name}`,
    `give another name as bridge, or remove that one: ovs-vsctl del-br ${name}`,
  )
}

/** An error as one sentence. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const remedy = 'remedy' in error && typeof error.remedy === 'string' ? ` → ${error.remedy}` : ''
  return `${error.message}${remedy}`
}
