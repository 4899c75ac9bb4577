/**
 * Which virtual network id each tenant has. Pure: the caller brings the chance.
 * @module
 */
import { GLOBAL_VNI, MAX_VNI, MIN_VNI } from '../network/model/tenant.ts'
import { BusySet } from './busy-set.ts'
import { IpamError } from './errors.ts'

/**
 * The VNIs from 10 to 2^24 − 1, each with the number of its users. The global VNI and the reserved ones can have users
 * too, but are never given out.
 */
export class VniPool {
  readonly #min: number
  readonly #max: number
  readonly #busy: BusySet
  readonly #users = new Map<number, number>()
  /** Not given out as long as there are others. */
  readonly #avoided = new Set<number>()

  constructor(min: number = MIN_VNI, max: number = MAX_VNI) {
    this.#min = min
    this.#max = max
    this.#busy = new BusySet(max - min + 1)
  }

  /**
   * A VNI without users, which then has one: the first from a place that `chance` (0 up to 1) points to. One that is
   * avoided only when there is no other. Throws `IPAM_VNIS_EXHAUSTED`.
   */
  allocate(chance: number): number {
    const size = this.#max - this.#min + 1
    const start = Math.min(size - 1, Math.max(0, Math.floor(chance * size)))
    const offset = this.#nextFree(start) ?? (this.#giveUpAvoiding() ? this.#nextFree(start) : undefined)
    if (offset === undefined) {
      throw new IpamError('IPAM_VNIS_EXHAUSTED', 'range is full: every VNI is taken', 'join namespaces, or delete some')
    }
    const vni = this.#min + offset
    this.share(vni)
    return vni
  }

  /** Adds a user to a VNI, which may be anybody's. Throws `IPAM_OUTSIDE` when it is none. */
  share(vni: number): void {
    if (!Number.isInteger(vni) || vni < GLOBAL_VNI || vni > this.#max) {
      throw new IpamError('IPAM_OUTSIDE', `${vni} is no VNI`, `choose one from ${this.#min} to ${this.#max}`)
    }
    this.#users.set(vni, this.users(vni) + 1)
    if (vni >= this.#min) this.#busy.add(vni - this.#min)
  }

  /** Takes a user from a VNI; without one it is free again. Throws `IPAM_NOT_TAKEN` when it had none. */
  release(vni: number): void {
    const users = this.users(vni)
    if (users === 0) throw new IpamError('IPAM_NOT_TAKEN', `nobody has the VNI ${vni}`, 'nothing to do')
    if (users > 1) {
      this.#users.set(vni, users - 1)
      return
    }
    this.#users.delete(vni)
    if (vni >= this.#min && !this.#avoided.has(vni)) this.#busy.delete(vni - this.#min)
  }

  /** Gives a VNI out no more as long as there are others: somebody may turn up who has it. It gets no user by that. */
  avoid(vni: number): void {
    if (vni < this.#min || vni > this.#max) return
    this.#avoided.add(vni)
    this.#busy.add(vni - this.#min)
  }

  /** How many users a VNI has. */
  users(vni: number): number {
    return this.#users.get(vni) ?? 0
  }

  #nextFree(start: number): number | undefined {
    return this.#busy.nextFree(start) ?? this.#busy.nextFree(0)
  }

  /** False when nothing was avoided. */
  #giveUpAvoiding(): boolean {
    const isAny = this.#avoided.size > 0
    for (const vni of this.#avoided) if (this.users(vni) === 0) this.#busy.delete(vni - this.#min)
    this.#avoided.clear()
    return isAny
  }
}
