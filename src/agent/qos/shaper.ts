/**
 * Where endpoints are shaped. What a pod receives waits on the node's end of its link, on every datapath. What it sends waits
 * on the node where that is possible (`on-node.ts`), else inside the pod (`inside-pod.ts`).
 * @module
 */
import { linkFind, type RtnlSocket } from '../../linux/index.ts'
import type { Direction, Limits } from '../../network/model/bandwidth.ts'
import { type Bucket, shapingOf } from '../../network/qos/shaping.ts'
import type { Lease } from '../attach/lease.ts'
import { insidePod } from './inside-pod.ts'
import { onNode } from './on-node.ts'
import { bucketIn, type Outcome, type Standing, setBucket } from './tc.ts'

/** What the kernel holds an endpoint to, and what passed so far. */
export type InForce = { readonly [D in Direction]?: Standing }

/** The endpoints of a namespace on a node. */
export interface Group {
  /** The number of their class; see `groupNumbers`. */
  readonly number: number
  /** What they are held to together; undefined while it is not known: what stands stays. */
  readonly limits: Limits | undefined
}

/** How a shaping is applied. `nsFd`: the pod's namespace, where somebody has it open. `force` waits for nothing. */
export interface ApplyOptions {
  readonly nsFd?: number
  readonly force?: boolean
  readonly group?: Group
}

/** Where what pods send is shaped. `outside` is the index of the node's end of a pod's link. */
export interface SenderSide {
  set(lease: Lease, outside: number, bucket: Bucket | undefined, options: ApplyOptions): Outcome
  standing(lease: Lease, outside: number): Standing | undefined
  /** What a group is held to. */
  total(direction: Direction, group: number): Standing | undefined
  /** What is kept elsewhere than on pods' own links goes, but for these. */
  sweep(standing: readonly Lease[]): void
}

/** Shapes endpoints. */
export class Shaper {
  readonly #rtnl: RtnlSocket
  readonly #datapath: 'system' | 'netdev'
  readonly #senders: { readonly [D in 'system' | 'netdev']: SenderSide }

  /** `datapath`: of the overlay's bridge. */
  constructor(rtnl: RtnlSocket, datapath: 'system' | 'netdev') {
    this.#rtnl = rtnl
    this.#datapath = datapath
    this.#senders = { system: onNode(rtnl), netdev: insidePod }
  }

  /**
   * Makes the kernel hold an endpoint to its limits; takes ours away where it has none, as soon as nothing waits in it.
   * A link that is gone is no error. Throws AGENT_POD_UNREACHABLE, LinuxError.
   */
  apply(lease: Lease, options: ApplyOptions = {}): Outcome {
    const outside = linkFind(this.#rtnl, lease.link)
    if (outside === undefined) return 'settled'
    const { toPod, fromPod } = shapingOf(lease.endpoint, lease.link, lease.mtu)?.buckets ?? {}
    const outcomes = [
      setBucket(this.#rtnl, outside.index, toPod, options.force),
      this.#senderOf(lease).set(lease, outside.index, fromPod, options),
    ]
    return outcomes.includes('draining') ? 'draining' : 'settled'
  }

  /** What the kernel holds an endpoint to. Throws as {@link apply} does. */
  inForce(lease: Lease): InForce {
    const outside = linkFind(this.#rtnl, lease.link)
    if (outside === undefined) return {}
    const toPod = bucketIn(this.#rtnl, outside.index)
    const fromPod = this.#senderOf(lease).standing(lease, outside.index)
    return { ...(toPod === undefined ? {} : { toPod }), ...(fromPod === undefined ? {} : { fromPod }) }
  }

  /** What a group is held to together. */
  totalInForce(group: number): InForce {
    const sender = this.#senders[this.#datapath]
    const toPod = sender.total('toPod', group)
    const fromPod = sender.total('fromPod', group)
    return { ...(toPod === undefined ? {} : { toPod }), ...(fromPod === undefined ? {} : { fromPod }) }
  }

  /** Removes what endpoints that are gone have left elsewhere than on their own links. */
  sweep(standing: readonly Lease[]): void {
    for (const sender of Object.values(this.#senders)) sender.sweep(standing)
  }

  #senderOf({ wire }: Lease): SenderSide {
    return this.#senders[wire?.datapath ?? this.#datapath]
  }
}
