/**
 * What a playground writes down of itself: its shape, and a record of every pod's sandbox as a container runtime keeps it.
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockFile } from '../linux/lock.ts'
import { type Ip, parseIp } from '../network/model/address.ts'
import { notRunning, PlaygroundError } from './errors.ts'
import type { Layout } from './layout.ts'
import type { Shape } from './options.ts'

/** The state file. */
export interface PlayState {
  readonly version: 1
  readonly shape: Shape
  readonly datapath: 'system' | 'netdev'
  /** False until everything is up: a run that ended half-way. */
  readonly complete: boolean
}

/** A pod's sandbox, written before its ADD. */
export interface Sandbox {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly containerId: string
  readonly netns: string
  /** The ADD's result, kept for the DEL. */
  readonly result?: unknown
}

/** Makes the folders. */
export function makeFolders({ runDir, podDir, logDir, intentDir, apiDir }: Layout): void {
  for (const path of [runDir, podDir, logDir, intentDir, apiDir]) mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** The state, or undefined where there is no playground (or only unreadable remains of one). */
export function readState({ stateFile }: Layout): PlayState | undefined {
  const state = readJson(stateFile) as PlayState | undefined
  return state?.version === 1 ? state : undefined
}

/** The state of a playground that is there. Throws PLAY_NOT_RUNNING. */
export function stateOf(layout: Layout): PlayState {
  const state = readState(layout)
  if (state === undefined) throw notRunning(layout.runDir)
  return state
}

export function writeState({ stateFile }: Layout, state: PlayState): void {
  writeJson(stateFile, state)
}

/** All sandboxes' records. */
export function listSandboxes({ podDir }: Layout): readonly Sandbox[] {
  try {
    const files = readdirSync(podDir).filter((name) => name.endsWith('.json'))
    return files.sort().flatMap((name) => (readJson(join(podDir, name)) as Sandbox | undefined) ?? [])
  } catch {
    return []
  }
}

/** A pod's record, whoever of that name left it. */
export function findSandbox(layout: Layout, namespace: string, name: string): Sandbox | undefined {
  return readJson(sandboxFile(layout, { namespace, name })) as Sandbox | undefined
}

export function writeSandbox(layout: Layout, sandbox: Sandbox): void {
  writeJson(sandboxFile(layout, sandbox), sandbox)
}

export function removeSandbox(layout: Layout, sandbox: Sandbox): void {
  rmSync(sandboxFile(layout, sandbox), { force: true })
}

/** The addresses in a sandbox's result of CNI 1.0.0. */
export function addressesOf({ result }: Pick<Sandbox, 'result'>): readonly Ip[] {
  const ips = typeof result === 'object' && result !== null && 'ips' in result ? result.ips : []
  if (!Array.isArray(ips)) return []
  return ips.flatMap((entry: { readonly address?: unknown }) => {
    const parsed = parseIp(String(entry?.address ?? '').replace(/\/\d+$/, ''))
    return parsed === undefined ? [] : [parsed]
  })
}

/**
 * Runs `work` as the only one that changes this playground. Throws PLAY_BUSY at once when somebody else is at it; the
 * kernel ends the claim with the process.
 */
export async function exclusively<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  mkdirSync(layout.runDir, { recursive: true, mode: 0o700 })
  using mine = lockFile(layout.lockFile)
  if (mine !== undefined) return await work()
  const remedy = 'wait until it is done, or use another --run-dir'
  throw new PlaygroundError('PLAY_BUSY', `another weft play is at work on ${layout.runDir}`, remedy)
}

function sandboxFile({ podDir }: Layout, { namespace, name }: Pick<Sandbox, 'namespace' | 'name'>): string {
  // Names of namespaces hold no dots.
  return join(podDir, `${namespace}.${name}.json`)
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function writeJson(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, path)
}
