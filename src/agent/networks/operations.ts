/**
 * One operation at a time for each sandbox.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import type { NetworkRecord } from './record.ts'

type Operation = Pick<NetworkRecord, 'containerId' | 'ifname' | 'program'>

/**
 * Sandboxes with an operation under way, by the name we were called by: a program that we run for a pod may call us again
 * for an IPAM plugin of ours.
 */
export class Operations {
  readonly #busy = new Set<string>()

  /** Whether one is under way. */
  has(call: Operation): boolean {
    return this.#busy.has(keyOf(call))
  }

  /** Does it, alone. Throws `attachment-in-progress` where another is under way. */
  async exclusive<T>(call: Operation, work: () => Promise<T>): Promise<T> {
    const { containerId: container, ifname } = call
    const key = keyOf(call)
    if (this.#busy.has(key)) throw cniError('attachment-in-progress', { container, ifname })
    this.#busy.add(key)
    try {
      return await work()
    } finally {
      this.#busy.delete(key)
    }
  }
}

function keyOf({ containerId, program }: Operation): string {
  return `${containerId} ${program}`
}
