/**
 * Whether limited pods are as fast as they may be, and no faster, judged on their interfaces' counters over ten seconds.
 * @module
 */
import { ok } from 'node:assert/strict'
import { DIRECTIONS, type Direction } from '../../src/network/model/bandwidth.ts'
import { measure, startBulk } from '../lab/bulk.ts'
import type { Lab } from '../lab/lab.ts'
import { shown } from '../lab/limits.ts'
import type { StepContext } from '../lab/scenario.ts'

export const TEN_MEGABIT = 10_000_000
/** What the issue allows, and over which time. */
export const MOST_ERROR = 0.05
const TEN_SECONDS = 10_000
/** A machine that is busy otherwise makes a stream slower than it may be: measured again, not for ever. */
const TRIES = 5
/** Pods with the partner that their traffic is with: on the same node, and across. */
export const PAIRS = [
  { pod: 'shop/web', partner: 'shop/cart', where: 'on one node' },
  { pod: 'shop/db', partner: 'shop/cart', where: 'across nodes' },
] as const

/** Both ways at once; what was too slow once more by itself, with two streams: then nobody's answers stand in its way. */
export async function rates({ lab, say }: StepContext, family: 4 | 6): Promise<void> {
  const all = PAIRS.flatMap((pair) => DIRECTIONS.map((direction): Course => ({ pair, direction })))
  let left = await slowOf(lab, say, all, family, 1)
  for (let attempt = 2; left.length > 0; attempt += 1) {
    ok(attempt <= TRIES, `too slow, ${TRIES} times: ${left.map(({ pair, direction }) => `${pair.pod} ${direction}`)}`)
    const slow: Course[] = []
    for (const course of left) slow.push(...(await slowOf(lab, say, [course], family, 2)))
    left = slow
  }
}

/** Traffic of a pod in one direction. */
interface Course {
  readonly pair: (typeof PAIRS)[number]
  readonly direction: Direction
}

/** Has these courses run at once, from the first byte on; those that were too slow. */
async function slowOf(
  lab: Lab,
  say: (line: string) => void,
  courses: readonly Course[],
  family: 4 | 6,
  streams: number,
): Promise<readonly Course[]> {
  const ran = await Promise.all(
    courses.map(async (course) => ({ course, rate: await rateOf(lab, course, family, streams) })),
  )
  return ran.flatMap(({ course, rate }) => {
    const { pod, partner, where } = course.pair
    const [from, to] = course.direction === 'toPod' ? [partner, pod] : [pod, partner]
    say(`${where}: ${from} → ${to} ${shown(rate)}`)
    // Too fast is never the machine's fault.
    ok(rate < TEN_MEGABIT * (1 + MOST_ERROR), `${shown(rate)} is too fast`)
    return rate > TEN_MEGABIT * (1 - MOST_ERROR) ? [] : [course]
  })
}

/** What the pod's interface counts in ten seconds. */
async function rateOf(lab: Lab, { pair, direction }: Course, family: 4 | 6, streams: number): Promise<number> {
  const [own, other] = [lab.fd(lab.netns(pair.pod)), lab.fd(lab.netns(pair.partner))]
  const [from, fd, to] = direction === 'toPod' ? [other, own, pair.pod] : [own, other, pair.partner]
  const measured = measure(own, TEN_SECONDS)
  const target = { fd, address: lab.address(to, family) }
  const open = await Promise.all(Array.from({ length: streams }, () => startBulk(from, target)))
  const { received, sent } = await measured
  for (const one of open) one.close()
  return direction === 'toPod' ? received : sent
}
