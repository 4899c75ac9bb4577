import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ip } from '../../network/model/address.ts'
import { QUESTIONS_PER_SECOND, type Question, TunnelHealth } from './health.ts'
import { type ToldTunnel, tunnelProblems } from './words.ts'

const VXLAN = { type: 'vxlan', port: 4789 } as const
const FULL = 1450
const TICK = 250
const BUDGET = (QUESTIONS_PER_SECOND * TICK) / 1000

/** What becomes of questions. */
interface Wire {
  /** Whether a packet of so many bytes comes back from this address; 0: a small one. */
  carries(end: string, bytes: number): boolean
}

/** A node's life in steps of a tick. */
class Life {
  now = 0
  readonly asked: { readonly at: number; readonly question: Question }[] = []
  readonly health: TunnelHealth
  readonly #wire: Wire

  constructor(machines: number, wire: Wire, isReady = true) {
    let nonce = 0n
    this.health = new TunnelHealth({ random: () => 0.5, nonce: () => (nonce += 1n) })
    this.#wire = wire
    const ends = Array.from({ length: machines }, (_, i) => ({ node: `node${i + 2}`, end: address(i), isReady }))
    this.health.set(ends, FULL, 0)
  }

  /** Lets time pass. */
  run(milliseconds: number): this {
    for (const end = this.now + milliseconds; this.now < end; this.now += TICK) {
      for (const question of this.health.due(this.now, BUDGET)) {
        this.asked.push({ at: this.now, question })
        if (this.#wire.carries(question.end, question.bytes ?? 0)) this.health.answered(question.nonce, this.now + 1)
      }
    }
    return this
  }

  state(node = 'node2') {
    return this.health.facts().get(node)
  }

  problems(): readonly string[] {
    const told = [...this.health.facts()].map(([node, fact]): ToldTunnel => ({ node, ...fact }))
    return tunnelProblems(told, VXLAN)
  }
}

const address = (i: number) => ip(`192.0.${2 + (i >> 8)}.${i & 255}`)
const ALL: Wire = { carries: () => true }
const NONE: Wire = { carries: () => false }

describe('a tunnel', () => {
  test('that answers is up, with the time that it took, and packets of every size pass', () => {
    const life = new Life(2, ALL).run(1_000)
    expect(life.state()).toMatchObject({ state: 'up', roundTripMs: 1, full: { bytes: FULL, passes: true } })
    expect(life.problems()).toEqual([])
  })

  test('that never answered is told after three questions, and only of who should answer', () => {
    const life = new Life(1, NONE).run(2_500)
    expect([life.state()?.state, life.problems()]).toEqual(['asked', []])
    life.run(1_000)
    expect(life.state()?.state).toBe('never')
    expect(life.problems()).toEqual([expect.stringContaining('from node2 (192.0.2.0) yet → let UDP port 4789 pass')])
    expect(new Life(1, NONE, false).run(10_000).problems()).toEqual([])
  })

  test('that falls silent is down within six seconds since the first question that was lost, and up with the first answer', () => {
    let isThere = true
    const life = new Life(3, { carries: (end) => end !== address(0) || isThere }).run(10_000)
    isThere = false
    life.run(6_000)
    expect(life.state()).toMatchObject({ state: 'down' })
    expect(life.state()?.since).toBeGreaterThanOrEqual(10_000 - TICK)
    expect(life.problems()).toEqual([expect.stringContaining('from node2 (192.0.2.0) any more')])
    expect([life.state('node3')?.state, life.state('node4')?.state]).toEqual(['up', 'up'])
    isThere = true
    life.run(3_000)
    expect([life.state()?.state, life.problems()]).toEqual(['up', []])
  })

  test('that loses two questions stays up', () => {
    let lost = 0
    const life = new Life(1, { carries: () => lost === 0 || --lost < 0 }).run(5_000)
    lost = 2
    life.run(30_000)
    expect(life.state()).toMatchObject({ state: 'up', since: 1 })
  })

  test('through which large packets do not pass is told, and when they do again', () => {
    let most = 9_000
    const life = new Life(2, { carries: (_, bytes) => bytes <= most }).run(10_000)
    most = 1_400
    life.run(20_000)
    expect(life.state()).toMatchObject({ state: 'up', full: { bytes: FULL, passes: false } })
    expect(life.problems()[0]).toStartWith('MTU 1450 does not pass to node2 (192.0.2.0): ')
    most = 9_000
    life.run(15_000)
    expect([life.state()?.full?.passes, life.problems()]).toEqual([true, []])
  })

  test('to where a machine was says nothing of where it is', () => {
    const life = new Life(1, NONE)
    const [asked] = life.health.due(0, 1)
    if (asked === undefined) throw new Error('nobody was asked')
    life.health.set([{ node: 'node2', end: address(7), isReady: true }], FULL, 100)
    expect(life.health.answered(asked.nonce, 200)).toBe(false)
    expect(life.state()?.state).toBe('asked')
  })

  test('is asked about its size anew when pods may send larger packets', () => {
    const life = new Life(1, { carries: (_, bytes) => bytes <= FULL }).run(3_000)
    life.health.set([{ node: 'node2', end: address(0), isReady: true }], 8_950, life.now)
    expect(life.state()?.full).toBeUndefined()
    life.run(20_000)
    expect(life.state()?.full).toMatchObject({ bytes: 8_950, passes: false })
  })

  test('is down because of no large packet, and its MTU is not blamed while it is down', () => {
    let most = 9_000
    const life = new Life(1, { carries: (_, bytes) => bytes <= most }).run(10_000)
    most = -1
    life.run(60_000)
    expect(life.problems()).toEqual([expect.stringContaining('any more')])
    expect(life.state()?.full).toBeUndefined()
  })
})

describe('answers', () => {
  test('that nobody asked for, or a second time, change nothing', () => {
    const life = new Life(1, NONE).run(5_000)
    expect(life.health.answered(0xdeadn, life.now)).toBe(false)
    expect(life.state()?.state).toBe('never')
    const nonce = life.asked.at(-1)?.question.nonce ?? 0n
    expect([life.health.answered(nonce, life.now), life.health.answered(nonce, life.now)]).toEqual([true, false])
  })

  test('that come late count', () => {
    const life = new Life(1, NONE).run(5_000)
    expect(life.health.answered(life.asked.at(-1)?.question.nonce ?? 0n, life.now)).toBe(true)
    expect(life.state()?.state).toBe('up')
  })

  test('to questions from before a pause count for nothing, and neither does their absence', () => {
    const life = new Life(1, ALL).run(5_000)
    life.health.due(life.now + 60_000, BUDGET)
    life.health.pause()
    life.now += 120_000
    life.run(2_000)
    expect(life.state()).toMatchObject({ state: 'up', since: 1 })
  })

  test('of who is gone are nobody’s', () => {
    const life = new Life(1, NONE).run(1_000)
    life.health.set([], FULL, life.now)
    expect(life.health.answered(life.asked[0]?.question.nonce ?? 0n, life.now)).toBe(false)
    expect(life.health.facts().size).toBe(0)
  })
})

describe('a node asks little', () => {
  test.each([
    ['of which all answer', ALL],
    ['of which none does', NONE],
  ])('of a thousand machines, %s', (_, wire) => {
    const life = new Life(1_000, wire).run(300_000)
    const seconds = new Map<number, number>()
    for (const { at } of life.asked) seconds.set(Math.floor(at / 1000), (seconds.get(Math.floor(at / 1000)) ?? 0) + 1)
    expect(Math.max(...seconds.values())).toBeLessThanOrEqual(QUESTIONS_PER_SECOND)
    const states = new Set([...life.health.facts().values()].map(({ state }) => state))
    expect([...states]).toEqual([wire === ALL ? 'up' : 'never'])
  })

  test('and finds the dead of a thousand within ninety seconds', () => {
    const dead = new Set([address(7), address(500)])
    let areDead = false
    const life = new Life(1_000, { carries: (end) => !areDead || !dead.has(ip(end)) }).run(300_000)
    areDead = true
    life.run(90_000)
    expect(life.problems()).toHaveLength(2)
  })

  test('and says little: many machines in one sentence', () => {
    const [problem = ''] = new Life(1_000, NONE).run(300_000).problems()
    expect(problem).toStartWith(
      'no answer through the tunnel from 1000 of 1000 machines (node2, node3, node4 and 997 more) yet',
    )
    expect(problem.length).toBeLessThan(250)
  })
})

test('whatever answers come, whenever: nobody is asked twice at once, and none beyond the budget', () => {
  const step = fc.record({ ms: fc.integer({ min: 0, max: 3_000 }), answer: fc.nat({ max: 12 }), pause: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const life = new Life(5, NONE)
      const open = new Map<string, bigint>()
      for (const { ms, answer, pause } of steps) {
        life.now += ms
        if (pause && ms === 0) life.health.pause()
        const questions = life.health.due(life.now, 3)
        expect(questions.length).toBeLessThanOrEqual(3)
        expect(new Set(questions.map(({ end }) => end)).size).toBe(questions.length)
        for (const { end, nonce } of questions) open.set(end, nonce)
        const nonce = [...open.values()][answer]
        if (nonce !== undefined) life.health.answered(nonce, life.now)
        for (const { state, since } of life.health.facts().values()) {
          expect(['asked', 'up', 'down', 'never']).toContain(state)
          expect(since).toBeLessThanOrEqual(life.now)
        }
      }
    }),
  )
})
