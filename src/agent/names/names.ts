/**
 * Keeps the names that policies speak of resolved, for the plan. Nothing waits for it; what nobody wants is not asked for.
 * @module
 */
import { isName } from '../../dns/name.ts'
import type { Ip } from '../../network/model/address.ts'
import type { Problems } from '../problems.ts'
import { KnownName } from './known-name.ts'
import type { Found } from './lookup.ts'

/** Lookups at a time. */
const MOST_AT_A_TIME = 16

/** Names of all policies together that are looked up. */
const MOST_NAMES = 4_096

/** What names are kept with. */
export interface NameParts {
  /** The names that policies speak of, as they write them. */
  wanted(): ReadonlySet<string>
  /** What a name stands for from now on; undefined: not known. Told when it changes. */
  put(name: string, addresses: readonly Ip[] | undefined): void
  /** Looks a name up, which is absolute and in lower case. Never rejects. */
  lookUp(name: string): Promise<Found>
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  /** Milliseconds. */
  now(): number
  /** From 0 up to 1. */
  random(): number
}

/** The names that policies speak of. */
export class Names {
  readonly #parts: NameParts
  readonly #known = new Map<string, KnownName>()
  /** Why others of them are not looked up, for people. */
  readonly #refused = new Map<string, string>()
  readonly #told = new Map<string, readonly Ip[] | undefined>()
  readonly #running = new Set<string>()
  #queue: string[] = []

  constructor(parts: NameParts) {
    this.#parts = parts
  }

  /** Is to be called about once a second: looks up what is wanted and due, and tells what expired. */
  tick(): void {
    this.#follow()
    const now = this.#parts.now()
    for (const [name, one] of this.#known) if (one.hasEnded(now)) this.#tell(name, now)
    this.#tellProblem(now)
    const due = [...this.#known].filter(([name, one]) => one.due <= now && !this.#running.has(name))
    due.sort(([, a], [, b]) => a.rank - b.rank || a.due - b.due)
    this.#queue = due.map(([name]) => name)
    this.#start()
  }

  /** Others may be wanted than a second ago. */
  #follow(): void {
    const wanted = this.#parts.wanted()
    for (const name of this.#known.keys()) if (!wanted.has(name)) this.#forget(name)
    this.#refused.clear()
    for (const name of wanted) {
      if (this.#known.has(name)) continue
      const reason = this.#known.size < MOST_NAMES ? whyNot(name) : `more than ${MOST_NAMES} names in all policies`
      if (reason === undefined) this.#known.set(name, new KnownName(this.#parts.now()))
      else this.#refused.set(name, reason)
    }
  }

  #start(): void {
    while (this.#running.size < MOST_AT_A_TIME) {
      const name = this.#queue.shift()
      if (name === undefined) return
      if (this.#known.has(name) && !this.#running.has(name)) void this.#lookUp(name)
    }
  }

  async #lookUp(name: string): Promise<void> {
    const { now, random, lookUp } = this.#parts
    this.#running.add(name)
    const found = await lookUp(plain(name))
    this.#running.delete(name)
    // It may be unwanted by now, or wanted again and new: then this answers all the same.
    this.#known.get(name)?.found(found, now(), random())
    if (this.#known.has(name)) this.#tell(name, now())
    this.#start()
  }

  #forget(name: string): void {
    this.#known.delete(name)
    if (this.#told.get(name) !== undefined) this.#parts.put(name, undefined)
    this.#told.delete(name)
  }

  #tell(name: string, now: number): void {
    const addresses = this.#known.get(name)?.addresses(now)
    const told = this.#told.get(name)
    if (same(addresses, told)) return
    this.#told.set(name, addresses)
    this.#parts.put(name, addresses)
  }

  #tellProblem(now: number): void {
    const { problems } = this.#parts
    const failing = new Map(this.#refused)
    for (const [name, one] of this.#known) {
      const problem = one.problem(now)
      if (problem !== undefined) failing.set(name, problem)
    }
    const [first] = [...failing].sort(([a], [b]) => (a < b ? -1 : 1))
    if (first === undefined) {
      problems.solved('names')
      return
    }
    const [name, why] = first
    const whose = failing.size === 1 ? name : `${name} and ${failing.size - 1} more`
    problems.failed('names', new Error(`policies name ${whose}, whose addresses are not known: ${why}`))
  }
}

/** As DNS has it. */
function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** Why a name cannot be looked up, for people. */
function whyNot(name: string): string | undefined {
  if (name.includes('*')) return 'DNS cannot be asked which names are below another'
  // Nobody's names have other letters; a text of an object does not get into a question as it is.
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(plain(name)) && isName(plain(name)) ? undefined : 'it is no DNS name'
}

function same(a: readonly Ip[] | undefined, b: readonly Ip[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((address, i) => address === b[i])
}
