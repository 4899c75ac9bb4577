/**
 * Containers on disk: starts runs, finds out how they are, ends them. Knows nothing that is not in the folders, so that
 * the next kubelet goes on where a killed one stopped.
 *
 * `<pods>/<uid>/<container>/<attempt>/` is one run.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../../layout.ts'
import { startProcess } from '../../processes.ts'
import type { ExitedState, RunState } from '../pod/facts.ts'
import { companion } from '../programs.ts'
import { lives, type ProcessName, RUN_FILES, type RunSpec, readEnd, readProcess, readSpec, writeJson } from './files.ts'

/** A container: its folder holds its runs. */
export type ContainerFolder = string

/** How long a supervisor may take to begin, in milliseconds. */
const PATIENCE = 10_000
const KILLED = 137

/** Starts a run. `etc` are the texts of the files that replace those of /etc, by name. */
export function startRun(
  layout: Layout,
  container: ContainerFolder,
  attempt: number,
  spec: Omit<RunSpec, 'id'>,
  etc: Readonly<Record<string, string>>,
): void {
  const folder = join(container, String(attempt))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const [name, content] of Object.entries(etc)) writeFileSync(join(folder, name), content, { mode: 0o644 })
  writeJson(join(folder, RUN_FILES.spec), { ...spec, id: randomBytes(32).toString('hex') })
  startProcess(layout, { role: 'pods', argv: companion('supervise', folder) })
  for (const old of attempts(container).filter((each) => each < attempt - 1)) {
    rmSync(join(container, String(old)), { recursive: true, force: true })
  }
}

/** The latest run and the one before it. */
export function observeRuns(
  container: ContainerFolder,
  now: number,
): { readonly run: RunState; readonly before: ExitedState | undefined } {
  const [previous, latest] = attempts(container).slice(-2)
  const last = latest ?? previous
  if (last === undefined) return { run: { kind: 'none' }, before: undefined }
  const before = latest === undefined ? undefined : observeRun(container, previous ?? 0, now)
  return { run: observeRun(container, last, now), before: before?.kind === 'exited' ? before : undefined }
}

/** Sends a signal to what runs; one that has not begun yet is given up. */
export function signalRun(container: ContainerFolder, run: RunState, signal: 'SIGTERM' | 'SIGKILL', now: number): void {
  if (run.kind === 'none' || run.kind === 'exited') return
  const folder = join(container, String(run.attempt))
  if (run.kind === 'running') {
    send(readProcess(join(folder, RUN_FILES.init)), signal)
    return
  }
  writeJson(join(folder, RUN_FILES.end), { exitCode: KILLED, signal: 9, reason: 'Error', finishedAt: now })
  send(readProcess(join(folder, RUN_FILES.supervisor)), 'SIGKILL')
}

/** The folder of a run. */
export function runFolder(container: ContainerFolder, attempt: number): string {
  return join(container, String(attempt))
}

/** Numbers of the runs there are folders of, in order. */
export function attempts(container: ContainerFolder): readonly number[] {
  return names(container)
    .filter((name) => /^\d{1,9}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Names in a folder; none where there is no folder. */
export function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function observeRun(container: ContainerFolder, attempt: number, now: number): RunState {
  const folder = join(container, String(attempt))
  const { id = '', streak = 0 } = readSpec(folder) ?? {}
  const base = { attempt, id, streak }
  const end = readEnd(folder)
  if (end !== undefined) return { kind: 'exited', ...base, end }
  const init = readProcess(join(folder, RUN_FILES.init))
  const supervisor = readProcess(join(folder, RUN_FILES.supervisor))
  const supervised = supervisor !== undefined && lives(supervisor)
  if (init !== undefined && (supervised || lives(init))) {
    return { kind: 'running', ...base, pid: init.pid, startedAt: init.since }
  }
  if (supervised) return { kind: 'starting', ...base }
  if (supervisor === undefined && now - createdAt(folder) < PATIENCE) return { kind: 'starting', ...base }
  // The supervisor writes the end down last of all: it may have done so just now.
  const written = readEnd(folder)
  if (written !== undefined) return { kind: 'exited', ...base, end: written }
  const lost = {
    exitCode: KILLED,
    reason: 'ContainerStatusUnknown',
    message: 'what watched over the container ended, and the container with it',
    ...(init === undefined ? {} : { startedAt: init.since }),
    finishedAt: now,
  }
  writeJson(join(folder, RUN_FILES.end), lost)
  return { kind: 'exited', ...base, end: lost }
}

function createdAt(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function send(to: ProcessName | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (to === undefined || !lives(to)) return
  try {
    process.kill(to.pid, signal)
  } catch {
    // It ended by itself meanwhile.
  }
}
