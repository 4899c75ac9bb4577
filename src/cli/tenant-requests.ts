/**
 * Requests of tenants, from somebody who waits for the answer.
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { Tenant, TenantOutcome, TenantRequest } from '../network/model/tenant.ts'
import { type Registry, RegistryError, type Stored } from '../registry/registry.ts'
import { CodedError } from '../text/coded-error.ts'

/** What somebody asks for. */
export type TenantAction =
  | { readonly action: 'join'; readonly target: string }
  | { readonly action: 'isolate' | 'global' }

/** A namespace's place, with the others of the same VNI. */
export interface TenantView {
  readonly namespace: string
  readonly vni: number
  readonly shared: readonly string[]
}

/** Codes of {@link TenantRequestError}. Stable: they are API. Refusals have the controller's codes instead. */
export type TenantRequestErrorCode =
  | 'TENANT_NOT_FOUND'
  | 'TENANT_BUSY'
  | 'TENANT_TIMEOUT'
  | 'TENANT_INTERRUPTED'
  | 'TENANT_REQUEST_STAYS'
  | 'TENANT_ANSWER_LOST'

/** A request that was refused or got no answer: the message is the cause, the remedy what to do. */
export class TenantRequestError extends CodedError<string> {
  override readonly name = 'TenantRequestError'
}

/** How somebody waits. */
export interface Waiting {
  /** Milliseconds: first for their turn, then for the answer. 10 s when absent. */
  readonly patience?: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

const PATIENCE = 10_000
const PAUSE = 20
const IS_IT_RUNNING = 'is weft controller running?'

/** Every tenant, by name. */
export async function listTenants(registry: Registry): Promise<readonly TenantView[]> {
  const { objects } = await registry.list('Tenant')
  const tenants = objects.map(({ value }) => value)
  return tenants.map((tenant) => viewOf(tenant, tenants)).sort((a, b) => (a.namespace < b.namespace ? -1 : 1))
}

/**
 * Asks for a change and waits for the controller's answer; a request without one is withdrawn in the end.
 * Throws a {@link TenantRequestError} with the refusal's code, or TENANT_NOT_FOUND, TENANT_BUSY, TENANT_TIMEOUT and
 * TENANT_INTERRUPTED (nothing will happen), TENANT_REQUEST_STAYS (it may still be carried out) and TENANT_ANSWER_LOST.
 */
export async function requestTenant(
  registry: Registry,
  namespace: string,
  action: TenantAction,
  { patience = PATIENCE, signal = new AbortController().signal }: Waiting = {},
): Promise<TenantView> {
  const waiting = { patience, signal }
  const id = randomUUID()
  await submit(registry, namespace, { id, ...action }, waiting)
  const tenant = await answerTo(registry, namespace, id, waiting)
  const others = (await registry.list('Tenant')).objects.map(({ value }) => value)
  return viewOf(tenant, others)
}

async function submit(
  registry: Registry,
  namespace: string,
  request: TenantRequest,
  { patience, signal }: Required<Waiting>,
): Promise<void> {
  const end = performance.now() + patience
  do {
    const stored = await tenantOf(registry, namespace)
    // Somebody else's request is answered first; one that was refused makes way.
    if (!isPending(stored.value) && (await swap(registry, stored, { ...stored.value, request }))) return
    await Bun.sleep(PAUSE)
  } while (performance.now() < end && !signal.aborted)
  if (signal.aborted) throw failure('TENANT_INTERRUPTED', 'stopped before the request was made', 'ask again')
  const message = `an earlier request of ${namespace} is not answered; yours was not made`
  throw failure('TENANT_BUSY', message, IS_IT_RUNNING)
}

function isPending({ request, outcome }: Tenant): boolean {
  return request !== undefined && outcome?.id !== request.id
}

/** The tenant as it was when it carried the answer. */
async function answerTo(
  registry: Registry,
  namespace: string,
  id: string,
  waiting: Required<Waiting>,
): Promise<Tenant> {
  const { patience, signal } = waiting
  try {
    const end = performance.now() + patience
    do {
      const stored = await tenantOf(registry, namespace)
      const { value } = stored
      if (value.outcome?.id === id) return await concluded(registry, stored, value.outcome)
      if (value.request?.id !== id) throw answerLost(namespace)
      await Bun.sleep(PAUSE)
    } while (performance.now() < end && !signal.aborted)
    return await withdraw(registry, namespace, id, waiting)
  } catch (cause) {
    if (!(cause instanceof RegistryError)) throw cause
    const message = `the registry fails (${cause.message}): the request stays and will be carried out`
    throw failure('TENANT_REQUEST_STAYS', message, 'compare with `weft tenant list` later', { cause })
  }
}

/** Takes the request back if it is still there; an answer that came meanwhile counts. */
async function withdraw(
  registry: Registry,
  namespace: string,
  id: string,
  { patience, signal }: Required<Waiting>,
): Promise<Tenant> {
  const why = signal.aborted ? 'stopped before the answer came' : `nobody answered within ${patience / 1000} s`
  for (let tries = 0; tries < 10; tries += 1) {
    const stored = await tenantOf(registry, namespace)
    const { request, ...rest } = stored.value
    if (rest.outcome?.id === id) return concluded(registry, stored, rest.outcome)
    if (request?.id !== id) throw answerLost(namespace)
    if (!(await swap(registry, stored, rest))) continue
    const message = `${why}; the request was withdrawn, nothing changes`
    throw signal.aborted
      ? failure('TENANT_INTERRUPTED', message, 'ask again')
      : failure('TENANT_TIMEOUT', message, IS_IT_RUNNING)
  }
  const message = `${why}; the request stays and will be carried out`
  throw failure('TENANT_REQUEST_STAYS', message, 'compare with `weft tenant list` later')
}

/**
 * The tenant, if its request was granted. One that was refused would stay, to be granted when that becomes possible:
 * whoever waits for an answer asks once, so it is taken back, with the refusal.
 */
async function concluded(registry: Registry, stored: Stored<'Tenant'>, outcome: TenantOutcome): Promise<Tenant> {
  if (outcome.accepted) return stored.value
  for (let tries = 0, at: Stored<'Tenant'> | undefined = stored; tries < 10 && at !== undefined; tries += 1) {
    const { request, outcome: _, ...rest } = at.value
    if (request?.id !== outcome.id || (await swap(registry, at, rest))) break
    at = await registry.get('Tenant', stored.name)
  }
  throw new TenantRequestError(outcome.code, outcome.message, outcome.remedy)
}

/** Compare-and-swap; false when somebody else wrote first. */
async function swap(registry: Registry, { name, revision }: Stored<'Tenant'>, value: Tenant): Promise<boolean> {
  try {
    await registry.update('Tenant', name, value, revision)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'REGISTRY_CONFLICT') return false
    if (error instanceof RegistryError && error.code === 'REGISTRY_NOT_FOUND') return false
    throw error
  }
}

async function tenantOf(registry: Registry, namespace: string): Promise<Stored<'Tenant'>> {
  const stored = await registry.get('Tenant', namespace)
  if (stored !== undefined) return stored
  const names = (await registry.list('Tenant')).objects.map(({ name }) => name).sort()
  const remedy = names.length === 0 ? IS_IT_RUNNING : `there are ${names.slice(0, 20).join(', ')}`
  throw failure('TENANT_NOT_FOUND', `there is no tenant "${namespace}"`, remedy)
}

function viewOf({ namespace, vni }: Tenant, all: readonly Tenant[]): TenantView {
  const shared = all.filter((other) => other.vni === vni && other.namespace !== namespace).map((one) => one.namespace)
  return { namespace, vni, shared: shared.sort() }
}

function answerLost(namespace: string): TenantRequestError {
  const message = `a later request of ${namespace} replaced the answer before it was read`
  return failure('TENANT_ANSWER_LOST', message, 'compare with `weft tenant list`')
}

function failure(
  code: TenantRequestErrorCode,
  message: string,
  remedy: string,
  options?: ErrorOptions,
): TenantRequestError {
  return new TenantRequestError(code, message, remedy, options)
}
