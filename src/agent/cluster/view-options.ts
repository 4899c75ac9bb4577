/**
 * What a view of the cluster is made with.
 * @module
 */
import type { NodeContext } from '../../network/context.ts'
import type { NodePlanner } from '../../network/planner.ts'

/** What changed, for whoever applies the plan. */
export interface ViewListener {
  /** The node has a plan, or its context (cluster, ranges, MTU) is another: everything is to be applied anew. */
  context(planner: NodePlanner): void
  /** Of other ranges of the node's own than before nothing is given any more: the plan is what it was. */
  closing?(): void
  /** Some fragments changed. */
  fragments(): void
  /** A namespace has another tenant, or none any more. */
  tenant?(namespace: string): void
}

/** How a view differs from a node's on the userspace datapath. */
export interface ViewOptions {
  /** An external host's: only its kinds (`KINDS_OF_EXTERNAL`) are read. */
  readonly isExternal?: boolean
  readonly datapath?: NodeContext['datapath']
  /** Why a cluster configuration that is there was not understood, as far as anybody knows. */
  readonly whyUnreadable?: () => string | undefined
}
