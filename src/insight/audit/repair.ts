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
  /** Compare the switch with the plan as a whole and correct it. Flows whose cookie is not ours stay. */
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

/** A node's part of a repair. */
export interface NodeRepair {
  readonly node: string
  readonly steps: readonly RepairStep[]
}

/** First what frees things, then what adds them, flows last: they follow ports and leases. */
const ORDER: readonly RepairStep['op'][] = [
  'release-lease',
  'remove-port',
  'remove-link',
  'put-port',
  'sync-host',
  'sync-flows',
]

/** The plan for findings: each step once, per node, in the order in which they are to be done. */
export function repairPlan(
  findings: readonly { readonly node: string; readonly step: RepairStep | undefined }[],
): readonly NodeRepair[] {
  const nodes = new Map<string, Map<string, RepairStep>>()
  for (const { node, step } of findings) {
    if (step === undefined) continue
    const steps = nodes.get(node) ?? new Map<string, RepairStep>()
    nodes.set(node, steps.set(JSON.stringify(step), step))
  }
  return [...nodes].map(([node, steps]) => ({
    node,
    steps: [...steps.values()].sort((a, b) => ORDER.indexOf(a.op) - ORDER.indexOf(b.op)),
  }))
}

/** A step in words. */
export function describeStep(step: RepairStep): string {
  switch (step.op) {
    case 'release-lease':
      return `free the attachment ${step.endpoint}, unless its network namespace still exists`
    case 'remove-port':
      return `remove the port ${step.port} from the bridge`
    case 'remove-link':
      return `remove the link ${step.link}`
    case 'put-port':
      return `put the port of ${step.endpoint} back as its lease says`
    case 'sync-host':
      return 'bring the bridge and its own ports to the plan'
    case 'sync-flows':
      return 'bring the switch’s flows to the plan'
  }
}
