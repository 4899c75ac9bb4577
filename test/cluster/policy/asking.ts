/**
 * Questions of one pod, asked once.
 * @module
 */
import type { Pod } from '../../../src/network/model/pod.ts'
import { until } from '../../../src/playground/processes.ts'
import type { Cluster } from '../cluster.ts'
import type { Report } from '../report.ts'
import { Prober } from './prober.ts'
import { type Question, textOf } from './questions.ts'

/** So long everything may take to be as it should be: a busy machine is no policy. */
export const PATIENCE = 60_000

/** Whether it comes to be as expected, and a line for each that did not. */
export async function askOf(
  rig: Cluster,
  pod: Pick<Pod, 'namespace' | 'name'>,
  questions: readonly Question[],
  expected: readonly boolean[],
  patience = PATIENCE,
): Promise<readonly string[]> {
  const prober = new Prober(rig, pod)
  try {
    prober.aim(questions, expected)
    if (await until(() => prober.matching !== undefined, patience)) return []
    const results = prober.latest?.results ?? ''
    if (results === '') return [`${pod.namespace}/${pod.name} says nothing`]
    return questions.flatMap((question, i) =>
      results[i] === (expected[i] === true ? 'y' : 'n') ? [] : `${textOf(question)}: ${results[i]}`,
    )
  } finally {
    await prober.stop()
  }
}

/** Checks that it comes to be as expected. */
export async function checkAsked(
  rig: Cluster,
  report: Report,
  what: string,
  asked: Parameters<typeof askOf> extends [unknown, ...infer Rest] ? Rest : never,
): Promise<void> {
  const wrong = await askOf(rig, ...asked)
  report.check(wrong.length === 0, what)
  for (const line of wrong.slice(0, 6)) report.note(line)
}
