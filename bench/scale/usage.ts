/**
 * What a process uses, as /proc tells.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Memory of a process in MiB. */
export interface Memory {
  readonly resident: number
  /** The most it ever was. */
  readonly peak: number
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return { resident: field(status, 'VmRSS'), peak: field(status, 'VmHWM') }
}

/** Memory after it has had time to settle. */
export async function settledMemory(pid: number, milliseconds = 5_000): Promise<Memory> {
  await Bun.sleep(milliseconds)
  return memoryOf(pid)
}

/** Milliseconds that all threads of a process have been running. */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const ran = threads.map((thread) => Number(readThread(pid, thread).split(' ')[0] ?? 0))
  return ran.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6
}

function readThread(pid: number, thread: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1')
  } catch {
    // It ended meanwhile.
    return '0'
  }
}

function field(status: string, name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024
}
