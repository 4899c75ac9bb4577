/**
 * Nodes as Kubernetes has them, with what Calico's etcd says of their BGP. A change there makes a watcher list again.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { KeyEvent, KeySpace } from '../../../etcd/key-space.ts'
import type { Node } from '../../../network/model/node.ts'
import { sleep } from '../../../registry/backoff.ts'
import { decodeValue } from '../../../registry/codec.ts'
import {
  type Change,
  type Kind,
  type Kinds,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from '../../../registry/registry.ts'
import { registryError } from '../../k8s-ovs/errors.ts'
import type { CalicoLayout } from './layout.ts'
import { type CalicoNode, calicoNodeIn } from './node.ts'
import { isToldIn, sourceRevision, toldIn } from './telling.ts'

/** An etcd that does not answer is asked again after so many milliseconds; nodes are what they were meanwhile. */
const PAUSE_MS = 5_000

type Said = Map<string, CalicoNode>

/** What was said at one time, and which of these times it is. */
interface Saying {
  readonly said: Said
  /** Counts them: the telling of revisions. */
  readonly number: number
}

/**
 * Kubernetes' nodes, with what is said of them elsewhere. Of other kinds it has nothing.
 *
 * A node's revision is Kubernetes' own, also where something else is said of it than before. That of a listing, and of a bookmark,
 * is told in what was said then: a watch that goes on after one knows what its own watcher was told, whatever others have been told
 * since. A change is followed by such a bookmark.
 */
export class CalicoNodes implements Registry {
  readonly #space: KeySpace
  readonly #layout: CalicoLayout
  readonly #lower: Registry
  readonly #pause: (milliseconds: number, signal: AbortSignal) => Promise<void>
  #now: Saying | undefined

  constructor(space: KeySpace, layout: CalicoLayout, lower: Registry, pause = sleep) {
    this.#space = space
    this.#layout = layout
    this.#lower = lower
    this.#pause = pause
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    const saying = this.#now ?? (await this.#learn())
    const stored = await this.#lower.get(kind, name)
    return stored && over(kind, stored, saying.said)
  }

  /** Where etcd does not answer any more, what it last said stays. */
  async list<K extends Kind>(kind: K, atLeast?: number, name?: string): Promise<Listing<K>> {
    const saying = await this.#learn().catch((error: unknown) => {
      if (this.#now === undefined) throw registryError(error)
      return this.#now
    })
    const { revision, objects } = await this.#lower.list(
      kind,
      atLeast === undefined ? undefined : sourceRevision(atLeast),
      name,
    )
    return {
      revision: toldIn(saying.number, revision),
      objects: objects.map((stored) => over(kind, stored, saying.said)),
    }
  }

  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    const saying = this.#now
    if (saying === undefined || !isToldIn(saying.number, after)) throw moving()
    const ended = new AbortController()
    const both = AbortSignal.any([signal, ended.signal])
    const changes = this.#lower.watch(kind, sourceRevision(after), both, name)[Symbol.asyncIterator]()
    const moved = this.#untilMoved(saying.said, both)
    try {
      for (;;) {
        const next = await Promise.race([changes.next(), moved])
        if (signal.aborted) return
        if (next === 'moved') throw moving()
        if (next.done === true) return
        const change = next.value
        const { revision } = change.type === 'bookmark' ? change : change.object
        if (change.type !== 'bookmark') yield { ...change, object: over(kind, change.object, saying.said) }
        yield { type: 'bookmark', revision: toldIn(saying.number, revision) }
      }
    } finally {
      ended.abort()
      await moved.catch(() => undefined)
    }
  }

  create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    return this.#lower.create(kind, name, value)
  }

  update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    return this.#lower.update(kind, name, value, sourceRevision(revision))
  }

  delete(kind: Kind, name: string, revision?: number): Promise<void> {
    return this.#lower.delete(kind, name, revision === undefined ? undefined : sourceRevision(revision))
  }

  /** Ends when something else is said of nodes than this, or when `signal` aborts. */
  async #untilMoved(listed: Said, signal: AbortSignal): Promise<'moved'> {
    while (!signal.aborted) {
      try {
        const { revision, said } = await this.#ask(signal)
        if (!isDeepStrictEqual(said, listed)) return 'moved'
        for await (const batch of this.#space.watch(this.#layout.nodes, revision, signal)) {
          for (const event of batch.events) this.#note(said, event)
          if (!isDeepStrictEqual(said, listed)) return 'moved'
        }
      } catch {
        if (!signal.aborted) await this.#pause(PAUSE_MS, signal)
      }
    }
    return 'moved'
  }

  /** What is said now. Answers that come late say nothing new: who watches by them is told that it moved. */
  async #learn(): Promise<Saying> {
    const { said } = await this.#ask()
    const { number = -1 } = this.#now ?? {}
    if (this.#now === undefined || !isDeepStrictEqual(said, this.#now.said)) {
      this.#now = { said, number: number + 1 }
    }
    return this.#now
  }

  async #ask(signal?: AbortSignal): Promise<{ readonly revision: number; readonly said: Said }> {
    const { revision, entries } = await this.#space.list(this.#layout.nodes, signal)
    const said: Said = new Map()
    for (const entry of entries) this.#note(said, { type: 'put', entry })
    return { revision, said }
  }

  #note(said: Said, event: KeyEvent): void {
    const name = this.#layout.nodeNamed(event.type === 'put' ? event.entry.key : event.key)
    if (name === undefined) return
    if (event.type === 'put') said.set(name, calicoNodeIn(event.entry.value) ?? unreadable(this.#now?.said.get(name)))
    else said.delete(name)
  }
}

/** A node with what is said of it. */
function over<K extends Kind>(kind: K, stored: Stored<K>, all: Said): Stored<K> {
  const { name, value } = stored
  const said = kind === 'Node' ? all.get(name) : undefined
  if (said === undefined) return stored
  const node = value as Node
  const labels = { ...said.labels, ...node.labels }
  const bgp = said.bgp ?? node.bgp
  try {
    const whole = { ...node, labels, ...(bgp === undefined ? {} : { bgp }) }
    return Object.freeze({ ...stored, value: decodeValue(kind, name, whole) })
  } catch {
    // What no node can be is not said of one.
    return stored
  }
}

function moving(): RegistryError {
  return new RegistryError('REGISTRY_EXPIRED', 'Calico says something else of a node: list again')
}

/** What a node's record last said, where it cannot be read. */
function unreadable(before: CalicoNode | undefined): CalicoNode {
  const problem = "its record in Calico's etcd is not a JSON object; what it last said stays"
  return { labels: before?.labels ?? {}, bgp: { ...(before?.bgp ?? { addresses: [] }), isRecorded: true, problem } }
}
