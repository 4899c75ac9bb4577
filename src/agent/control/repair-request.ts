/**
 * What `weft audit --repair` asks of an agent: `POST /repair` with a {@link RepairRequest}, answered by a
 * {@link RepairAnswer}.
 *
 * A step names a thing and the state it should be in, never how: doing it twice changes nothing the second time. The
 * agent looks again before it acts, because what the audit saw may be gone by now, and touches nothing that it does
 * not recognise as Weft's.
 * @module
 */

/** One thing that an agent can put right. */
export type RepairStep =
  /**
   * Free an attachment as DEL does: flows, port, link, addresses. Refused while the pod's network namespace (the
   * lease's `netns`) still exists: then a pod is using it, whatever the registry says.
   */
  | { readonly op: 'release-lease'; readonly endpoint: string }
  /** Remove a port that has the name of one of our links and no lease, unless an ADD is just making it. */
  | { readonly op: 'remove-port'; readonly port: string }
  /** Remove a link of our link group that has no lease, unless an ADD is just making it. */
  | { readonly op: 'remove-link'; readonly link: string }
  /** Make the port of a lease what the lease says: on our bridge, with its OpenFlow number. */
  | { readonly op: 'put-port'; readonly endpoint: string }
  /** Bring bridge, own ports, addresses and routes to the plan. */
  | { readonly op: 'sync-host' }
  /** Have the kernel hold every limited pod to what was decided. */
  | { readonly op: 'sync-limits' }
  /** Compare the switch with the plan as a whole and correct it. The bridge is ours alone: foreign flows go. */
  | { readonly op: 'sync-flows' }

/** `POST /repair`. Steps are done in this order; one that fails does not stop those behind it. */
export interface RepairRequest {
  readonly plan: readonly RepairStep[]
}

/** What became of each step, in the request's order. */
export interface RepairAnswer {
  readonly results: readonly RepairResult[]
}

/** What became of a step. */
export interface RepairResult {
  /** Whether the thing is now as it should be; also when there was nothing left to do. */
  readonly done: boolean
  /** What was done, or why it was not. */
  readonly message: string
}
