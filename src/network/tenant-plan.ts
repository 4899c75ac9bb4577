/**
 * Which pods are here, and of which tenant: a fragment for each pod's interface, and one for each VNI that has some.
 * @module
 */
import type { NodeContext } from './context.ts'
import { endpointFragment } from './fragments/endpoint.ts'
import { endpointKey, type Fragment, vniKey } from './fragments/fragment.ts'
import { vniFragment } from './fragments/vni.ts'
import type { Endpoint } from './model/endpoint.ts'
import { GLOBAL_VNI } from './model/tenant.ts'

/** Endpoints and tenants as one node needs them. */
export class TenantPlan {
  readonly #context: () => NodeContext
  readonly #set: (key: string, fragment: Fragment | undefined) => void
  readonly #presenceChanged: (vni: number) => void
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #endpointsByNamespace = new Map<string, Set<string>>()
  readonly #vnis = new Map<string, number>()
  /** Endpoints per VNI on this node. */
  readonly #members = new Map<number, number>()

  /** `set` takes the fragments that change; `presenceChanged` is told of tenants that got their first pod here, or lost the last. */
  constructor(
    context: () => NodeContext,
    set: (key: string, fragment: Fragment | undefined) => void,
    presenceChanged: (vni: number) => void = () => undefined,
  ) {
    this.#context = context
    this.#set = set
    this.#presenceChanged = presenceChanged
  }

  /** Whether a tenant has pods here. */
  isHere(vni: number): boolean {
    return this.#members.has(vni)
  }

  putTenant(namespace: string, vni: number): void {
    this.#changeTenant(namespace, () => this.#vnis.set(namespace, vni))
  }

  removeTenant(namespace: string): void {
    this.#changeTenant(namespace, () => this.#vnis.delete(namespace))
  }

  /** The VNI of a namespace, or undefined while it has none. */
  vniOf(namespace: string): number | undefined {
    return this.#vnis.get(namespace)
  }

  /** An endpoint was attached. Without a VNI for its namespace it has no flows. */
  putEndpoint(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.id, endpoint)
    const siblings = this.#endpointsByNamespace.get(endpoint.namespace)
    if (siblings === undefined) this.#endpointsByNamespace.set(endpoint.namespace, new Set([endpoint.id]))
    else siblings.add(endpoint.id)
    this.#enter(endpoint)
  }

  removeEndpoint(id: string): void {
    const endpoint = this.#endpoints.get(id)
    if (endpoint === undefined) return
    this.#leave(endpoint)
    this.#endpoints.delete(id)
    const siblings = this.#endpointsByNamespace.get(endpoint.namespace)
    siblings?.delete(id)
    if (siblings?.size === 0) this.#endpointsByNamespace.delete(endpoint.namespace)
  }

  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values()
  }

  /** The node's context is another. */
  replan(): void {
    for (const endpoint of this.#endpoints.values()) this.#plan(endpoint)
  }

  #changeTenant(namespace: string, change: () => void): void {
    const ids = this.#endpointsByNamespace.get(namespace) ?? []
    const endpoints = [...ids].flatMap((id) => this.#endpoints.get(id) ?? [])
    for (const endpoint of endpoints) this.#leave(endpoint)
    change()
    for (const endpoint of endpoints) this.#enter(endpoint)
  }

  #enter(endpoint: Endpoint): void {
    const vni = this.#vnis.get(endpoint.namespace)
    if (vni !== undefined) this.#count(vni, 1)
    this.#plan(endpoint)
  }

  #leave(endpoint: Endpoint): void {
    const vni = this.#vnis.get(endpoint.namespace)
    if (vni !== undefined) this.#count(vni, -1)
    this.#set(endpointKey(endpoint.id), undefined)
  }

  #plan(endpoint: Endpoint): void {
    const vni = this.#vnis.get(endpoint.namespace)
    const fragment = vni === undefined ? undefined : endpointFragment(this.#context(), endpoint, vni)
    this.#set(endpointKey(endpoint.id), fragment)
  }

  #count(vni: number, by: 1 | -1): void {
    const before = this.#members.get(vni) ?? 0
    const members = before + by
    if (members === 0) this.#members.delete(vni)
    else this.#members.set(vni, members)
    if (vni !== GLOBAL_VNI) this.#set(vniKey(vni), members === 0 ? undefined : vniFragment(vni))
    if (before === 0 || members === 0) this.#presenceChanged(vni)
  }
}
