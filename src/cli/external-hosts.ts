/**
 * Hosts outside the cluster, as an administrator lets them in and shuts them out.
 * @module
 */
import type { Cidr, Ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import { nodeAddressProblems } from '../network/model/validate-cluster.ts'
import { sleep } from '../registry/backoff.ts'
import { type Registry, RegistryError, type Stored } from '../registry/registry.ts'

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
  | 'HOST_NOT_FOUND'
  | 'HOST_ADDRESS'
  | 'HOST_TIMEOUT'
  | 'HOST_NO_TENANT'
  | 'HOST_HIDDEN'

/** A host that cannot be let in or shut out: the message is the cause, the remedy what to do. */
export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: HostErrorCode
  readonly remedy: string

  constructor(code: HostErrorCode, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
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
    `there is no tenant ${namespace}`,
    'weft tenant list shows those that there are',
  )
}

/**
 * Lets a host in, or changes what was declared of it, and waits until it has its ranges. Throws HOST_IS_NODE,
 * HOST_ADDRESS, HOST_HIDDEN, HOST_TIMEOUT when no controller answers (the declaration stays), and what the registry
 * throws.
 */
export async function addHost(
  registry: Registry,
  declaration: HostDeclaration,
  signal: AbortSignal = new AbortController().signal,
  patience: number = PATIENCE_MS,
): Promise<HostView> {
  await checkAddresses(registry, declaration)
  await declare(registry, declaration, signal)
  const end = performance.now() + patience
  do {
    const host = (await registry.get('NodeNetwork', declaration.name))?.value
    const view = host && viewOf(host)
    if (view !== undefined && (view.ranges.length > 0 || view.problem !== undefined)) return view
    await sleep(PAUSE_MS, signal)
  } while (performance.now() < end && !signal.aborted)
  throw new HostError('HOST_TIMEOUT', `${declaration.name} got no range yet`, 'is weft controller running?')
}

/** Shuts a host out: every node stops answering it. Throws HOST_NOT_FOUND and HOST_IS_NODE. */
export async function removeHost(registry: Registry, name: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const stored = await registry.get('NodeNetwork', name)
    if (stored === undefined) throw notFound(name)
    refuseNode(stored)
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

/** Somebody else may write in between: then it is looked at again. */
async function declare(registry: Registry, declaration: HostDeclaration, signal: AbortSignal): Promise<void> {
  const { name, addresses, vni } = declaration
  for (let tries = 1; ; tries += 1) {
    const stored = await registry.get('NodeNetwork', name)
    if (stored !== undefined) refuseNode(stored)
    const declared = { node: name, machine: { kind: 'external', vni }, addresses } as const
    try {
      if (stored === undefined) await registry.create('NodeNetwork', name, { ...declared, ranges: [] })
      else await registry.update('NodeNetwork', name, { ...stored.value, ...declared }, stored.revision)
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

async function checkAddresses(registry: Registry, { name, addresses }: HostDeclaration): Promise<void> {
  const cluster = (await registry.get('Cluster', 'default'))?.value
  const [problem] = cluster === undefined ? [] : nodeAddressProblems(cluster, addresses)
  if (problem !== undefined) throw new HostError('HOST_ADDRESS', problem.problem, problem.remedy)
  const { objects } = await registry.list('NodeNetwork')
  for (const { value } of objects) {
    const shared = value.node === name ? undefined : value.addresses.find((one) => addresses.includes(one))
    if (shared === undefined) continue
    throw new HostError('HOST_ADDRESS', `${shared} is ${value.node}'s address`, 'give the host its own')
  }
}

function refuseNode({ name, value }: Stored<'NodeNetwork'>): void {
  if (value.machine.kind === 'external') return
  throw new HostError('HOST_IS_NODE', `${name} is a node of the cluster, no host outside it`, 'choose another name')
}

function hidden(name: string): HostError {
  const message = `in the place of ${name}, or of its address, there is something that cannot be read`
  return new HostError('HOST_HIDDEN', message, 'the log of weft controller names it: correct it, or remove it')
}

function notFound(name: string): HostError {
  return new HostError('HOST_NOT_FOUND', `there is no host ${name}`, 'weft host list shows those that there are')
}

function viewOf({ node, machine, addresses, ranges, problem, silence, status }: NodeNetwork): HostView | undefined {
  if (machine.kind !== 'external') return undefined
  const reason = problem ?? silence ?? status?.reason
  return {
    name: node,
    addresses,
    vni: machine.vni,
    ranges,
    state: silence !== undefined ? 'silent' : status === undefined ? 'unmanaged' : status.ready ? 'ready' : 'waiting',
    ...(reason === undefined ? {} : { problem: reason }),
  }
}
