/**
 * Programs of the cloud, each a child of this process that ends with it at the latest, and files that say what they said.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Daemon, spawnDaemon } from '../../../src/ovs/testing/daemon.ts'
import { output } from '../../lab/command.ts'

/** A command that has to succeed, with minutes of patience: the machine may have much else to do. */
export function must(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return output(argv, { env: { ...inherited(), ...env }, timeout: 600_000 })
}

/** Starts a program in the foreground, and waits until `isReady`. Throws with the end of its log when it ends before. */
export async function started(argv: readonly string[], { folder, env = {}, isReady }: StartOptions): Promise<Daemon> {
  const daemon = spawnDaemon(argv, { ...inherited(), ...env }, folder)
  while (!(await isReady())) {
    if (!daemon.alive()) throw new Error(`${argv[0]} ended:\n${lastWords(join(folder, 'stderr.log'))}`)
    await Bun.sleep(100)
  }
  return daemon
}

/** How a program is started. */
export interface StartOptions {
  /** Where it is, and where its `stderr.log` goes. */
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
  readonly isReady: () => boolean | Promise<boolean>
}

/** Whether an HTTP server answers anything at all. */
export async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { keepalive: false, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    return true
  } catch {
    return false
  }
}

/** The end of a log. */
export function lastWords(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(-3000)
  } catch {
    return `nothing in ${path}`
  }
}

function inherited(): Record<string, string> {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin', LANG = 'C.UTF-8' } = process.env
  return { PATH: `/usr/sbin:/sbin:${PATH}`, LANG, HOME: '/root' }
}
