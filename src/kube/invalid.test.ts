/**
 * What is remembered of invalid objects, however late watches and answers come.
 */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type InvalidObject, InvalidObjects, type Question } from './invalid.ts'

type State = 'valid' | 'invalid' | 'gone'
type Op =
  | { readonly op: 'write'; readonly id: string; readonly state: State }
  /** Somebody asks for one object or lists, perhaps content with what is as old as the first watch. */
  | { readonly op: 'ask'; readonly id: string | undefined; readonly isCurrent: boolean }
  /** The source answers, which is not yet heard. */
  | { readonly op: 'answer'; readonly which: number }
  | { readonly op: 'hear'; readonly which: number }
  | { readonly op: 'watch'; readonly which: 0 | 1 }
  /** A snapshot is restored, and everything listed anew. */
  | { readonly op: 'restore'; readonly to: number }

const IDS = ['a', 'b']
const id = fc.constantFrom(...IDS)
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('write'), id, state: fc.constantFrom<State>('valid', 'invalid', 'gone') }),
  fc.record({ op: fc.constant('ask'), id: fc.option(id, { nil: undefined }), isCurrent: fc.boolean() }),
  fc.record({ op: fc.constant('answer'), which: fc.nat(3) }),
  fc.record({ op: fc.constant('hear'), which: fc.nat(3) }),
  fc.record({ op: fc.constant('watch'), which: fc.constantFrom(0, 1) }),
  fc.record({ op: fc.constant('restore'), to: fc.nat(6) }),
)

test('a reason is that of the newest that is known, whatever comes late, and is told of once', () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 60, size: 'max' }), (ops) => {
      const world = new World()
      for (const one of ops) {
        world.do(one)
        world.expectNothingStale()
      }
      world.expectTruth()
    }),
    { numRuns: 2000 },
  )
})

test('an object that is there under another name than before has one reason', () => {
  const objects = new InvalidObjects()
  const over: string[] = []
  objects.listen(
    () => undefined,
    ({ name }) => over.push(name),
  )
  const of = (name: string, revision: number): InvalidObject => ({ kind: 'NodeNetwork', name, revision, problem: name })
  objects.invalid('/subnets/192.0.2.1', of('192.0.2.1', 1))
  objects.invalid('/subnets/192.0.2.1', of('node1', 2))
  expect([...objects]).toEqual([['NodeNetwork/node1', 'node1']])
  expect([objects.get('NodeNetwork/node1'), objects.get('NodeNetwork/192.0.2.1'), objects.get('Pod/x')]).toEqual([
    'node1',
    undefined,
    undefined,
  ])
  expect(over).toEqual(['192.0.2.1'])
})

test('of more objects than are remembered only those beyond are told of again', () => {
  const objects = new InvalidObjects()
  let told = 0
  objects.listen(() => {
    told += 1
  })
  const list = (revision: number): number => {
    told = 0
    const question = objects.ask('Pod')
    for (let i = 0; i < 10_003; i += 1) question.invalid(`${i}`, object(`${i}`, 1))
    question.listed(revision)
    return told
  }
  expect([list(2), list(3), list(4)]).toEqual([10_003, 3, 3])
  const question = objects.ask('Pod')
  question.listed(5)
  expect([[...objects].length, list(6)]).toEqual([0, 10_003])
})

test('who does not listen any more hears nothing', () => {
  const objects = new InvalidObjects()
  const told: number[] = []
  const stop = objects.listen(({ revision }) => told.push(revision))
  objects.invalid('a', object('a', 1))
  stop()
  objects.invalid('a', object('a', 2))
  expect(told).toEqual([1])
})

interface Asked {
  readonly question: Question
  readonly id: string | undefined
  /** The answer is as it was at this revision or later. */
  readonly least: number
  at?: number
}

/** One kind of a source, two watches that lag behind, and questions on their way. */
class World {
  readonly #objects = new InvalidObjects()
  /** What was written at every revision. */
  #history: { readonly id: string; readonly state: State }[] = []
  #watches = [0, 0]
  #asked: Asked[] = []
  #told = new Set<string>()
  /** At which revision an object was last heard of in an answer. */
  readonly #heard = new Map<string, number>()

  #isAhead = false

  constructor() {
    const told = ({ name, revision }: InvalidObject): void => {
      expect(this.#told.has(`${name}@${revision}`)).toBe(false)
      this.#told.add(`${name}@${revision}`)
    }
    // After an answer that is ahead of all watches it may be told once more, for as long as they are behind.
    const over = ({ name }: InvalidObject): void => {
      for (const one of this.#told) if (this.#isAhead && one.startsWith(name)) this.#told.delete(one)
    }
    this.#objects.listen(told, over)
  }

  do(one: Op): void {
    if (one.op === 'write') this.#history.push(one)
    else if (one.op === 'watch') this.#watch(one.which)
    else if (one.op === 'ask') this.#ask(one.id, one.isCurrent)
    else if (one.op === 'answer') this.#answer(this.#asked[one.which])
    else if (one.op === 'hear') this.#hear(one.which)
    else this.#restore(one.to)
  }

  /** Nothing contradicts what the watch that is ahead has told, and nothing is missing of the newest that was heard. */
  expectNothingStale(): void {
    const told = Math.max(...this.#watches)
    for (const one of IDS) {
      const revision = this.#notedAt(one)
      const heard = this.#at(one, Math.max(told, this.#heard.get(one) ?? 0))
      if (revision === undefined) expect([one, heard?.state]).not.toEqual([one, 'invalid'])
      else if (revision <= told) expect([one, this.#at(one, told)]).toEqual([one, { state: 'invalid', revision }])
    }
  }

  expectTruth(): void {
    while ((this.#watches[0] ?? 0) < this.#history.length) this.#watch(0)
    const noted = IDS.map((one) => this.#notedAt(one))
    expect(noted).toEqual(
      IDS.map((one) => {
        const now = this.#at(one, this.#history.length)
        return now?.state === 'invalid' ? now.revision : undefined
      }),
    )
  }

  #watch(which: number): void {
    const revision = (this.#watches[which] ?? 0) + 1
    const event = this.#history[revision - 1]
    if (event === undefined) return
    this.#watches[which] = revision
    if (event.state === 'invalid') this.#objects.invalid(event.id, object(event.id, revision))
    else this.#objects.settled('Pod', event.id, revision)
    this.#objects.reached('Pod', revision)
  }

  #ask(one: string | undefined, isCurrent: boolean): void {
    if (this.#asked.length > 3) return
    const old = one === undefined && !isCurrent
    const least = old ? (this.#watches[0] ?? 0) : this.#history.length
    const asked = { question: this.#objects.ask('Pod', !old), id: one, least }
    this.#asked.push(old ? { ...asked, at: least } : asked)
  }

  /** As old as it may be. */
  #answer(asked: Asked | undefined): void {
    if (asked !== undefined) asked.at ??= asked.least
  }

  #hear(which: number): void {
    const [asked] = this.#asked.splice(which, 1)
    if (asked === undefined) return
    const { question, id: one, at = this.#history.length } = asked
    this.#isAhead = at > Math.max(...this.#watches)
    for (const each of one === undefined ? IDS : [one]) {
      const found = this.#at(each, at)
      this.#heard.set(each, Math.max(at, this.#heard.get(each) ?? 0))
      if (found?.state === 'invalid') question.invalid(each, object(each, found.revision))
      else if (found?.state === 'valid') question.settled('Pod', each, found.revision)
      else if (one !== undefined) question.gone(each)
    }
    if (one === undefined) question.listed(at)
    this.#isAhead = false
  }

  #restore(to: number): void {
    if (to >= this.#history.length) return
    this.#history = this.#history.slice(0, to)
    this.#asked = []
    this.#told = new Set()
    this.#heard.clear()
    this.#ask(undefined, true)
    this.#hear(0)
    this.#watches = [to, to]
  }

  #at(one: string, revision: number): { readonly state: State; readonly revision: number } | undefined {
    const last = this.#history.slice(0, revision).findLastIndex((event) => event.id === one)
    const event = this.#history[last]
    return event === undefined ? undefined : { state: event.state, revision: last + 1 }
  }

  #notedAt(one: string): number | undefined {
    const problem = this.#objects.get(`Pod/${one}`)
    return problem === undefined ? undefined : Number(problem)
  }
}

function object(name: string, revision: number): InvalidObject {
  return { kind: 'Pod', name, revision, problem: String(revision) }
}
