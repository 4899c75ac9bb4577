/**
 * What is around an agent, and what it tells there of itself.
 * @module
 */
import type { InvalidTeller } from '../kube/invalid.ts'
import type { NodeResources } from './bridges/node-resources.ts'
import type { AnnotatePod } from './networks/status-writer.ts'
import type { PodNotices } from './notices.ts'

/** How far an agent is. */
export interface AgentState {
  /** What is missing before pods can be attached, for people; empty when it serves. */
  readonly waitingFor: readonly string[]
  /** Whether the bridge answers. */
  readonly hasSwitch: boolean
}

/** What is around an agent, where there is such. */
export interface AgentSurroundings {
  /**
   * Is told again and again how far it is, twice a second, also when nothing changed: it hears nothing more from an agent
   * that is stuck.
   */
  readonly onState?: (state: AgentState) => void
  /** For the owners of pods. */
  readonly notices?: PodNotices
  /** Sets annotations of pods. */
  readonly annotate?: AnnotatePod
  /** Where the cluster counts the node's bridges. */
  readonly resources?: NodeResources
  readonly invalid?: InvalidTeller
}
