/**
 * Whether revisions still count the same history. An etcd that lost its data starts again from the beginning, and a list
 * of members may by mistake lead into two clusters: a revision of one means nothing in the other.
 * @module
 */
import { expired } from './errors.ts'

/** Which cluster answers, as its answers tell. */
export class ClusterHistory {
  #cluster: string | undefined
  #number = 0

  /** Grows whenever another cluster answers than before. */
  get number(): number {
    return this.#number
  }

  /** Notes the cluster of an answer; one without a name says nothing. */
  met(cluster: string | undefined): void {
    if (cluster === undefined || cluster === this.#cluster) return
    if (this.#cluster !== undefined) this.#number += 1
    this.#cluster = cluster
  }

  /** Throws `ETCD_EXPIRED` when another cluster answers than at a number. */
  expectSame(number: number): void {
    if (number !== this.#number) throw expired('another etcd cluster answers than before: its history is another one')
  }

  /** Throws `ETCD_EXPIRED` when a revision is not reached yet. */
  expectReached(after: number, present: number): void {
    if (present < after) throw expired(`etcd is at revision ${present}, before ${after}: its history is another one`)
  }
}
