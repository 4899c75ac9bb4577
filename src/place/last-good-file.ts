/**
 * What objects last were when they still could be read, in a file: a daemon that starts anew takes an object that was spoilt meanwhile
 * for what it was.
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { sweepDrafts, writeWhole } from '../files/whole-file.ts'
import type { LastGood, Seen } from '../kube/known.ts'
import { decodeValue } from '../registry/codec.ts'
import type { Kind } from '../registry/registry.ts'

/**
 * Keeps it in this file, which it reads once. What of it makes no sense counts for nothing; what cannot be written is known as long as
 * the process lives.
 */
export function lastGoodFile(path: string): LastGood {
  const kinds = read(path)
  let written = serialize(kinds)
  sweepDrafts(dirname(path))
  return {
    read: (kind) => entriesIn(kind, kinds.get(kind)),
    write: (kind, entries) => {
      kinds.set(kind, Object.fromEntries([...entries].map(([key, { uid, stored }]) => [key, { uid, ...stored }])))
      const text = serialize(kinds)
      if (text === written) return
      try {
        put(path, text)
        written = text
      } catch {
        // It is tried again with the next change.
      }
    },
  }
}

function serialize(kinds: ReadonlyMap<string, unknown>): string {
  return `${JSON.stringify(Object.fromEntries([...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1))))}\n`
}

function read(path: string): Map<string, unknown> {
  try {
    const input: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return new Map(Object.entries(Object(input)))
  } catch {
    return new Map()
  }
}

function entriesIn<K extends Kind>(kind: K, input: unknown): readonly (readonly [string, Seen<K>])[] {
  return Object.entries(Object(input)).flatMap(([key, one]): readonly (readonly [string, Seen<K>])[] => {
    const { uid, name, revision, value } = Object(one) as Partial<
      Record<'uid' | 'name' | 'revision' | 'value', unknown>
    >
    if (typeof uid !== 'string' || typeof name !== 'string' || typeof revision !== 'number') return []
    try {
      return [[key, { uid, stored: Object.freeze({ name, revision, value: decodeValue(kind, name, value) }) }]]
    } catch {
      return []
    }
  })
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeWhole(path, text, 0o600)
}
