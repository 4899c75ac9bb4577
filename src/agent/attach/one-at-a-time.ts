/**
 * One operation on an attachment at a time: a runtime that calls twice at once is told to come again.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import { endpointId } from '../../network/model/endpoint.ts'

/** Attachments with an operation under way. */
export class OneAtATime {
  readonly #busy = new Set<string>()

  /** Their ids: nobody else's business yet. */
  get busy(): ReadonlySet<string> {
    return this.#busy
  }

  /** Does an operation of a runtime's. Throws `attachment-in-progress` while there is another. */
  async exclusive<T>(
    { containerId: container, ifname }: { readonly containerId: string; readonly ifname: string },
    work: () => Promise<T>,
  ): Promise<T> {
    const id = endpointId(container, ifname)
    if (this.#busy.has(id)) throw cniError('attachment-in-progress', { container, ifname })
    return await this.#alone(id, work)
  }

  /** Does something to an attachment that no operation may disturb; leaves it alone while one is under way. */
  async whenIdle(id: string, work: () => Promise<void>): Promise<void> {
    if (!this.#busy.has(id)) await this.#alone(id, work)
  }

  async #alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#busy.add(id)
    try {
      return await work()
    } finally {
      this.#busy.delete(id)
    }
  }
}
