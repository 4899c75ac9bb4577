/**
 * BIRD as a process of its own, which goes on without whoever started it.
 *
 * It is known again by its process file and by the control socket on its command line. A process file without its process is
 * what a crash leaves: then BIRD begins with recovery, and its peers and the kernel keep its routes meanwhile.
 * @module
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ask, type ControlSocket } from './control.ts'
import { BirdError, printable } from './errors.ts'
import { type BirdCommand, birdEnvironment, confined, notStarted } from './program.ts'
import { isBird, isTaken, portIn, rivalPid } from './rivals.ts'

/** Where a BIRD is. All of these paths are its alone. */
export interface BirdPlaces {
  readonly command: BirdCommand
  readonly socket: string
  readonly pidFile: string
  /** What it says while it starts, or when it ends at once. */
  readonly outputFile: string
  /** Stands where the next start is to recover, after an end that was asked for. */
  readonly recoverFile: string
  /** The network namespace that it works in, as a path; where that is not known, nobody else is looked for. */
  readonly namespace?: string
}

/** In ms: for a BIRD that starts to answer. */
const PATIENCE = 10_000
const STEP = 50

/** The process that runs; undefined without one. */
export function runningPid({ pidFile, socket }: BirdPlaces): number | undefined {
  const pid = Number.parseInt(textOf(pidFile), 10)
  if (!(pid > 1)) return undefined
  const words = textOf(`/proc/${pid}/cmdline`).split('\0')
  // A process that has ended and was not yet asked for has no command line any more.
  return isBird(pid) && words.some((word, i) => word === socket && words[i - 1] === '-s') ? pid : undefined
}

/** Starts BIRD and waits until it answers. Throws BIRD_ENDED with its own last words when it does not get there. */
export async function startBird(places: BirdPlaces, configuration: string): Promise<number> {
  for (const path of [places.socket, places.pidFile, places.outputFile]) mkdirSync(dirname(path), { recursive: true })
  await withoutRivals(places, configuration)
  const isRecovering = existsSync(places.pidFile) || existsSync(places.recoverFile)
  const child = spawn(places, configuration, isRecovering)
  const end = Date.now() + PATIENCE
  while (Date.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null) throw endedAtOnce(places)
    if (await answers({ path: places.socket, timeoutMs: 1000 })) {
      const pid = runningPid(places)
      if (pid !== undefined) {
        rmSync(places.recoverFile, { force: true })
        child.unref()
        return pid
      }
    }
    await Bun.sleep(STEP)
  }
  child.kill('SIGKILL')
  throw new BirdError('BIRD_TIMEOUT', `BIRD was started and does not answer at ${places.socket}`, 'see the log of BIRD')
}

/** The next start recovers, however this BIRD ends. */
export function recoverNext({ recoverFile }: BirdPlaces): void {
  mkdirSync(dirname(recoverFile), { recursive: true })
  writeFileSync(recoverFile, '')
}

/** Whether a BIRD answers. */
export async function answers(control: ControlSocket): Promise<boolean> {
  try {
    await ask(control, 'show status')
    return true
  } catch {
    return false
  }
}

function spawn(places: BirdPlaces, configuration: string, isRecovering: boolean): Bun.Subprocess {
  const { command, socket, pidFile, outputFile } = places
  const output = openSync(outputFile, 'w', 0o600)
  try {
    const args = ['-f', '-c', configuration, '-s', socket, '-P', pidFile, ...(isRecovering ? ['-R'] : [])]
    return Bun.spawn([...confined(command), ...args], {
      env: birdEnvironment(),
      stdio: ['ignore', output, output],
      // A session of its own: what ends its starter's terminal or group does not end it.
      detached: true,
    })
  } catch (error) {
    throw notStarted(error)
  } finally {
    closeSync(output)
  }
}

/** Throws BIRD_RIVAL for another BIRD, and for whoever listens where this one would. */
async function withoutRivals(places: BirdPlaces, configuration: string): Promise<void> {
  const pid = rivalPid(places, runningPid(places))
  if (pid !== undefined) {
    const cause = `another BIRD (process ${pid}) runs on this machine: each would remove the other's routes`
    throw new BirdError('BIRD_RIVAL', cause, 'end it, such as by: systemctl disable --now bird')
  }
  const port = portIn(textOf(configuration))
  if (port === undefined) return
  // The sockets of one that has just ended live a moment longer.
  for (let i = 0; i < 10; i += 1) {
    if (!(await isTaken(places, port))) return
    await Bun.sleep(STEP)
  }
  const cause = `another program listens at TCP port ${port} of this machine, where BIRD would`
  const remedy = `find it with: ss -ltnp sport = :${port}; end it, or give the BGPConfiguration default another listenPort`
  throw new BirdError('BIRD_RIVAL', cause, remedy)
}

function endedAtOnce({ outputFile }: BirdPlaces): BirdError {
  const words = textOf(outputFile).trim().split('\n').at(-1) ?? ''
  const cause = `BIRD ended as soon as it was started: ${printable(words) || 'it does not say why'}`
  return new BirdError('BIRD_ENDED', cause, `see ${outputFile}`)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 65_536)
  } catch {
    return ''
  }
}
