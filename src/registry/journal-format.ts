/**
 * The lines of a journal.
 * @module
 */
import { isKind } from './codec.ts'
import type { Entry } from './history.ts'
import { RegistryError } from './registry.ts'
import { parseRevision, storedFromWire } from './wire.ts'

/** What a journal comes to: the last revision, and for every object that is there the change that put it. */
export interface JournalState {
  readonly revision: number
  readonly entries: ReadonlyMap<string, Entry>
}

/** A state that changes are applied to. */
export interface MutableJournalState {
  revision: number
  readonly entries: Map<string, Entry>
}

/** A change as a line. */
export function journalLine({ kind, type, object }: Entry): string {
  return `${JSON.stringify({ kind, type, object })}\n`
}

/** Applies a change. */
export function applyEntry(state: MutableJournalState, entry: Entry): void {
  const key = `${entry.kind}/${entry.object.name}`
  state.revision = Math.max(state.revision, entry.object.revision)
  if (entry.type === 'put') state.entries.set(key, entry)
  else state.entries.delete(key)
}

/** A journal's content. A last line without its end was never acknowledged. Throws `REGISTRY_INVALID` on damage. */
export function parseJournal(path: string, content: string): MutableJournalState {
  const [header = '', ...lines] = content.split('\n').slice(0, -1)
  const state: MutableJournalState = { revision: parseHeader(path, header), entries: new Map() }
  for (const [index, line] of lines.entries()) {
    const entry = parseEntry(line)
    if (entry === undefined) throw damaged(path, index + 2)
    applyEntry(state, entry)
  }
  return state
}

function parseHeader(path: string, line: string): number {
  const header = parseLine(line)
  const revision = parseRevision(header['revision'])
  if (header['weft'] !== 'registry' || header['version'] !== 1 || revision === undefined) throw damaged(path, 1)
  return revision
}

function parseEntry(line: string): Entry | undefined {
  const { kind, type, object } = parseLine(line)
  if (typeof kind !== 'string' || !isKind(kind) || (type !== 'put' && type !== 'delete')) return undefined
  try {
    return { kind, type, object: storedFromWire(kind, object) }
  } catch {
    return undefined
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

function damaged(path: string, line: number): RegistryError {
  const message = `${path} is no registry's state or is damaged in line ${line}: restore it, or move it away to start empty`
  return new RegistryError('REGISTRY_INVALID', message)
}
