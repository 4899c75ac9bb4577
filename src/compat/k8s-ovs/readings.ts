/**
 * Records, read: what each key means, and which of several that speak of one object counts.
 * @module
 */
import type { Entry } from '../../etcd/key-space.ts'
import { decodeValue } from '../../registry/codec.ts'
import type { Kinds, Stored } from '../../registry/registry.ts'
import { parseGoObject } from './go-object.ts'
import type { Folders } from './layout.ts'
import type { OvsKind, ReadContext, RecordBinding } from './record.ts'

/** A record as it is understood. */
export interface Reading<K extends OvsKind> {
  readonly entry: Entry
  /** What it speaks of; undefined when it means nothing and never did. */
  readonly object: Stored<K> | undefined
  /** Why it cannot be read, for people. */
  readonly problem?: string
}

/** What this process knows of records: what each was when it could last be read. */
export class Memory<K extends OvsKind> {
  readonly #objects = new Map<string, Known<K>>()

  at(key: string): Known<K> | undefined {
    return this.#objects.get(key)
  }

  learn(key: string, known: Known<K>): void {
    this.#objects.set(key, known)
  }

  forget(key: string): void {
    this.#objects.delete(key)
  }

  /** Forgets what is not there any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#objects.keys()) if (!keys.has(key)) this.#objects.delete(key)
  }
}

interface Known<K extends OvsKind> {
  readonly name: string
  readonly value: Kinds[K]
}

/** How a kind's records are read. */
export interface Reader<K extends OvsKind> {
  readonly kind: K
  readonly binding: RecordBinding<K>
  readonly memory: Memory<K>
  readonly folders: Folders
  readonly confirms: boolean
}

/**
 * A record as it is understood. One that cannot be read is shown as what the object last was: what somebody mistyped in
 * etcd does not take anything down.
 */
export function readRecord<K extends OvsKind>(reader: Reader<K>, entry: Entry): Reading<K> {
  const { kind, binding, memory } = reader
  const { key, revision } = entry
  const understood = understand(reader, entry)
  if ('value' in understood) {
    memory.learn(key, understood)
    return { entry, object: Object.freeze({ name: understood.name, revision, value: understood.value }) }
  }
  const { problem } = understood
  const last = memory.at(key)
  if (last === undefined) return { entry, object: undefined, problem }
  const { name } = last
  const value = decodeValue(kind, name, binding.damaged(last.value, problem))
  return { entry, object: Object.freeze({ name, revision, value }), problem }
}

function understand<K extends OvsKind>(
  { kind, binding, memory, folders, confirms }: Reader<K>,
  { key, value: text }: Entry,
): Known<K> | { readonly problem: string } {
  const object = parseGoObject(text)
  if (object === undefined) return { problem: 'is not a JSON object (correct it)' }
  const context: ReadContext<K> = { folders, confirms, last: memory.at(key)?.value }
  const reading = binding.read(key, object, context)
  if ('problem' in reading) return { problem: `${reading.problem} (${reading.remedy})` }
  try {
    return { name: reading.name, value: decodeValue(kind, reading.name, reading.value) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'is not valid' }
  }
}

/**
 * Of several records of one object the one that came last: k8s-ovs leaves the old one when a node's address changes, and
 * who is killed in the middle of a move leaves both.
 */
export function winnerOf<K extends OvsKind>(readings: Iterable<Reading<K>>): Reading<K> | undefined {
  let winner: Reading<K> | undefined
  for (const one of readings) if (winner === undefined || isLater(one.entry, winner.entry)) winner = one
  return winner
}

function isLater(a: Entry, b: Entry): boolean {
  return a.created === b.created ? a.key > b.key : a.created > b.created
}
