/**
 * Who may talk to whom: every namespace has a virtual network id (VNI). Namespaces of the same VNI reach each other;
 * VNI 0 is global: it reaches and is reached by all.
 * @module
 */

/** The VNI that reaches and is reached by all. */
export const GLOBAL_VNI = 0
/** The first VNI that is given out; 1–9 are reserved (k8s-ovs and OpenShift SDN do the same). */
export const MIN_VNI = 10
/** The last VNI: 24 bits. */
export const MAX_VNI = 0xffffff

/**
 * What somebody asked of a tenant. `id` tells one request from the next. A request that is granted is taken away by
 * the write that grants it; one that is refused stays, and is judged again whenever what it depends on changes.
 */
export type TenantRequest =
  | { readonly id: string; readonly action: 'join'; readonly target: string }
  | { readonly id: string; readonly action: 'isolate' }
  | { readonly id: string; readonly action: 'global' }
  /** Words that nobody understands: they are there to be refused by name. */
  | { readonly id: string; readonly action: 'unknown'; readonly text: string }

/** What became of the request with this id: the last one granted, or the one that is there and refused. */
export type TenantOutcome =
  | { readonly id: string; readonly accepted: true }
  | {
      readonly id: string
      readonly accepted: false
      readonly code: string
      readonly message: string
      readonly remedy: string
    }

/** A namespace's place in the overlay. */
export interface Tenant {
  readonly namespace: string
  /** The namespace's uid: a later namespace of the same name starts anew. Absent: any of that name. */
  readonly uid?: string
  readonly vni: number
  readonly request?: TenantRequest
  readonly outcome?: TenantOutcome
}
