/**
 * What the daemon knows of its mesh, for `weft mesh status` and for the next daemon: a file that is written as a whole. Nothing depends on
 * it but the times in it.
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../files/whole-file.ts'
import type { PeerWay } from './plan.ts'

/** `up` and `down` of tunnels are BFD's words, as `init` and `admin_down`; a machine on the segment is `up` or `silent`. */
export type PeerState = string

/** Another machine, as it was when the file was written. */
export interface PeerRecord {
  readonly name: string
  readonly address: string
  readonly subnets: readonly string[]
  readonly way: PeerWay
  readonly state: PeerState
  /** Seconds since the epoch, as of when way and state are these. */
  readonly since: number
  readonly mtu?: number
  /** Its port on our bridge; absent without a tunnel. */
  readonly port?: string
  /** What keeps packets from leaving, or from leaving directly. */
  readonly why?: string
}

/** A mesh, as it was when the file was written. */
export interface MeshRecord {
  readonly host: string
  readonly address: string
  /** The list comes from there. */
  readonly source: string
  readonly attach: string
  /** Absent without tunnels. */
  readonly bridge?: string
  readonly mtu?: number
  readonly peers: readonly PeerRecord[]
  /** What is in the way, a sentence each. */
  readonly problems: readonly string[]
  /** What works all the same. */
  readonly notes: readonly string[]
}

/** Where the daemon listens to nobody, and leaves its file. */
export const MESH_FOLDER = '/run/weft'

/** Locked by whoever keeps the mesh. */
export function lockPath(folder: string): string {
  return join(folder, 'mesh.lock')
}

/** The file's content; undefined where there is none, or none that makes sense. */
export function readRecord(folder: string): MeshRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(recordPath(folder), 'utf8')) as MeshRecord
    return [value.peers, value.problems, value.notes].every(Array.isArray) ? value : undefined
  } catch {
    return undefined
  }
}

/** Writes it where it is another. Throws what the file system says. */
export function writeRecord(folder: string, record: MeshRecord): void {
  const text = `${JSON.stringify(record, null, 2)}\n`
  if (textOf(recordPath(folder)) === text) return
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeWhole(recordPath(folder), text, 0o600)
}

export function recordPath(folder: string): string {
  return join(folder, 'mesh.json')
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
