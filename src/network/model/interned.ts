/**
 * Equal values as one object: a hundred thousand pods have few nodes, namespaces and lists of ports between them.
 * @module
 */
import type { Decode } from './decode.ts'

/**
 * Remembers values by a key that says all about them: those that come again are the same object, and cost no memory.
 * What has not come for long is forgotten; so no more than twice `most` are kept, whatever comes.
 */
export class Interned<T> {
  readonly #most: number
  #young = new Map<string, T>()
  #old: ReadonlyMap<string, T> = new Map()

  constructor(most: number) {
    this.#most = most
  }

  /** The value of this key: the one that is there, or that `make` makes. */
  of(key: string, make: () => T): T {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const value = this.#old.get(key) ?? make()
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
    return value
  }
}

/** Keys of more characters than this are rarely those of many. */
const LONGEST_KEY = 1024

/** A decoder whose equal texts are one. */
export function sharedText(decode: Decode<string>, most: number): Decode<string> {
  const interned = new Interned<string>(most)
  return (input, at) => {
    const text = decode(input, at)
    return text === undefined ? undefined : interned.of(text, () => text)
  }
}

/** A decoder whose equal lists, of objects without depth, are one, which is frozen. */
export function sharedList<T extends object>(decode: Decode<readonly T[]>, most: number): Decode<readonly T[]> {
  const interned = new Interned<readonly T[]>(most)
  return (input, at) => {
    const list = decode(input, at)
    if (list === undefined) return undefined
    const key = JSON.stringify(list)
    return key.length > LONGEST_KEY ? list : interned.of(key, () => frozen(list))
  }
}

/** A decoder whose equal objects, without depth, are one, which is frozen. Those of more than `longest` characters are not. */
export function sharedRecord<T extends object>(decode: Decode<T>, most: number, longest = LONGEST_KEY): Decode<T> {
  const interned = new Interned<T>(most)
  return (input, at) => {
    const value = decode(input, at)
    if (value === undefined) return undefined
    const key = JSON.stringify(value)
    return key.length > longest ? value : interned.of(key, () => Object.freeze(value))
  }
}

function frozen<T extends object>(list: readonly T[]): readonly T[] {
  for (const item of list) Object.freeze(item)
  return Object.freeze(list)
}
