/**
 * What a process uses, as /proc tells.
 * @module
 */
import { readFileSync } from 'node:fs'

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

/** Memory ten seconds later: what is not used any more is given back by then. */
export async function settledMemory(pid: number, milliseconds = 10_000): Promise<Memory> {
  await Bun.sleep(milliseconds)
  return memoryOf(pid)
}

/** Milliseconds of processor time that a process has used, threads that ended included; in steps of ten. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name in parentheses may hold anything. Fields 14 and 15 of proc(5) are ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

function field(status: string, name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024
}
