import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Claim, Contender, type ElectionTiming, type Moment } from './contender.ts'
import type { Lease } from './record.ts'

const TIMING: ElectionTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }
const at = (monotonic: number, wall = monotonic): Moment => ({ monotonic, wall })

/** The server's part: one lease, replaced by whoever knows its version. */
class Shelf {
  lease: Lease | undefined
  #version = 0

  write({ record, resourceVersion }: Claim): Lease | undefined {
    if (this.lease?.resourceVersion !== resourceVersion) return undefined
    this.#version += 1
    this.lease = { record, resourceVersion: String(this.#version) }
    return this.lease
  }
}

/** One look and, where it is due, one write, both answered at once. */
function turn(contender: Contender, shelf: Shelf, now: Moment): void {
  if (contender.needsLook(now)) contender.saw(shelf.lease, now)
  const claim = contender.claim(now)
  if (claim === undefined) return
  const lease = shelf.write(claim)
  if (lease === undefined) contender.forget()
  else contender.wrote(lease, now, now)
}

describe('a contender', () => {
  test('takes a lease that nobody holds, renews it, and believes in it for as long as it may', () => {
    const [shelf, a] = [new Shelf(), new Contender('a', TIMING)]
    turn(a, shelf, at(0))
    expect(a.heldFor(at(0))).toBe(10_000)
    expect(shelf.lease?.record).toEqual({
      holder: 'a',
      duration: 15_000,
      acquireTime: '1970-01-01T00:00:00.000000Z',
      renewTime: '1970-01-01T00:00:00.000000Z',
      transitions: 0,
    })
    turn(a, shelf, at(2_000))
    expect(shelf.lease?.record).toMatchObject({ acquireTime: '1970-01-01T00:00:00.000000Z', transitions: 0 })
    expect(shelf.lease?.record.renewTime).toBe('1970-01-01T00:00:02.000000Z')
    expect(a.isHeld(at(11_999))).toBe(true)
    expect(a.isHeld(at(12_000))).toBe(false)
    expect(a.isHeld(at(11_999))).toBe(false)
  })

  test("waits for its own time to pass, whatever the other's clock says", () => {
    const [shelf, a, b] = [new Shelf(), new Contender('a', TIMING), new Contender('b', TIMING)]
    turn(a, shelf, at(0, -1e9))
    turn(b, shelf, at(7_000_000))
    turn(b, shelf, at(7_014_999))
    expect(b.isHeld(at(7_014_999))).toBe(false)
    turn(b, shelf, at(7_015_000))
    expect(b.isHeld(at(7_015_000))).toBe(true)
    expect(b.transitions).toBe(1)
    // Its write is refused; then it looks.
    turn(a, shelf, at(9_000, -1e9 + 9_000))
    turn(a, shelf, at(9_001, -1e9 + 9_001))
    expect(a.isHeld(at(9_001, -1e9 + 9_001))).toBe(false)
    expect(a.holder).toBe('b')
  })

  test('believes the clock that says less', () => {
    const [shelf, a] = [new Shelf(), new Contender('a', TIMING)]
    turn(a, shelf, at(0))
    expect(a.heldFor(at(1_000, -3_600_000))).toBe(9_000)
    expect(a.heldFor(at(1_000, 4_000))).toBe(6_000)
    expect(a.isHeld(at(1_000, 3_600_000))).toBe(false)
  })

  test('takes at once what was given back, and nobody sees two', () => {
    const [shelf, a, b] = [new Shelf(), new Contender('a', TIMING), new Contender('b', TIMING)]
    turn(a, shelf, at(0))
    turn(b, shelf, at(0))
    const claim = a.resign(at(1_000))
    expect(a.isHeld(at(1_000))).toBe(false)
    expect(claim?.record).toMatchObject({ holder: '', duration: 1000 })
    if (claim !== undefined) shelf.write(claim)
    turn(b, shelf, at(1_001))
    expect(b.isHeld(at(1_001))).toBe(true)
  })

  test('steps down when the lease is deleted, and everybody who knew it waits', () => {
    const [shelf, a, b] = [new Shelf(), new Contender('a', TIMING), new Contender('b', TIMING)]
    turn(a, shelf, at(0))
    turn(b, shelf, at(0))
    shelf.lease = undefined
    turn(b, shelf, at(14_000))
    expect(b.isHeld(at(14_000))).toBe(false)
    turn(a, shelf, at(2_000))
    expect(a.isHeld(at(2_001))).toBe(true)
    turn(a, shelf, at(4_000))
    expect(a.isHeld(at(4_000))).toBe(false)
    turn(b, shelf, at(15_000))
    expect(b.isHeld(at(15_000))).toBe(true)
  })

  test('does not believe in a lease with its name on it that it does not remember', () => {
    const [shelf, a, again] = [new Shelf(), new Contender('a', TIMING), new Contender('a', TIMING)]
    turn(a, shelf, at(0))
    turn(again, shelf, at(100))
    expect(again.isHeld(at(100))).toBe(false)
    turn(again, shelf, at(15_100))
    expect(again.isHeld(at(15_100))).toBe(true)
  })
})

/** Milliseconds that something takes: mostly none, sometimes as long as it hurts, and `undefined` for ever. */
const delay = fc.oneof(
  { weight: 6, arbitrary: fc.nat(50) },
  { weight: 3, arbitrary: fc.integer({ min: 1_000, max: 9_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 9_000, max: 40_000 }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
)

/** One round of a contender: a look and a claim, each with its way there and back, then a pause, and what else happens. */
const round = fc.record({
  look: fc.tuple(delay, delay),
  claim: fc.tuple(delay, delay),
  pause: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1_500, max: 3_000 }) }, fc.nat(60_000)),
  also: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    fc.constantFrom('resign' as const, 'restart' as const, 'edit' as const),
    fc.integer({ min: -1e7, max: 1e7 }),
  ),
})
type Round = typeof round extends fc.Arbitrary<infer R> ? R : never

/**
 * Contenders that each have their own clocks, and messages that take as long as they like: what is late may still arrive,
 * and its answer be used, long after its sender asked again.
 */
class World {
  readonly #shelf = new Shelf()
  readonly #contenders = ['a', 'b', 'c'].map((name) => new Contender(name, TIMING))
  readonly #lives = [0, 0, 0]
  /** Some started years earlier, one runs a little faster than it should and one slower. */
  readonly #starts = [0, 5e9, 1e3]
  readonly #rates = [1, 1.1, 0.92]
  readonly #walls = [0, -3e8, 7e8]
  #agenda: { readonly time: number; readonly happen: () => void }[] = []
  #time = 0
  terms = 0

  constructor(rounds: readonly (readonly Round[])[]) {
    for (const [by, mine] of rounds.entries()) {
      let time = by * 300
      for (const one of mine) {
        this.#plan(time, () => this.#start(by, one))
        time += one.pause
      }
    }
  }

  /** Lets everything happen; `look` is called after each of it with those who believe to lead. */
  run(look: (leaders: readonly number[]) => void): void {
    for (;;) {
      const [first] = this.#agenda.toSorted((a, b) => a.time - b.time)
      if (first === undefined) return
      this.#agenda = this.#agenda.filter((one) => one !== first)
      this.#time = first.time
      first.happen()
      look(this.#contenders.flatMap((contender, by) => (contender.isHeld(this.#moment(by)) ? [by] : [])))
    }
  }

  #start(by: number, { look, claim, also }: Round): void {
    if (typeof also === 'number') this.#walls[by] = (this.#walls[by] ?? 0) + also
    if (also === 'edit' && this.#shelf.lease !== undefined) this.#shelf.write(this.#shelf.lease)
    if (also === 'restart') {
      // Its name is used again, and what was sent before may still arrive.
      this.#contenders[by] = new Contender(['a', 'b', 'c'][by] ?? '', TIMING)
      this.#lives[by] = (this.#lives[by] ?? 0) + 1
    }
    const contender = this.#contenders[by]
    if (also === 'resign') this.#send(by, claim, contender?.resign(this.#moment(by)))
    else if (contender?.needsLook(this.#moment(by)) !== true) this.#claim(by, claim)
    else {
      this.#exchange(by, look, () => {
        const { lease } = this.#shelf
        return () => {
          this.#contenders[by]?.saw(lease, this.#moment(by))
          this.#claim(by, claim)
        }
      })
    }
  }

  #claim(by: number, way: Round['claim']): void {
    this.#send(by, way, this.#contenders[by]?.claim(this.#moment(by)))
  }

  #send(by: number, way: Round['claim'], claim: Claim | undefined): void {
    if (claim === undefined) return
    const sentAt = this.#moment(by)
    this.#exchange(by, way, () => {
      const lease = this.#shelf.write(claim)
      return () => {
        if (lease === undefined) return this.#contenders[by]?.forget()
        if (this.#contenders[by]?.isHeld(this.#moment(by)) === false) this.terms += 1
        this.#contenders[by]?.wrote(lease, sentAt, this.#moment(by))
      }
    })
  }

  /** What is done at the server gives what is done with its answer, by whoever asked, if it still lives. */
  #exchange(by: number, [there, back]: Round['look'], atServer: () => () => void): void {
    const life = this.#lives[by]
    if (there === undefined) return
    this.#plan(this.#time + there, () => {
      const use = atServer()
      if (back !== undefined) this.#plan(this.#time + back, () => (this.#lives[by] === life ? use() : undefined))
    })
  }

  #plan(time: number, happen: () => void): void {
    this.#agenda.push({ time, happen })
  }

  #moment(by: number): Moment {
    const monotonic = (this.#starts[by] ?? 0) + this.#time * (this.#rates[by] ?? 1)
    return { monotonic, wall: monotonic + (this.#walls[by] ?? 0) }
  }
}

test('whatever is late, lost or jumps: never do two believe to lead at once', () => {
  let terms = 0
  const life = fc.array(round, { minLength: 10, maxLength: 40, size: 'max' })
  fc.assert(
    fc.property(fc.tuple(life, life, life), (rounds) => {
      const world = new World(rounds)
      world.run((leaders) => expect(leaders.length).toBeLessThan(2))
      terms += world.terms
    }),
    { numRuns: 200 },
  )
  // The rounds are such that the lease does change hands.
  expect(terms).toBeGreaterThan(500)
})
