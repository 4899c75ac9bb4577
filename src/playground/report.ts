/**
 * What a measurement says, for people and for programs.
 * @module
 */
import type { Look } from '../text/look.ts'
import { wrap } from '../text/words.ts'
import { planChecks, type Surroundings, unmeasuredPods, type Verdict } from './checks.ts'
import { podKey } from './expect.ts'
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
  /** Pods that are not on the overlay: nothing is expected of these. */
  readonly unmeasured: readonly string[]
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
    unmeasured: unmeasuredPods(around).map(podKey),
  }
}

/** A cell as `weft play table --json` prints it. */
export function cellToJson({ check, probes, problems }: Verdict): object {
  const { kind, from, to, expected } = check
  return { kind, from, to, expected, probes, problems }
}

/** Picture and table as text. */
export function describe(around: Surroundings, verdicts: readonly Verdict[], look: Look): string {
  return [...drawPicture(around, look), '', ...drawTable(verdicts, look), ...unmeasured(around, look)].join('\n')
}

function unmeasured(around: Surroundings, look: Look): readonly string[] {
  const pods = unmeasuredPods(around)
  if (pods.length === 0) return []
  const names = pods.slice(0, MANY).map(podKey).join(', ')
  const more = pods.length > MANY ? ` and ${pods.length - MANY} more` : ''
  const line = `Not measured, as they are not on the overlay: ${names}${more}.`
  return wrap(line, look.width).map(look.quiet)
}

const MANY = 10

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
