/**
 * What a measurement says, for people and for programs.
 * @module
 */
import type { Look } from '../text/look.ts'
import { planChecks, type Surroundings, type Verdict } from './checks.ts'
import { type Layout, netnsPath, podNetns } from './layout.ts'
import { measure } from './measure.ts'
import { drawPicture } from './picture.ts'
import { typedCommand } from './self.ts'
import { drawTable } from './table.ts'

/** The numbers of a measurement: the last line of `weft play --once --json`. */
export interface Summary {
  readonly nodes: number
  readonly pods: number
  /** Ordered pairs of pods. */
  readonly pairs: number
  /** Cells that are not as expected, those of nodes and the outside included. */
  readonly wrong: number
  /** Pairs of a pod with a node or the outside. */
  readonly others: number
  readonly probes: number
  readonly problems: readonly string[]
}

/** Measures everything in a playground. */
export function measureAll(layout: Layout, around: Surroundings): Promise<readonly Verdict[]> {
  return measure(planChecks(around), (place) => {
    if (place.type === 'node') return netnsPath(`${layout.prefix}-${place.name}`)
    const [namespace = '', name = ''] = place.key.split('/')
    return netnsPath(podNetns(layout, namespace, name))
  })
}

/** The numbers. */
export function summarize(around: Surroundings, verdicts: readonly Verdict[]): Summary {
  const pairs = verdicts.filter(({ check }) => check.kind === 'pod-pod').length
  return {
    nodes: around.nodes.length,
    pods: around.pods.length,
    pairs,
    wrong: verdicts.filter(({ problems }) => problems.length > 0).length,
    others: verdicts.length - pairs,
    probes: verdicts.reduce((sum, { probes }) => sum + probes.length, 0),
    problems: verdicts.flatMap(({ problems }) => problems),
  }
}

/** A cell as `weft play table --json` prints it. */
export function cellToJson({ check, probes, problems }: Verdict): object {
  const { kind, from, to, expected } = check
  return { kind, from, to, expected, probes, problems }
}

/** Picture and table as text. */
export function describe(around: Surroundings, verdicts: readonly Verdict[], look: Look): string {
  return [...drawPicture(around, look), '', ...drawTable(verdicts, look)].join('\n')
}

/** What to try now; every line works as typed. */
export function nextThings({ runDir }: Layout, name?: string): string {
  const things = THINGS.map(([command, why]) => [typedCommand(command, runDir, name), why] as const)
  const width = Math.max(...things.map(([command]) => command.length))
  return ['Next things to try:', ...things.map(([command, why]) => `  ${command.padEnd(width)}  # ${why}`)].join('\n')
}

const THINGS = [
  ['weft tenant join bank --to shop', 'two tenants become one'],
  ['weft play table', 'measure again'],
  ['weft tenant isolate bank', 'and part again: standing connections are cut'],
  ['weft tenant isolate default', 'refused, and why'],
  ['weft play pod add shop/new --node node1', 'one more pod, through the CNI plugin'],
  ['weft play exec shop/web -- ip addr', 'a program in a pod’s network'],
  ['weft play down', 'remove everything'],
] as const
