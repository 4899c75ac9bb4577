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
export async function started(
  argv: readonly string[],
  { folder, env = {}, log = 'stderr.log', isReady }: StartOptions,
): Promise<Daemon> {
  const daemon = spawnDaemon(argv, { ...inherited(), ...env }, folder)
  const end = performance.now() + PATIENCE
  while (!(await isReady())) {
    if (daemon.alive() && performance.now() < end) {
      await Bun.sleep(100)
      continue
    }
    await daemon.kill()
    throw new Error(`${argv[0]} is not ready:\n${lastWords(join(folder, log))}`)
  }
  return daemon
}

const PATIENCE = 240_000
const SILENCE = process.stderr.isTTY ? 2_000 : 20_000

/** Does what takes its time, and says every two seconds that it goes on. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  const beat = setInterval(() => {
    process.stderr.write(`  … ${title} (${Math.round((performance.now() - begun) / 1000)} s)\n`)
  }, SILENCE)
  try {
    return await work()
  } finally {
    clearInterval(beat)
  }
}

/** How a program is started. */
export interface StartOptions {
  /** Where it is, and where its `stderr.log` goes. */
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
  /** The file in `folder` that tells what went wrong. Absent: what it wrote to its standard error. */
  readonly log?: string
  readonly isReady: () => boolean | Promise<boolean>
}

/** Whether an HTTP server answers something that is no failure of its own. */
export async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url, { keepalive: false, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    return status < 500
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
