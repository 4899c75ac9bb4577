/**
 * The program itself: its version, and its judgement of a configuration that nobody uses yet.
 * @module
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { BirdError, printable, refusedConfiguration } from './errors.ts'

/**
 * How BIRD is called: the program with what has to stand before it, such as `nsenter --net=… bird`. The last process in it has
 * to be BIRD itself. `['bird']` when absent.
 */
export type BirdCommand = readonly string[]

/** Of BIRD alone, from the PATH or Debian's folder of daemons. */
export const BIRD: BirdCommand = ['bird']

/** In ms. A configuration of a thousand sessions is read in 50. */
const PATIENCE = 20_000
/** `strict bind` came with it. */
const OLDEST = { major: 2, minor: 0, patch: 8 }

/** The version as three numbers. Throws BIRD_MISSING without the program, BIRD_VERSION for one that this code does not know. */
export async function birdVersion(command: BirdCommand = BIRD): Promise<string> {
  const { output } = await run([...command, '--version'])
  const [, major, minor, patch] = /BIRD version (\d+)\.(\d+)(?:\.(\d+))?/.exec(output) ?? []
  if (major === undefined || minor === undefined) {
    throw new BirdError('BIRD_VERSION', `"bird --version" says ${JSON.stringify(printable(output))}`, INSTALL)
  }
  const version = `${major}.${minor}.${patch ?? 0}`
  const isKnown = Number(major) === OLDEST.major && (Number(minor) > 0 || Number(patch ?? 0) >= OLDEST.patch)
  if (isKnown) return version
  throw new BirdError('BIRD_VERSION', `BIRD ${version} is not BIRD 2 of 2.0.8 or later`, INSTALL)
}

/** Throws BIRD_CONFIGURATION for a file that BIRD refuses, in BIRD's words. */
export async function checkConfiguration(file: string, command: BirdCommand = BIRD): Promise<void> {
  const { exitCode, output } = await run([...command, '-p', '-c', file])
  if (exitCode !== 0) throw refusedConfiguration(output)
}

/** The environment BIRD is run in: a root shell of systemd has the folder of daemons in its PATH, others do not. */
export function birdEnvironment(): Record<string, string | undefined> {
  return { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin` }
}

/**
 * The command that runs BIRD with the capabilities that it needs, and none of its starter's others. Taking them away is a capability
 * itself (CAP_SETPCAP), and needs setpriv(1): without both it keeps what its starter has.
 */
export function confined(command: BirdCommand): BirdCommand {
  const before = wordsBefore(command)
  const bird = command.at(-1)
  const { PATH } = birdEnvironment()
  if (before === undefined || bird === undefined || !mayDrop()) return command
  if (Bun.which('setpriv', { PATH: PATH ?? '' }) === null) return command
  const kept = KEPT.map((name) => `+${name}`).join(',')
  return [...before, 'setpriv', `--bounding-set=-all,${kept}`, '--inh-caps=-all', '--no-new-privs', bird]
}

/** What stands before the program itself; undefined where that is not the last word. */
export function wordsBefore(command: BirdCommand): readonly string[] | undefined {
  return basename(command.at(-1) ?? '') === 'bird' ? command.slice(0, -1) : undefined
}

/** Routes and keys of sessions; the port; raw sockets. */
const KEPT = ['net_admin', 'net_bind_service', 'net_raw']
/** CAP_SETPCAP of linux/capability.h. */
const SETPCAP = 1n << 8n

function mayDrop(): boolean {
  try {
    const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return (BigInt(`0x${effective}`) & SETPCAP) !== 0n
  } catch {
    return false
  }
}

/** The error for a program that could not be started. */
export function notStarted(error: unknown): BirdError {
  const why = error instanceof Error ? error.message : String(error)
  return new BirdError('BIRD_MISSING', `BIRD cannot be started: ${printable(why)}`, INSTALL)
}

const INSTALL = 'install BIRD 2: apt-get install bird2'

async function run(command: readonly string[]): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const child = start(command)
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  await child.exited
  if (child.signalCode !== null) {
    throw new BirdError(
      'BIRD_TIMEOUT',
      `"${command.join(' ')}" did not end by itself`,
      'look at the load of the machine',
    )
  }
  // With something before it, it is that which says the program is not there.
  if (child.exitCode === 127) throw notStarted(new Error(stderr || 'no such program'))
  return { exitCode: child.exitCode, output: `${stderr}${stdout}`.slice(0, 4096) }
}

function start(command: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  try {
    return Bun.spawn([...command], {
      env: birdEnvironment(),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
    })
  } catch (error) {
    throw notStarted(error)
  }
}
