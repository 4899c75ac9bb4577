/**
 * What Calico keeps in etcd, as shared state that is read and never written: peerings, filters, ranges, policies and
 * network sets.
 * @module
 */
import type { Batch, Entry, KeyEvent, KeySpace } from '../../../etcd/key-space.ts'
import { InvalidObjects, type Witness } from '../../../kube/invalid.ts'
import {
  type Change,
  type Kind,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from '../../../registry/registry.ts'
import { asRegistry, registryError } from '../../k8s-ovs/errors.ts'
import { CALICO_KINDS, type CalicoKind, type CalicoLayout } from './layout.ts'
import { readRecord } from './record.ts'
import { isToldIn, sourceRevision, toldIn } from './telling.ts'

/** An object as it was told last. */
interface Told {
  readonly stored: Stored<CalicoKind>
  /** Of the record that it was read from. */
  readonly revision: number
  /** When its key came to be: one that was made anew under its name is another object. */
  readonly created: number
  /** Whether it could be read: then it stays what it is while it cannot be. */
  readonly isGood: boolean
}

/**
 * Calico's etcd. Revisions are etcd's; places to go on after are told in the history that they count. An object that cannot be read is reported, and shown as what it last was as far as
 * this process knows; else a policy denies, a network set is one of which nothing is known, and others are absent.
 */
export class CalicoRegistry implements Registry {
  readonly #space: KeySpace
  readonly #layout: CalicoLayout
  readonly #invalid: InvalidObjects
  /** By key. */
  readonly #told = new Map<string, Told>()

  constructor(space: KeySpace, layout: CalicoLayout, invalid = new InvalidObjects()) {
    this.#space = space
    this.#layout = layout
    this.#invalid = invalid
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    const ours = calicoKind(kind)
    const key = this.#layout.keyOf(ours, name)
    const question = this.#invalid.ask(ours)
    const { entry } = await asRegistry(() => this.#space.get(key))
    if (entry === undefined) question.gone(key)
    const stored: Stored<Kind> | undefined = entry && this.#read(ours, entry, question)?.stored
    return stored as Stored<K> | undefined
  }

  async list<K extends Kind>(kind: K, _atLeast?: number, name?: string): Promise<Listing<K>> {
    const ours = calicoKind(kind)
    const folder = this.#layout.folderOf(ours)
    const question = this.#invalid.ask(ours)
    const { revision, entries } = await asRegistry(() => this.#space.list(folder))
    const { history } = this.#space
    const keys = new Set(entries.map(({ key }) => key))
    for (const key of this.#told.keys()) if (key.startsWith(folder) && !keys.has(key)) this.#told.delete(key)
    const all: readonly Stored<Kind>[] = entries.flatMap((entry) => this.#read(ours, entry, question)?.stored ?? [])
    question.listed(revision)
    const objects = name === undefined ? all : all.filter((object) => object.name === name)
    return { revision: toldIn(history, revision), objects: objects as readonly Stored<K>[] }
  }

  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    for await (const change of this.#changes(calicoKind(kind), after, signal)) {
      // After every change comes a bookmark.
      const isOthers = change.type !== 'bookmark' && name !== undefined && change.object.name !== name
      if (!isOthers) yield change as Change<Kind> as Change<K>
    }
  }

  async create(): Promise<never> {
    throw readOnly()
  }

  async update(): Promise<never> {
    throw readOnly()
  }

  async delete(): Promise<never> {
    throw readOnly()
  }

  async *#changes<K extends CalicoKind>(kind: K, after: number, signal: AbortSignal): AsyncGenerator<Change<K>, void> {
    if (signal.aborted) return
    try {
      for await (const batch of this.#space.watch(this.#layout.folderOf(kind), sourceRevision(after), signal)) {
        const { history } = this.#space
        if (!isToldIn(history, after)) {
          throw new RegistryError('REGISTRY_EXPIRED', 'another etcd cluster answers than before: list again')
        }
        for (const change of this.#apply(kind, batch)) {
          const { revision } = change.type === 'bookmark' ? change : change.object
          if (change.type !== 'bookmark') yield change
          yield { type: 'bookmark', revision: toldIn(history, revision) }
        }
      }
    } catch (error) {
      if (!signal.aborted) throw registryError(error)
    }
  }

  *#apply<K extends CalicoKind>(kind: K, { revision, events }: Batch): Generator<Change<K>, void> {
    for (const event of events) {
      if (event.type === 'put') {
        const told = this.#read(kind, event.entry, this.#invalid)
        // One that cannot be read stays what it was.
        if (told?.revision === event.entry.revision) yield { type: 'put', object: told.stored as Stored<K> }
      } else {
        const last = this.#forget(kind, event, revision)
        if (last !== undefined) yield { type: 'delete', object: { ...(last as Stored<K>), revision } }
      }
    }
    this.#invalid.reached(kind, revision)
    yield { type: 'bookmark', revision }
  }

  /** What is gone, as it last was; undefined for what was nothing. Another caller may have heard of it before. */
  #forget(
    kind: CalicoKind,
    { key, last }: Extract<KeyEvent, { type: 'delete' }>,
    revision: number,
  ): Stored<CalicoKind> | undefined {
    this.#invalid.settled(kind, key, revision)
    const named = this.#layout.named(kind, key)
    const told = this.#told.get(key)
    this.#told.delete(key)
    if (told !== undefined || named === undefined) return told?.stored
    if (last === undefined) throw new RegistryError('REGISTRY_EXPIRED', `what ${key} was is not known: list again`)
    const record = readRecord(kind, named, last.value)
    const value = record.problem === undefined ? record.value : record.closed
    return value && { name: record.name, revision, value }
  }

  /** An object as it counts now; undefined for a key that is none, and for one that nobody can make anything of. */
  #read(kind: CalicoKind, { key, value: text, revision, created }: Entry, witness: Witness): Told | undefined {
    const named = this.#layout.named(kind, key)
    if (named === undefined) return undefined
    const record = readRecord(kind, named, text)
    const { name, problem } = record
    if (problem === undefined) {
      witness.settled(kind, key, revision)
      const stored = Object.freeze({ name, revision, value: record.value })
      return this.#tell(key, { stored, revision, created, isGood: true })
    }
    witness.invalid(key, { kind, name, revision, problem: `${key}: ${problem}` })
    const before = this.#told.get(key)
    if (before?.isGood === true && before.created === created) return before
    if (record.closed === undefined) return undefined
    const stored = Object.freeze({ name, revision, value: record.closed })
    return this.#tell(key, { stored, revision, created, isGood: false })
  }

  #tell(key: string, told: Told): Told {
    this.#told.set(key, told)
    return told
  }
}

function calicoKind(kind: Kind): CalicoKind {
  const ours = CALICO_KINDS.find((one) => one === kind)
  if (ours !== undefined) return ours
  throw new RegistryError('REGISTRY_INVALID', `Calico's etcd keeps no ${kind}`)
}

function readOnly(): RegistryError {
  return new RegistryError('REGISTRY_INVALID', "Calico's etcd is read here and not written → use calicoctl")
}
