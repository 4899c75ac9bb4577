/**
 * Who asks to join whom.
 * @module
 */
import type { TenantRequest } from '../network/model/tenant.ts'

/** Join requests by their target. */
export class Askers {
  readonly #targets = new Map<string, string>()
  readonly #askers = new Map<string, Set<string>>()

  /** What a tenant asks for now. */
  put(name: string, request: TenantRequest | undefined): void {
    const before = this.#targets.get(name)
    const target = request?.action === 'join' ? request.target : undefined
    if (target === before) return
    if (before !== undefined) this.#remove(name, before)
    if (target === undefined) return
    this.#targets.set(name, target)
    const askers = this.#askers.get(target) ?? new Set()
    this.#askers.set(target, askers.add(name))
  }

  /** Those who ask to join a target. */
  of(target: string): Iterable<string> {
    return this.#askers.get(target) ?? []
  }

  #remove(name: string, target: string): void {
    this.#targets.delete(name)
    const askers = this.#askers.get(target)
    askers?.delete(name)
    if (askers?.size === 0) this.#askers.delete(target)
  }
}
