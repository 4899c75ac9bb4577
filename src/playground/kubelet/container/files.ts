/**
 * A run of a container, as the folder that its supervisor and the kubelet share. Nothing else connects the two: either
 * may be killed and find its way back.
 * @module
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOf } from '../../processes.ts'
import type { View } from './script.ts'

/** What is to run. Written once, before the supervisor starts; readable by root only: the environment may hold secrets. */
export interface RunSpec {
  /** Names the run: a container has another one after every restart. */
  readonly id: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly view: View
  /** Path of the network namespace. */
  readonly netns: string
  /** Crashes in a row before this run: the longer the row, the later the next one. */
  readonly streak: number
}

/** How a run ended. */
export interface RunEnd {
  readonly exitCode: number
  readonly signal?: number
  readonly reason: string
  readonly message?: string
  /** Milliseconds since 1970. */
  readonly startedAt?: number
  readonly finishedAt: number
}

/** A process by number and start, so that a later one with its number is not taken for it. */
export interface ProcessName {
  readonly pid: number
  readonly start: string
}

/** The files of a run. */
export const RUN_FILES = {
  spec: 'spec.json',
  /** `<pid> <start>` of process 1, by the script; its time of change is when the program started. */
  init: 'init.pid',
  supervisor: 'supervisor.pid',
  end: 'end.json',
  log: 'log',
  /** What was before the log grew too large. */
  olderLog: 'log.1',
} as const

export function readSpec(folder: string): RunSpec | undefined {
  return readJson(join(folder, RUN_FILES.spec)) as RunSpec | undefined
}

export function readEnd(folder: string): RunEnd | undefined {
  return readJson(join(folder, RUN_FILES.end)) as RunEnd | undefined
}

/** Writes a file that is there whole or not at all. */
export function writeJson(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(value), { mode: 0o600 })
  renameSync(draft, path)
}

/** A process named in a file, and when that was written. */
export function readProcess(path: string): (ProcessName & { readonly since: number }) | undefined {
  try {
    const [, pid, start] = /^(\d+) (\d+)\s*$/.exec(readFileSync(path, 'utf8')) ?? []
    if (pid === undefined || start === undefined) return undefined
    return { pid: Number(pid), start, since: statSync(path).mtimeMs }
  } catch {
    return undefined
  }
}

/** Whether a process still runs. */
export function lives({ pid, start }: ProcessName): boolean {
  return startOf(pid) === start
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
