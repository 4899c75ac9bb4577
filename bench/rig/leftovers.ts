/**
 * What a run that was killed leaves: processes, namespaces, folders, playgrounds. All of it is known by that run's process id, in a
 * folder's name that its processes have in their environment, and in the names of namespaces.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { netnsDel, netnsList } from '../../src/linux/netns.ts'
import { inodeOf, namespaceInodes } from '../../src/playground/lab/namespaces.ts'
import { layoutOf } from '../../src/playground/layout.ts'
import { endProcesses, isAlive, processesInside, startOf } from '../../src/playground/processes.ts'
import { tearDown } from '../../src/playground/tear-down.ts'

const TEMPORARY = '/tmp'
const FOLDER = /^weft-bench-run-(\d+)$/
/** The end of a playground's name is its run; those of tests have none of these names. */
const PLAYGROUND = /^weft-e2e-bench-[a-z]+-(\d+)$/
const NETNS = /^(?:wefttest-mesh|wefttest-flannel|weftbench-bgp)-(\d+)(?:-|$)/

/** Makes this run's folder the one for everything temporary, of its children as well. */
export function markRun(): void {
  const folder = folderOf(process.pid)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  process.env['TMPDIR'] = folder
}

/** Clears up after every run that has ended without it. */
export async function clearLeftovers(): Promise<void> {
  const runs = readdirSync(TEMPORARY).map((name) => Number(FOLDER.exec(name)?.[1] ?? process.pid))
  for (const run of runs) if (run !== process.pid && !isAlive(run)) await clearRun(run)
}

/** Clears up after one run, of which nothing is needed any more. */
export async function clearRun(run: number = process.pid): Promise<void> {
  for (const name of readdirSync('/run')) {
    if (Number(PLAYGROUND.exec(name)?.[1]) === run) await tearDown(layoutOf(join('/run', name)))
  }
  const namespaces = netnsList().filter((name) => Number(NETNS.exec(name)?.[1]) === run)
  await endProcesses([...processesOf(folderOf(run)), ...processesInside(namespaceInodes(namespaces), inodeOf)])
  for (const name of namespaces) netnsDel(name)
  if (existsSync(folderOf(run))) rmSync(folderOf(run), { recursive: true, force: true })
}

function folderOf(run: number): string {
  return join(TEMPORARY, `weft-bench-run-${run}`)
}

function processesOf(folder: string) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap((pid) => {
    const start = startOf(Number(pid))
    if (start === undefined || !hasTemporary(pid, folder)) return []
    return [{ pid: Number(pid), start, role: 'bench' }]
  })
}

function hasTemporary(pid: string, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`TMPDIR=${folder}`)
  } catch {
    // It has ended meanwhile.
    return false
  }
}
