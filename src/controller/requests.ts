/**
 * What becomes of a request to join, isolate or globalise a tenant. The actions are those of k8s-ovs and of
 * `oc adm pod-network`.
 * @module
 */
import { IpamError } from '../ipam/errors.ts'
import type { VniPool } from '../ipam/vni.ts'
import { GLOBAL_VNI, type Tenant, type TenantOutcome, type TenantRequest } from '../network/model/tenant.ts'

/** Why a request was refused. */
export type TenantErrorCode =
  | 'TENANT_SELF_JOIN'
  | 'TENANT_UNKNOWN_TARGET'
  | 'TENANT_DEFAULT_MUST_BE_GLOBAL'
  | 'TENANT_VNIS_EXHAUSTED'
  | 'TENANT_TENANCY_IS_SUBNET'
  | 'TENANT_UNKNOWN_ACTION'

/** What a request is judged by. */
export interface RequestContext {
  /** Every tenant that stays, by namespace. */
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly pool: VniPool
  readonly random: () => number
}

/** The tenant as it is after its request: with the outcome, and without the request. */
export function settleRequest(tenant: Tenant, request: TenantRequest, context: RequestContext): Tenant {
  const { request: _, ...rest } = tenant
  const verdict = judge(tenant, request, context)
  if (typeof verdict === 'number') return { ...rest, vni: verdict, outcome: { id: request.id, accepted: true } }
  return { ...rest, outcome: { id: request.id, accepted: false, ...verdict } }
}

/** The tenant with its request refused because there are no tenants in this cluster. */
export function refuseInSubnetMode(tenant: Tenant, request: TenantRequest): Tenant {
  const { request: _, ...rest } = tenant
  const reason = refusal(
    'TENANT_TENANCY_IS_SUBNET',
    'this cluster does not isolate namespaces: every pod reaches every pod',
    'set tenancy to multitenant in the cluster configuration',
  )
  return { ...rest, outcome: { id: request.id, accepted: false, ...reason } }
}

type Refusal = Omit<Extract<TenantOutcome, { accepted: false }>, 'id' | 'accepted'> & { readonly code: TenantErrorCode }

function judge(tenant: Tenant, request: TenantRequest, context: RequestContext): number | Refusal {
  switch (request.action) {
    case 'global':
      return GLOBAL_VNI
    case 'join':
      return judgeJoin(tenant, request.target, context)
    case 'isolate':
      return judgeIsolate(tenant, context)
    case 'unknown':
      return refuseWords(request.text)
  }
}

function judgeJoin(tenant: Tenant, target: string, { tenants }: RequestContext): number | Refusal {
  if (target === tenant.namespace) {
    return refusal('TENANT_SELF_JOIN', `namespace "${target}" cannot join itself`, 'name another namespace to join')
  }
  const found = tenants.get(target)
  if (found === undefined) {
    const message = `there is no namespace "${target}" that "${tenant.namespace}" could join`
    return refusal('TENANT_UNKNOWN_TARGET', message, 'compare the name with `weft tenant list`')
  }
  if (tenant.namespace !== 'default' || found.vni === GLOBAL_VNI) return found.vni
  return defaultStaysGlobal(`namespace "default" cannot join "${target}", which is not global`)
}

function judgeIsolate(tenant: Tenant, { pool, random }: RequestContext): number | Refusal {
  if (tenant.namespace === 'default') return defaultStaysGlobal('namespace "default" cannot be isolated')
  // Alone on its VNI is isolated already; a global tenant is not, even when it is the only one.
  if (tenant.vni !== GLOBAL_VNI && pool.users(tenant.vni) === 1) return tenant.vni
  try {
    return pool.allocate(random())
  } catch (error) {
    if (!(error instanceof IpamError)) throw error
    return refusal('TENANT_VNIS_EXHAUSTED', error.message, error.remedy)
  }
}

function refuseWords(words: string): Refusal {
  const quoted = JSON.stringify(words.length > 60 ? `${words.slice(0, 60)}…` : words)
  return refusal(
    'TENANT_UNKNOWN_ACTION',
    `${quoted} asks for nothing known`,
    'write global, isolate or join:<namespace>',
  )
}

/** The API server's service is in `default`: without it nothing works. */
function defaultStaysGlobal(asked: string): Refusal {
  const message = `${asked}: every pod needs the API server there`
  return refusal('TENANT_DEFAULT_MUST_BE_GLOBAL', message, 'leave it global; join or isolate the other namespaces')
}

function refusal(code: TenantErrorCode, message: string, remedy: string): Refusal {
  return { code, message, remedy }
}
