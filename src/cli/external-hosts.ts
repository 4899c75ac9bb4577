/**
 * Hosts outside the cluster, as an administrator lets them in and shuts them out.
 * @module
 */

import type { Cidr, Ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import { nodeAddressProblems } from '../network/model/validate-cluster.ts'
import { sharedAddress } from '../network/shared-address.ts'
import { sleep } from '../registry/backoff.ts'
import { type Registry, RegistryError, type Stored } from '../registry/registry.ts'
import { CodedError } from '../text/coded-error.ts'

/** A host as it is declared. */
export interface HostDeclaration {
  readonly name: string
  readonly addresses: readonly Ip[]
  /** Whom it reaches: 0 is everybody. */
  readonly vni: number
}

/** A host as it is. */
export interface HostView extends HostDeclaration {
  readonly ranges: readonly Cidr[]
  /** `unmanaged`: no agent of Weft ever reported from there. */
  readonly state: 'ready' | 'waiting' | 'silent' | 'unmanaged'
  readonly problem?: string
}

/** Codes of {@link HostError}. Stable: they are API. */
export type HostErrorCode =
  | 'HOST_IS_NODE'
  | 'HOST_EXISTS'
  | 'HOST_NOT_FOUND'
  | 'HOST_ADDRESS'
  | 'HOST_TIMEOUT'
  | 'HOST_NO_TENANT'
  | 'HOST_HIDDEN'

/** A host that cannot be let in or shut out: the message is the cause, the remedy what to do. */
export class HostError extends CodedError<HostErrorCode> {
  override readonly name = 'HostError'
}

const PATIENCE_MS = 10_000
const PAUSE_MS = 50

/** Every host, by name. */
export async function listHosts(registry: Registry): Promise<readonly HostView[]> {
  const { objects } = await registry.list('NodeNetwork')
  return objects.flatMap(({ value }) => viewOf(value) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The VNI that a namespace has now. Throws HOST_NO_TENANT. */
export async function vniOfTenant(registry: Registry, namespace: string): Promise<number> {
  const tenant = await registry.get('Tenant', namespace)
  if (tenant !== undefined) return tenant.value.vni
  throw new HostError(
    'HOST_NO_TENANT',
    `there is no tenant "${namespace}"`,
    '`weft tenant list` shows those that there are',
  )
}

/** What is to be different; what is absent stays. */
export type HostChange = Partial<Omit<HostDeclaration, 'name'>>

/** A host that was changed, and what had been declared of it. */
export interface ChangedHost {
  readonly before: HostDeclaration
  readonly host: HostView
}

/**
 * Lets a host in, and waits until it has its ranges; one that was let in just so is fine. Throws HOST_EXISTS when it was
 * let in otherwise, HOST_IS_NODE, HOST_ADDRESS, HOST_HIDDEN, HOST_TIMEOUT when no controller answers (the declaration
 * stays), and what the registry throws.
 */
export async function addHost(
  registry: Registry,
  declaration: HostDeclaration,
  signal: AbortSignal = new AbortController().signal,
  patience: number = PATIENCE_MS,
): Promise<HostView> {
  const { name } = declaration
  await checkAddresses(registry, declaration)
  await write(registry, name, signal, (there) => {
    if (there === undefined) return { ...recordOf(declaration), ranges: [] }
    const differences = differencesOf(declarationOf(there), declaration)
    if (differences.length > 0) throw existsAlready(declarationOf(there), differences)
    return undefined
  })
  return await withRanges(registry, name, signal, patience)
}

/** Changes what was declared of a host. Throws HOST_NOT_FOUND, and otherwise as {@link addHost} does. */
export async function changeHost(
  registry: Registry,
  name: string,
  change: HostChange,
  signal: AbortSignal = new AbortController().signal,
  patience: number = PATIENCE_MS,
): Promise<ChangedHost> {
  if (change.addresses !== undefined) await checkAddresses(registry, { name, addresses: change.addresses })
  let before: HostDeclaration | undefined
  await write(registry, name, signal, (there) => {
    if (there === undefined) throw notFound(name)
    before = declarationOf(there)
    const wanted = { ...before, ...change }
    if (differencesOf(before, wanted).length === 0) return undefined
    // What was wrong with it as it was is for the controller to say anew.
    const { problem: _, ...rest } = there
    return { ...rest, ...recordOf(wanted) }
  })
  const host = await withRanges(registry, name, signal, patience)
  return { before: before ?? host, host }
}

/** The host once it has its ranges, or cannot get any. */
async function withRanges(registry: Registry, name: string, signal: AbortSignal, patience: number): Promise<HostView> {
  const end = performance.now() + patience
  do {
    const host = (await registry.get('NodeNetwork', name))?.value
    const view = host && viewOf(host)
    if (view !== undefined && (view.ranges.length > 0 || view.problem !== undefined)) return view
    await sleep(PAUSE_MS, signal)
  } while (performance.now() < end && !signal.aborted)
  throw new HostError('HOST_TIMEOUT', `${name} got no range yet`, 'is weft controller running?')
}

/** Shuts a host out: every node stops answering it. Throws HOST_NOT_FOUND and HOST_IS_NODE. */
export async function removeHost(registry: Registry, name: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const stored = await registry.get('NodeNetwork', name)
    if (stored === undefined) throw notFound(name)
    hostIn(stored)
    try {
      await registry.delete('NodeNetwork', name, stored.revision)
      return
    } catch (error) {
      // Its agent counts in there, and the controller writes what it gets.
      const isOvertaken = error instanceof RegistryError && error.code === 'REGISTRY_CONFLICT'
      if (!isOvertaken || tries === MOST_TRIES) throw error
    }
  }
}

/** How often is looked again. */
const MOST_TRIES = 20

/** A host outside, as the registry has it. */
type HostRecord = NodeNetwork & { readonly machine: Extract<NodeNetwork['machine'], { readonly kind: 'external' }> }

/** Writes what `decide` makes of what is there, if anything. Somebody else may write in between: then it is asked again. */
async function write(
  registry: Registry,
  name: string,
  signal: AbortSignal,
  decide: (there: HostRecord | undefined) => NodeNetwork | undefined,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const stored = await registry.get('NodeNetwork', name)
    const record = decide(stored && hostIn(stored))
    if (record === undefined) return
    try {
      if (stored === undefined) await registry.create('NodeNetwork', name, record)
      else await registry.update('NodeNetwork', name, record, stored.revision)
      return
    } catch (error) {
      if (!(error instanceof RegistryError) || !OVERTAKEN.has(error.code)) throw error
      // What is there and does not show cannot be read.
      if (tries === MOST_TRIES || signal.aborted) throw stored === undefined ? hidden(name) : error
    }
    await sleep(PAUSE_MS, signal)
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set(['REGISTRY_CONFLICT', 'REGISTRY_EXISTS', 'REGISTRY_NOT_FOUND'])

async function checkAddresses(registry: Registry, { name, addresses }: Omit<HostDeclaration, 'vni'>): Promise<void> {
  const cluster = (await registry.get('Cluster', 'default'))?.value
  const [problem] = cluster === undefined ? [] : nodeAddressProblems(cluster, addresses)
  if (problem !== undefined) throw new HostError('HOST_ADDRESS', problem.problem, problem.remedy)
  const { objects } = await registry.list('NodeNetwork')
  const host = { node: name, machine: { kind: 'external' }, addresses, ranges: [] } as const
  const others = objects.map(({ value }) => value)
  const shared = sharedAddress({ underlay: cluster?.underlay ?? 4 }, host, others)
  if (shared !== undefined) throw new HostError('HOST_ADDRESS', shared.problem, shared.remedy)
}

function recordOf({ name, addresses, vni }: HostDeclaration): Pick<NodeNetwork, 'node' | 'machine' | 'addresses'> {
  return { node: name, machine: { kind: 'external', vni }, addresses }
}

function declarationOf({ node, machine, addresses }: HostRecord): HostDeclaration {
  return { name: node, addresses, vni: machine.vni }
}

/** The options that would make one into the other. */
function differencesOf(one: HostDeclaration, other: HostDeclaration): readonly string[] {
  const isMoved = new Set(one.addresses).symmetricDifference(new Set(other.addresses)).size > 0
  return [
    ...(isMoved ? other.addresses.map((address) => `--address ${address}`) : []),
    ...(one.vni === other.vni ? [] : [`--vni ${other.vni}`]),
  ]
}

function hostIn({ name, value }: Stored<'NodeNetwork'>): HostRecord {
  const { machine } = value
  if (machine.kind === 'external') return { ...value, machine }
  throw new HostError('HOST_IS_NODE', `"${name}" is a node of the cluster, no host outside it`, 'choose another name')
}

function existsAlready({ name, addresses, vni }: HostDeclaration, differences: readonly string[]): HostError {
  const message = `"${name}" was let in before, at ${addresses.join(' and ')} with the VNI ${vni}`
  return new HostError('HOST_EXISTS', message, `\`weft host change ${name} ${differences.join(' ')}\` changes that`)
}

function hidden(name: string): HostError {
  const message = `in the place of ${name}, or of its address, there is something that cannot be read`
  return new HostError('HOST_HIDDEN', message, 'the log of weft controller names it: correct it, or remove it')
}

function notFound(name: string): HostError {
  return new HostError('HOST_NOT_FOUND', `there is no host "${name}"`, '`weft host list` shows those that there are')
}

function viewOf({ node, machine, addresses, ranges, problem, silence, status }: NodeNetwork): HostView | undefined {
  if (machine.kind !== 'external') return undefined
  const reason = problem ?? silence ?? status?.reason
  // What its agent says of itself is half of it: nodes may serve another one there.
  const isReady = status?.ready === true && problem === undefined
  return {
    name: node,
    addresses,
    vni: machine.vni,
    ranges,
    state: silence !== undefined ? 'silent' : status === undefined ? 'unmanaged' : isReady ? 'ready' : 'waiting',
    ...(reason === undefined ? {} : { problem: reason }),
  }
}
