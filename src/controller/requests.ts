/**
 * What becomes of a request to join, isolate or globalise a tenant. The actions are those of k8s-ovs and of
 * `oc adm pod-network`.
 * @module
 */
import { IpamError } from '../ipam/errors.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { GLOBAL_VNI, type Tenant, type TenantRequest } from '../network/model/tenant.ts'
import type { Notice } from './write.ts'

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
  readonly tenancy: Cluster['tenancy']
  /** The VNI of the tenant to join; undefined when there is no such namespace, `later` when that is not decided yet. */
  vniOf(target: string): number | 'later' | undefined
  /** How many tenants have a VNI. */
  users(vni: number): number
  /** A VNI that nobody has. Throws an IpamError. */
  allocate(): number
}

/** Why a request was refused, with a stable code. */
export type Refusal = Notice & { readonly code: TenantErrorCode }

/** The VNI that a request is granted; a refusal; or `later`: it must wait for what it depends on. */
export function judge(tenant: Tenant, request: TenantRequest, context: RequestContext): number | 'later' | Refusal {
  if (context.tenancy === 'subnet') return refuseInSubnetMode()
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

/** The tenant with its request granted: it has the VNI, and asks for nothing any more. */
export function granted(tenant: Tenant, request: TenantRequest, vni: number): Tenant {
  const { request: _, ...rest } = tenant
  return { ...rest, vni, outcome: { id: request.id, accepted: true } }
}

/** The tenant with its request refused: it stays, with the reason beside it. */
export function refused(tenant: Tenant, request: TenantRequest, { code, message, remedy }: Refusal): Tenant {
  return { ...tenant, outcome: { id: request.id, accepted: false, code, message, remedy } }
}

function judgeJoin(tenant: Tenant, target: string, context: RequestContext): number | 'later' | Refusal {
  const shown = shortly(target)
  if (target === tenant.namespace) {
    return refusal('TENANT_SELF_JOIN', `namespace ${shown} cannot join itself`, 'name another namespace to join')
  }
  const vni = context.vniOf(target)
  if (vni === undefined) {
    const message = `there is no namespace ${shown} that "${tenant.namespace}" could join`
    return refusal('TENANT_UNKNOWN_TARGET', message, 'compare the name with `weft tenant list`')
  }
  if (tenant.namespace !== 'default' || vni === 'later' || vni === GLOBAL_VNI) return vni
  return defaultStaysGlobal(`namespace "default" cannot join ${shown}, which is not global`)
}

function judgeIsolate(tenant: Tenant, context: RequestContext): number | Refusal {
  if (tenant.namespace === 'default') return defaultStaysGlobal('namespace "default" cannot be isolated')
  // Alone on its VNI is isolated already; a global tenant is not, even when it is the only one.
  if (tenant.vni !== GLOBAL_VNI && context.users(tenant.vni) === 1) return tenant.vni
  try {
    return context.allocate()
  } catch (error) {
    if (!(error instanceof IpamError)) throw error
    return refusal('TENANT_VNIS_EXHAUSTED', error.message, error.remedy)
  }
}

function refuseInSubnetMode(): Refusal {
  return refusal(
    'TENANT_TENANCY_IS_SUBNET',
    'this cluster does not isolate namespaces: every pod reaches every pod',
    'make the cluster multitenant: pluginName of ClusterNetwork default',
  )
}

function refuseWords(words: string): Refusal {
  const remedy = 'write global, isolate or join:<namespace>'
  return refusal('TENANT_UNKNOWN_ACTION', `${shortly(words)} asks for nothing that is known`, remedy)
}

/** The API server's service is in `default`: without it nothing works. */
function defaultStaysGlobal(asked: string): Refusal {
  const message = `${asked}: every pod needs the API server there`
  return refusal('TENANT_DEFAULT_MUST_BE_GLOBAL', message, 'leave it global; join or isolate the other namespaces')
}

function refusal(code: TenantErrorCode, message: string, remedy: string): Refusal {
  return { code, message, remedy }
}

/** Somebody's words, never longer than fits a sentence. */
function shortly(words: string): string {
  return JSON.stringify(words.length > 80 ? `${words.slice(0, 80)}…` : words)
}
