/**
 * The folder of what a test runs, which says whose it is. A run that was killed leaves folders, namespaces and sometimes processes
 * behind: the next one recognises them by their folder, whose owner is gone, and removes them.
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { netnsDel, netnsList } from '../../../src/linux/netns.ts'

const PREFIX = 'weft-cloud-'
const OWNER = 'owner.json'

/** Makes a folder of this process, and removes those whose processes are gone. */
export async function ownFolder(): Promise<string> {
  await removeLeftovers()
  const folder = mkdtempSync(join(tmpdir(), PREFIX))
  writeFileSync(join(folder, OWNER), JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) }))
  return folder
}

/** The name of a network namespace that goes with a folder. */
export function netnsOf(folder: string, name: string): string {
  return `${netnsPrefix(folder)}${name}`
}

/** Removes a folder and the namespaces that go with it. What ran there has been ended. */
export function removeFolder(folder: string): void {
  for (const name of netnsList().filter((one) => one.startsWith(netnsPrefix(folder)))) netnsDel(name)
  rmSync(folder, { recursive: true, force: true })
}

/** Removes what runs left behind that did not come to their end. A folder without an owner's name is nobody's business. */
export async function removeLeftovers(): Promise<readonly string[]> {
  const folders = readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter((folder) => isLeftBehind(folder))
  for (const folder of folders) {
    await killThoseIn(folder)
    removeFolder(folder)
  }
  return folders
}

function netnsPrefix(folder: string): string {
  return `wefttest-cloud-${basename(folder).slice(PREFIX.length)}-`
}

function isLeftBehind(folder: string): boolean {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(join(folder, OWNER), 'utf8'))
    return Number.isInteger(pid) && typeof startedAt === 'string' && startOf(pid) !== startedAt
  } catch {
    return false
  }
}

/** Every program is started in a folder below, and none has a terminal: somebody's shell in there is left alone. */
async function killThoseIn(folder: string): Promise<void> {
  for (;;) {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isProgramIn(Number(name), folder))
    if (pids.length === 0) return
    for (const pid of pids) killIfThere(Number(pid))
    await Bun.sleep(50)
  }
}

function isProgramIn(pid: number, folder: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`)
    const [state, , , , terminal] = statOf(pid)
    return (cwd === folder || cwd.startsWith(`${folder}/`)) && state !== 'Z' && terminal === '0'
  } catch {
    return false
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** When a process was started, in ticks since the machine was; undefined where there is none of that number. */
function startOf(pid: number): string | undefined {
  try {
    return statOf(pid)[19]
  } catch {
    return undefined
  }
}

/** Fields of proc_pid_stat(5) from the third one, the state, on: the name in front of it may hold anything. */
function statOf(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
