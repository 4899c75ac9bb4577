/**
 * The tenants of the cluster, and those who wait for one.
 * @module
 */
import type { Tenant } from '../../network/model/tenant.ts'

/** The tenants of the cluster, by namespace. */
export class Tenants {
  readonly #tenants = new Map<string, Tenant>()
  readonly #waiters = new Set<() => void>()

  values(): Iterable<Tenant> {
    return this.#tenants.values()
  }

  /** Whether this is news. */
  put(tenant: Tenant): boolean {
    const before = this.#tenants.get(tenant.namespace)
    this.#tenants.set(tenant.namespace, tenant)
    if (before?.vni === tenant.vni) return false
    for (const wake of this.#waiters) wake()
    return true
  }

  remove(namespace: string): void {
    this.#tenants.delete(namespace)
  }

  /** The VNI of a namespace; waits up to `timeoutMs` for one that is being made. */
  async vniOf(namespace: string, timeoutMs: number): Promise<number | undefined> {
    const known = this.#tenants.get(namespace)?.vni
    if (known !== undefined) return known
    await new Promise<void>((resolve) => {
      const done = () => {
        if (this.#tenants.has(namespace)) finish()
      }
      const finish = () => {
        clearTimeout(timer)
        this.#waiters.delete(done)
        resolve()
      }
      const timer = setTimeout(finish, timeoutMs)
      this.#waiters.add(done)
    })
    return this.#tenants.get(namespace)?.vni
  }
}
