/**
 * Requests of tenants, from somebody who waits for the answer.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { TenantOutcome, TenantRequest } from '../network/model/tenant.ts'
import { type Registry, RegistryError, type Stored } from '../registry/registry.ts'
import { PlaygroundError } from './errors.ts'

const PATIENCE = 10_000

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

/** What became of a request. */
export type ActionOutcome =
  | ({ readonly accepted: true } & TenantView)
  | ({ readonly accepted: false; readonly namespace: string } & Pick<
      Extract<TenantOutcome, { accepted: false }>,
      'code' | 'message' | 'remedy'
    >)

/** Every tenant, by name. */
export async function listTenants(registry: Registry): Promise<readonly TenantView[]> {
  const { objects } = await registry.list('Tenant')
  return objects
    .map(({ value: { namespace, vni } }) => ({
      namespace,
      vni,
      shared: objects
        .filter(({ value }) => value.vni === vni && value.namespace !== namespace)
        .map(({ name }) => name)
        .sort(),
    }))
    .sort((a, b) => a.namespace.localeCompare(b.namespace))
}

/** Asks for a change and waits for the controller's answer. Throws PLAY_NOT_FOUND, PLAY_BUSY, PLAY_TIMEOUT. */
export async function requestTenant(
  registry: Registry,
  namespace: string,
  action: TenantAction,
): Promise<ActionOutcome> {
  const id = randomUUID()
  await submit(registry, namespace, { id, ...action })
  const outcome = await outcomeOf(registry, namespace, id)
  if (!outcome.accepted) {
    const { code, message, remedy } = outcome
    return { accepted: false, namespace, code, message, remedy }
  }
  const view = (await listTenants(registry)).find((tenant) => tenant.namespace === namespace)
  return { accepted: true, namespace, vni: view?.vni ?? 0, shared: view?.shared ?? [] }
}

async function submit(registry: Registry, namespace: string, request: TenantRequest): Promise<void> {
  const end = performance.now() + PATIENCE
  while (performance.now() < end) {
    const stored = await tenantOf(registry, namespace)
    // Somebody else's request is answered first.
    if (stored.value.request === undefined) {
      try {
        await registry.update('Tenant', namespace, { ...stored.value, request }, stored.revision)
        return
      } catch (error) {
        if (!(error instanceof RegistryError && error.code === 'REGISTRY_CONFLICT')) throw error
      }
    }
    await Bun.sleep(20)
  }
  throw new PlaygroundError(
    'PLAY_BUSY',
    `an earlier request of ${namespace} is not answered`,
    'is weft controller running?',
  )
}

async function outcomeOf(registry: Registry, namespace: string, id: string): Promise<TenantOutcome> {
  const end = performance.now() + PATIENCE
  while (performance.now() < end) {
    const { outcome } = (await tenantOf(registry, namespace)).value
    if (outcome?.id === id) return outcome
    await Bun.sleep(20)
  }
  throw new PlaygroundError(
    'PLAY_TIMEOUT',
    `nobody answered within ${PATIENCE / 1000} s`,
    'is weft controller running?',
  )
}

async function tenantOf(registry: Registry, namespace: string): Promise<Stored<'Tenant'>> {
  const stored = await registry.get('Tenant', namespace)
  if (stored !== undefined) return stored
  const names = (await registry.list('Tenant')).objects.map(({ name }) => name).sort()
  throw new PlaygroundError('PLAY_NOT_FOUND', `there is no namespace ${namespace}`, `take one of ${names.join(', ')}`)
}
