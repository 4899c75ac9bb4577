/**
 * Cases as the e2e suite of Kubernetes has them (test/e2e/network/netpol), with the table of truth that each expects: all
 * allowed but what is said. Nothing here is computed by anybody's idea of policies.
 */
import type { Namespace, Pod } from '../../../src/network/model/pod.ts'
import type { Policy } from '../../../src/network/model/policy.ts'
import type { Connection } from '../../../src/network/policy/verdict.ts'
import { type Change, type PolicyCase, type Step, type World, worldWith } from './world.ts'

/** From whom, to whom, and whether. `x/a`, `x/*`, `any/a` and `*` name pods; of what contradicts the last counts. */
export type Cell = readonly [from: string, to: string, allowed: boolean]

/** A table of truth for some ports, such as `TCP/80` or `ICMP`. */
export interface Expectation {
  /** Absent: every port of every protocol. */
  readonly on?: readonly string[]
  readonly cells: readonly Cell[]
}

/** What happens, and the tables that hold from then on: of those that name a port the last counts. */
export interface Stage {
  readonly about: string
  readonly steps?: readonly Step[]
  readonly expect: readonly Expectation[]
}

/** A case; its first stage is the beginning. */
export interface E2eCase {
  readonly name: string
  readonly policies: readonly Policy[]
  readonly namespaces?: readonly Namespace[]
  readonly pods?: readonly Pod[]
  readonly stages: readonly Stage[]
}

/** The case as engines run it. */
export function caseOf({ name, policies, namespaces, pods, stages }: E2eCase): PolicyCase {
  const change: Partial<World> = {
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(pods === undefined ? {} : { pods }),
  }
  const changes: readonly Change[] = stages.slice(1).map(({ about, steps = [] }) => ({ about, steps }))
  return { name, start: worldWith(policies, change), changes }
}

/** Whether a stage expects a connection between two pods to be allowed. */
export function isExpected({ expect }: Stage, { source, destination, protocol, port }: Connection): boolean {
  if (source.type !== 'pod' || destination.type !== 'pod') throw new Error('the tables are about pods')
  const question = protocol === 'ICMP' ? 'ICMP' : `${protocol}/${port}`
  const table = expect.findLast(({ on }) => on === undefined || on.includes(question))
  const cell = table?.cells.findLast(([from, to]) => names(from, source.pod) && names(to, destination.pod))
  return cell?.[2] ?? true
}

function names(pattern: string, { namespace, name }: Pod): boolean {
  if (pattern === '*') return true
  const [where, who] = pattern.split('/')
  return (where === 'any' || where === namespace) && (who === '*' || who === name)
}
