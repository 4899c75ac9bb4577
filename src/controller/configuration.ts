/**
 * The cluster's configuration in force, and the one that the registry has: a change that takes away what somebody lives
 * by is not followed for as long as it does. Agents come to the same conclusion.
 *
 * After a restart nothing is remembered: then the registry's holds, and machines that do not fit it are named one by one.
 * @module
 */
import { changeObstacles } from '../network/cluster-change.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Notice } from './write.ts'

/** The configuration in force. */
export class Configuration {
  readonly #machines: () => Iterable<NodeNetwork>
  #inForce: Cluster | undefined
  #wanted: Cluster | undefined
  #refusal: Notice | undefined

  constructor(machines: () => Iterable<NodeNetwork>) {
    this.#machines = machines
  }

  get inForce(): Cluster | undefined {
    return this.#inForce
  }

  /** Why the registry's configuration is not the one in force. */
  get refusal(): Notice | undefined {
    return this.#refusal
  }

  /** The registry has another one, or none: then nothing is decided. */
  want(cluster: Cluster | undefined): void {
    this.#wanted = cluster
    this.judge()
  }

  /** Machines changed, which may remove what was in the way. */
  judge(): void {
    const reasons =
      this.#wanted === undefined || this.#inForce === undefined
        ? []
        : changeObstacles(this.#inForce, this.#wanted, { machines: this.#machines(), services: [] })
    this.#refusal = reasons.length === 0 ? undefined : refusalOf(reasons)
    if (this.#refusal === undefined) this.#inForce = this.#wanted
  }
}

/** As many reasons are told; the others are counted. */
const MOST_REASONS = 3

function refusalOf(reasons: readonly string[]): Notice {
  const more = reasons.length > MOST_REASONS ? [`and ${reasons.length - MOST_REASONS} more`] : []
  return {
    code: 'CLUSTER_CHANGE_REFUSED',
    message: `the change is not followed: ${[...reasons.slice(0, MOST_REASONS), ...more].join('; ')}`,
    remedy: 'take the change back, or first remove the nodes that it leaves out',
  }
}
