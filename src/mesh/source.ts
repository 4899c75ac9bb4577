/**
 * Where the list of machines comes from: a file, or one value in etcd. Both hold the same text, and both are followed.
 * @module
 */
import { readFileSync, statSync } from 'node:fs'
import { EtcdError } from '../etcd/errors.ts'
import type { KeySpace } from '../etcd/key-space.ts'
import { Backoff, sleep } from '../registry/backoff.ts'
import { MeshError } from './errors.ts'

/** A text that changes. */
export interface Source {
  /** For people. */
  readonly name: string
  /** Throws MESH_CONFIG; ETCD_UNAVAILABLE where it may be there later. */
  read(signal: AbortSignal): Promise<string>
  /** Calls for every text that is another, and for what keeps it from being read; the last one stays. Ends with the signal. */
  follow(last: string, on: SourceListener, signal: AbortSignal): Promise<void>
}

export interface SourceListener {
  text(text: string): void
  problem(sentence: string | undefined): void
}

/** How often a file is looked at, in milliseconds. */
const LOOK_MS = 1_000
const MAX_BYTES = 1 << 20

/** A file: whatever way it is replaced by, it is looked at every second. */
export function fileSource(path: string): Source {
  const read = (): string => {
    try {
      const facts = statSync(path)
      if (!facts.isFile()) throw new Error('it is no file')
      if (facts.size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
      return readFileSync(path, 'utf8')
    } catch (cause) {
      const why = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause)
      throw new MeshError('MESH_CONFIG', `${path} cannot be read (${why})`, 'check the path', { cause })
    }
  }
  return {
    name: path,
    read: async () => read(),
    follow: async (last, on, signal) => {
      let known = last
      for (;;) {
        await sleep(LOOK_MS, signal)
        if (signal.aborted) return
        try {
          const text = read()
          on.problem(undefined)
          if (text !== known) on.text(text)
          known = text
        } catch (error) {
          on.problem(error instanceof Error ? error.message : String(error))
        }
      }
    },
  }
}

/** A key of etcd. A watch that ends, or that etcd forgot, begins with another look. */
export function etcdSource(space: KeySpace, key: string): Source {
  const get = async (signal: AbortSignal): Promise<{ readonly text: string; readonly revision: number }> => {
    const { entry, revision } = await space.get(key, signal)
    // Somebody may write it yet.
    if (entry === undefined) {
      throw new EtcdError('ETCD_UNAVAILABLE', `there is no ${key} in etcd`, `write it: etcdctl put ${key} < mesh.yaml`)
    }
    return { text: entry.value, revision }
  }
  return {
    name: `etcd ${key}`,
    read: async (signal) => (await get(signal)).text,
    follow: async (last, on, signal) => {
      let known = last
      const backoff = new Backoff(Math.random)
      while (!signal.aborted) {
        try {
          const { text, revision } = await get(signal)
          on.problem(undefined)
          if (text !== known) on.text(text)
          known = text
          await changed(space, key, revision, signal)
          backoff.reset()
        } catch (error) {
          if (!isForgotten(error) && !signal.aborted) on.problem(error instanceof Error ? error.message : String(error))
          await sleep(backoff.next(), signal)
        }
      }
    },
  }
}

/** Resolves when a key may be another than at a revision. Throws what etcd says. */
async function changed(space: KeySpace, key: string, revision: number, signal: AbortSignal): Promise<void> {
  const folder = `${key.slice(0, key.lastIndexOf('/'))}/`
  for await (const { events } of space.watch(folder, revision, signal)) {
    if (events.some((event) => (event.type === 'put' ? event.entry.key : event.key) === key)) return
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof EtcdError && error.code === 'ETCD_EXPIRED'
}
