/**
 * Ports of one interface of a pod in Neutron: found, taken, given back. Neutron is the one record of them, so each step begins
 * with what it has, and whoever is killed between two steps is gone on from there (docs/adr/0037).
 * @module
 */
import type { AttachmentKey } from '../../cni/index.ts'
import { parseIp } from '../../network/model/address.ts'
import { ended, OpenStackError } from '../../openstack/errors.ts'
import type { Port, PortSpec } from '../../openstack/neutron/model.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { sleep } from '../../registry/backoff.ts'
import type { NetworkWish } from './asked.ts'
import { DEVICE_OWNER, deviceIdOf, OURS } from './names.ts'

/** What of Neutron it takes. */
export interface NeutronPorts {
  readonly ports: Pick<Neutron['ports'], 'list' | 'create' | 'delete'>
}

/** Whose ports: tags that all of them have, {@link OURS} among them. */
export type Owner = readonly string[]

/** The ports that an interface is to have. */
export interface PortWish {
  readonly key: AttachmentKey
  readonly owner: Owner
  /** For people. */
  readonly name: string
  /** Tags beside the owner's. */
  readonly tags: readonly string[]
  readonly networks: readonly NetworkWish[]
  /** IDs. */
  readonly securityGroups: readonly string[] | undefined
}

/** Milliseconds between looks for a port that may or may not have been made: Neutron may be at it still. */
const LOOKS = [0, 500, 1_500, 3_000] as const
/** How often a port is asked for whose making ended in doubt. */
const TRIES = 3

/** The ports of an interface, in the order of their IDs. */
export async function findPorts(
  { ports }: NeutronPorts,
  { key, owner }: Pick<PortWish, 'key' | 'owner'>,
  signal: AbortSignal,
): Promise<readonly Port[]> {
  const deviceId = deviceIdOf(key)
  const found = await ports.list({ deviceId, tags: owner }, signal)
  return found.filter((port) => port.deviceId === deviceId && isOf(port, owner)).toSorted(byId)
}

/** Whether a port has all tags of an owner. Databases compare without regard to capitals: they are looked at here again. */
export function isOf({ tags }: Pick<Port, 'tags'>, owner: Owner): boolean {
  return owner.includes(OURS) && owner.every((tag) => tags.includes(tag))
}

/** How ports are taken. */
export interface Taking {
  readonly signal: AbortSignal
  /** Called where it is not known whether a port was made. */
  readonly doubted: () => void
}

/**
 * One port on each network that is asked for: one that is there already, else a new one. Of two on one network the one with
 * the lower ID stays; those that nobody asks for go. It ends when nothing is under way any more, also where it fails; what
 * it made until then is for the caller to give back.
 */
export async function takePorts(
  neutron: NeutronPorts,
  wish: PortWish,
  standing: readonly Port[],
  taking: Taking,
): Promise<readonly Port[]> {
  const { signal } = taking
  const kept = wish.networks.map((network) => standing.find((port) => isAsAsked(port, network)))
  const surplus = standing.filter((port) => !kept.includes(port))
  await allEnded(surplus.map(({ id }) => neutron.ports.delete(id, undefined, signal)))
  return allEnded(wish.networks.map((network, at) => kept[at] ?? takePort(neutron, wish, network, taking)))
}

/** Deletes ports; those that are gone are no failure. Throws the first failure when none is under way any more. */
export async function freePorts(neutron: NeutronPorts, ports: readonly Port[], signal: AbortSignal): Promise<void> {
  await allEnded(ports.map(({ id }) => neutron.ports.delete(id, undefined, signal)))
}

/**
 * Deletes what an ADD that failed has made. Where the making ended in doubt it looks again and again, for as long as Neutron
 * may have been at it; a look that fails is no look. Throws where the last one failed.
 */
export async function withdrawPorts(
  neutron: NeutronPorts,
  wish: PortWish,
  standing: readonly Port[],
  { isUncertain, signal }: { readonly isUncertain: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const before = new Set(standing.map(({ id }) => id))
  for (const [at, pause] of LOOKS.entries()) {
    await sleep(pause, signal)
    try {
      const found = await findPorts(neutron, wish, signal)
      const made = found.filter(({ id }) => !before.has(id))
      await freePorts(neutron, made, signal)
      if (!isUncertain) return
    } catch (error) {
      if (at === LOOKS.length - 1) throw error
    }
  }
}

/** Deletes the ports that an owner has and no valid attachment needs. Resolves to how many there were. */
export async function sweepPorts(
  neutron: NeutronPorts,
  owner: Owner,
  valid: readonly AttachmentKey[],
  signal: AbortSignal,
): Promise<number> {
  const needed = new Set(valid.map(deviceIdOf))
  const found = await neutron.ports.list({ tags: owner }, signal)
  const left = found.filter(
    (port) => isOf(port, owner) && port.deviceId.startsWith('weft:') && !needed.has(port.deviceId),
  )
  await freePorts(neutron, left, signal)
  return left.length
}

/**
 * Ports that the old plugin made for a container: their name is the container's ID, and nothing else is known of them. Only
 * an ID as container runtimes make them is looked for: anything shorter may be anybody's name for a port.
 */
export async function findOldPorts(
  { ports }: NeutronPorts,
  containerId: string,
  networks: readonly string[],
  signal: AbortSignal,
): Promise<readonly Port[]> {
  if (!/^[0-9a-f]{64}$/.test(containerId)) return []
  const lists = networks.map((networkId) => ports.list({ name: containerId, networkId }, signal))
  return (await Promise.all(lists))
    .flat()
    .filter(
      ({ name, networkId, deviceId, deviceOwner, tags }) =>
        name === containerId &&
        networks.includes(networkId) &&
        deviceId === '' &&
        deviceOwner === '' &&
        tags.length === 0,
    )
}

/** Whether a port can be taken for a wish. */
function isAsAsked({ networkId, fixedIps }: Port, wish: NetworkWish): boolean {
  if (networkId !== wish.networkId || fixedIps.length === 0) return false
  const { addresses = [] } = wish
  return addresses.every(({ address }) => fixedIps.some((one) => parseIp(one.address) === address))
}

async function takePort(
  neutron: NeutronPorts,
  wish: PortWish,
  network: NetworkWish,
  { signal, doubted }: Taking,
): Promise<Port> {
  const spec = specOf(wish, network)
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Whoever ends the call waits for this answer: a port that Neutron is at would come when nobody looks for it any more.
      const port = await neutron.ports.create(spec)
      if (signal.aborted) throw ended(`create port ${spec.name} on network ${spec.networkId}`)
      return attempt === 1 ? port : await onlyOne(neutron, wish, network, port, signal)
    } catch (error) {
      if (!isDoubtful(error)) throw error
      doubted()
      const port = await lookFor(neutron, wish, network, signal)
      if (port !== undefined) return port
      if (attempt === TRIES || signal.aborted) throw error
    }
  }
}

function isDoubtful(error: unknown): boolean {
  return error instanceof OpenStackError && error.isUncertain
}

/** The port whose making ended in doubt; undefined where none came in the time that Neutron may take. */
async function lookFor(
  neutron: NeutronPorts,
  wish: PortWish,
  network: NetworkWish,
  signal: AbortSignal,
): Promise<Port | undefined> {
  for (const pause of LOOKS) {
    await sleep(pause, signal)
    if (signal.aborted) return undefined
    const found = (await findPorts(neutron, wish, signal)).filter((port) => isAsAsked(port, network))
    const [first, ...others] = found
    if (first === undefined) continue
    await freePorts(neutron, others, signal)
    return first
  }
  return undefined
}

/** A port that was asked for twice may be there twice. */
async function onlyOne(
  neutron: NeutronPorts,
  wish: PortWish,
  network: NetworkWish,
  port: Port,
  signal: AbortSignal,
): Promise<Port> {
  const found = (await findPorts(neutron, wish, signal)).filter((one) => isAsAsked(one, network))
  const [first = port, ...others] = found
  await freePorts(neutron, others, signal)
  return first
}

function specOf({ key, owner, name, tags, securityGroups }: PortWish, { networkId, addresses }: NetworkWish): PortSpec {
  return {
    networkId,
    name,
    deviceId: deviceIdOf(key),
    deviceOwner: DEVICE_OWNER,
    tags: [...owner, ...tags],
    ...(addresses === undefined ? {} : { fixedIps: addresses }),
    ...(securityGroups === undefined ? {} : { securityGroups }),
  }
}

/** All results, or the first failure when none is under way any more: a port that comes later would be nobody's. */
async function allEnded<T>(calls: readonly (T | Promise<T>)[]): Promise<readonly T[]> {
  await Promise.allSettled(calls)
  return Promise.all(calls)
}

function byId(one: Port, other: Port): number {
  return one.id < other.id ? -1 : 1
}
