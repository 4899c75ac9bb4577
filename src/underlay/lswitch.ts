/**
 * `lswitch-setup` and `lswitch-destroy`: the logical switch of this node, from the words of its administrator to the cache that
 * pods get their ports from. Run again after whatever went wrong, they go on where it stopped.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { formatCache, parseCache } from '../compat/ovn-underlay/cache.ts'
import { UnderlayError } from '../compat/ovn-underlay/errors.ts'
import { NODE_KEYS } from '../compat/ovn-underlay/keys.ts'
import { podsIn, subnetOf } from '../compat/ovn-underlay/ports.ts'
import { formatRecord, parseRecord, type SwitchRecord } from '../compat/ovn-underlay/record.ts'
import { lockFile, openRtnl } from '../linux/index.ts'
import type { Cidr } from '../network/model/address.ts'
import { loadOpenrc } from '../openstack/config/load.ts'
import { OpenStackError } from '../openstack/errors.ts'
import { Neutron } from '../openstack/neutron/neutron.ts'
import { OpenStackSession } from '../openstack/session.ts'
import { connectOvsdb, type OvsdbClient } from '../ovs/ovsdb/index.ts'
import { makeSwitch } from './neutron/make.ts'
import { removeSwitch } from './neutron/remove.ts'
import type { Clerk, SwitchWish } from './neutron/wish.ts'
import { applyServices, withdrawServices } from './services/host.ts'
import { type NodeState, type PodRow, readKeys, readPods, readState, writeKeys } from './state.ts'

/** Where it is done. */
export interface SwitchPlace {
  /** Socket of ovsdb-server. */
  readonly ovsdb: string
  /** Where commands lock each other out. */
  readonly folder: string
  readonly hostBridge: string
  /** Told what was done, a sentence each. */
  readonly tell: (sentence: string) => void
}

/** What an administrator says. */
export interface SwitchWords {
  readonly name: string
  readonly subnet: string
  readonly router?: string
  readonly ports?: number
  readonly nesting: SwitchWish['nesting']
  readonly groups: readonly string[]
  /** Where given, the host translates services. */
  readonly cluster: readonly Cidr[]
}

/** Makes the switch, or completes it. Resolves to what the node has then. */
export async function setUpSwitch(words: SwitchWords, place: SwitchPlace): Promise<NodeState> {
  const subnet = subnetOf(words.subnet)
  const ports = podsIn(subnet, words.ports)
  checkName(words.name)
  using _ = locked(place.folder)
  using ovs = await connectOvsdb({ path: place.ovsdb })
  const keys = await readKeys(ovs)
  const { clerk, parent, session } = await clerkOf(keys, place)
  try {
    const before = parseRecord(keys.get(NODE_KEYS.record))
    checkRecord(before, { name: words.name, subnet, parent })
    const { name, cluster } = words
    if (before === undefined) await ownPort(clerk, parent)
    // Before the first object is made; one that is in use stays so meanwhile.
    await writeKeys(ovs, { [NODE_KEYS.record]: formatRecord(before ?? { state: 'making', name, subnet, parent }) })
    const made = await makeSwitch(clerk, { ...wishFor(words, before), subnet, parent, ports })
    const kept = cluster.length > 0 ? cluster : (before?.cluster ?? [])
    const record: SwitchRecord = { ...made.record, ...(kept.length === 0 ? {} : { cluster: kept }) }
    await writeKeys(ovs, {
      [NODE_KEYS.record]: formatRecord(record),
      [NODE_KEYS.cache]: formatCache(made.ports),
      [NODE_KEYS.network]: made.network.id,
      [NODE_KEYS.subnet]: made.subnet.id,
      ...(record.router === undefined ? {} : { [NODE_KEYS.router]: record.router }),
    })
    return await servicesOf(ovs, place)
  } finally {
    session.close()
  }
}

/** A record of a port that is not there would stand in the way of the right one. */
async function ownPort({ neutron }: Clerk, parent: string): Promise<void> {
  try {
    await neutron.ports.get(parent)
  } catch (error) {
    if (!(error instanceof OpenStackError) || error.code !== 'OPENSTACK_NOT_FOUND') throw error
    const remedy = "correct it, the project or the region: openstack port list --server NAME has the port's ID"
    throw new UnderlayError('UNDERLAY_CONFIG', `OS_VIF_ID, ${parent}, is no port that this account sees`, remedy)
  }
}

/** Has the host translate services for the pods of its switch, if that was asked for. */
export async function servicesOf(ovs: OvsdbClient, { hostBridge, tell }: SwitchPlace): Promise<NodeState> {
  const state = await readState(ovs)
  const { record, cache, pods } = state
  if (record?.cluster === undefined) return state
  using rtnl = openRtnl()
  await applyServices(rtnl, { hostBridge, record, cache, pods })
  tell(`packets of pods to services are shown to the host on ${hostBridge}`)
  return state
}

/** Removes everything that was made for this node. Resolves to whether there was anything. */
export async function destroySwitch(place: SwitchPlace, { force }: { readonly force: boolean }): Promise<boolean> {
  using _ = locked(place.folder)
  using ovs = await connectOvsdb({ path: place.ovsdb })
  const keys = await readKeys(ovs)
  const { clerk, parent, session } = await clerkOf(keys, place)
  try {
    const record = parseRecord(keys.get(NODE_KEYS.record))
    const mark = async (change: Pick<SwitchRecord, 'state' | 'isClosing'> | undefined): Promise<void> => {
      if (record === undefined) return
      const { isClosing, ...open } = record
      await writeKeys(ovs, { [NODE_KEYS.record]: formatRecord({ ...open, ...change }) })
    }
    // From now on no pod gets a port; then it is known who has one. Until something is deleted there is a way back.
    await mark({ state: record?.state ?? 'ready', isClosing: true })
    const using = podsOn(await readPods(ovs), keys.get(NODE_KEYS.cache))
    if (using.length > 0 && !force) {
      await mark(undefined)
      throw inUse(using)
    }
    await mark({ state: 'going' })
    const had = await removeSwitch(clerk, record?.parent ?? parent)
    using rtnl = openRtnl()
    if (record?.cluster !== undefined) await withdrawServices(rtnl, place.hostBridge, record)
    const { config, node, ...rest } = NODE_KEYS
    await writeKeys(ovs, Object.fromEntries(Object.values(rest).map((key) => [key, undefined])))
    return had
  } finally {
    session.close()
  }
}

/** Pods with a port of the node's switch. Where it cannot be read which ones those are, every port counts. */
function podsOn(pods: readonly PodRow[], cache: string | undefined): readonly PodRow[] {
  try {
    const own = new Set(parseCache(cache).map(({ id }) => id))
    return pods.filter(({ port }) => own.has(port))
  } catch {
    return pods
  }
}

function inUse(pods: readonly PodRow[]): UnderlayError {
  const shown = pods.slice(0, 5).map(({ pod, link }) => pod ?? link)
  const cause = `${pods.length} pods have ports of this node's logical switch: ${shown.join(', ')}`
  return new UnderlayError('UNDERLAY_IN_USE', cause, 'drain the node first, or add --force: they lose their network')
}

interface ClerkOfNode {
  readonly clerk: Clerk
  readonly parent: string
  readonly session: OpenStackSession
}

async function clerkOf(keys: ReadonlyMap<string, string>, { tell }: SwitchPlace): Promise<ClerkOfNode> {
  const path = keys.get(NODE_KEYS.config)
  if (path === undefined || path === '') {
    const cause = 'external_ids:neutron-config of this Open vSwitch is not set'
    const remedy = 'say where the openrc is: ovs-vsctl set open_vswitch . external_ids:neutron-config=/root/openrc'
    throw new UnderlayError('UNDERLAY_CONFIG', cause, remedy)
  }
  const { cloud, vifId } = loadOpenrc(path)
  if (vifId === undefined) {
    const remedy =
      "add OS_VIF_ID, the ID of the Neutron port of this machine's interface: openstack port list --server NAME"
    throw new UnderlayError('UNDERLAY_CONFIG', `OS_VIF_ID is not set in ${path}`, remedy)
  }
  for (const warning of cloud.warnings) tell(warning)
  const session = new OpenStackSession(cloud)
  return { clerk: { neutron: new Neutron(session), tell }, parent: vifId.toLowerCase(), session }
}

/** What is asked for; a router that was named once stays without being named again. */
export function wishFor(
  { name, router: named, nesting, groups }: SwitchWords,
  before: SwitchRecord | undefined,
): Pick<SwitchWish, 'name' | 'nesting' | 'groups' | 'router'> {
  const router = named ?? before?.router
  return { name, nesting, groups, ...(router === undefined ? {} : { router }) }
}

/** Throws UNDERLAY_TAKEN where the node has another switch than the one that is asked for. */
export function checkRecord(
  before: SwitchRecord | undefined,
  { name, subnet, parent }: Pick<SwitchRecord, 'name' | 'subnet' | 'parent'>,
): void {
  if (before === undefined) return
  if (before.state === 'going') {
    const cause = `the logical switch ${before.name} is being taken away`
    throw new UnderlayError('UNDERLAY_TAKEN', cause, 'run lswitch-destroy again: it goes on where it stopped')
  }
  if (before.name === name && before.subnet === subnet && before.parent === parent) return
  const cause = `this node has the logical switch ${before.name} with ${before.subnet} behind port ${before.parent}`
  throw new UnderlayError('UNDERLAY_TAKEN', cause, 'run lswitch-destroy first')
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(name)) return
  const remedy = 'use letters, digits, dashes, dots and underscores, as in ls-worker1'
  throw new UnderlayError('UNDERLAY_USAGE', `'${name}' cannot be the name of a logical switch`, remedy)
}

function locked(folder: string): Disposable {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockFile(join(folder, 'lock'))
  if (lock !== undefined) return lock
  throw new UnderlayError('UNDERLAY_BUSY', 'another ovn-underlay command is at work', 'wait until it is done')
}
