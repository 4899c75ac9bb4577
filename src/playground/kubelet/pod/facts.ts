/**
 * What a kubelet knows of a pod that it runs.
 * @module
 */
import type { Ip } from '../../../network/model/address.ts'
import type { RunEnd } from '../container/files.ts'
import { type ProbeKind, type ProbeState, UNPROBED } from './probe.ts'

/** A container's latest run; `attempt` counts from 0, `streak` the crashes in a row before it. */
export type RunState =
  | { readonly kind: 'none' }
  | { readonly kind: 'starting'; readonly attempt: number; readonly id: string; readonly streak: number }
  | RunningState
  | ExitedState

export interface RunningState {
  readonly kind: 'running'
  readonly attempt: number
  readonly id: string
  readonly streak: number
  readonly pid: number
  readonly startedAt: number
}

export interface ExitedState {
  readonly kind: 'exited'
  readonly attempt: number
  readonly id: string
  readonly streak: number
  readonly end: RunEnd
}

/** A container. */
export interface ContainerFacts {
  readonly run: RunState
  /** The run before the latest. */
  readonly before: ExitedState | undefined
  readonly probes: Readonly<Record<ProbeKind, ProbeState>>
  /** Why it could not be started, and when the next try is. */
  readonly blocked: Blocked | undefined
}

export interface Blocked {
  readonly reason: string
  readonly message: string
  readonly until: number
}

/** The pod's network: not there yet, there, gone under running containers, or the node's own. */
export type SandboxState = 'none' | 'ready' | 'lost' | 'host'

/** A pod. */
export interface Facts {
  readonly sandbox: SandboxState
  /** Set while a failed attempt to make or remove the sandbox is not to be repeated yet. */
  readonly sandboxBlocked: Blocked | undefined
  readonly podIps: readonly Ip[]
  readonly hostIps: readonly Ip[]
  readonly containers: ReadonlyMap<string, ContainerFacts>
}

export const NO_PROBES: ContainerFacts['probes'] = { startup: UNPROBED, liveness: UNPROBED, readiness: UNPROBED }

/** A container that has never run. */
export const UNSTARTED: ContainerFacts = {
  run: { kind: 'none' },
  before: undefined,
  probes: NO_PROBES,
  blocked: undefined,
}

export function factsOf(facts: Facts, container: string): ContainerFacts {
  return facts.containers.get(container) ?? UNSTARTED
}
