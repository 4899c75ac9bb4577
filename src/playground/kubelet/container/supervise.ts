/**
 * A container's supervisor: a process of its own per run, so that containers outlive the daemon. Starts the program,
 * writes down what it says and how it ends, and ends with it; killed, it takes the program along.
 * @module
 */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { startOf } from '../../processes.ts'
import { RUN_FILES, type RunEnd, readEnd, readSpec, writeJson } from './files.ts'
import { LogFile, type LogStream } from './log-file.ts'
import { SCRIPT, SCRIPT_FILE, shellArguments } from './script.ts'

/** Milliseconds for which what was said last is waited for: a left-behind process may hold the pipe for ever. */
const LAST_WORDS = 500
/** The exit code of a container whose program cannot be started. */
const CANNOT_START = 128

/** Runs what a folder says to its end. */
export async function supervise(folder: string, now: () => Date = () => new Date()): Promise<void> {
  const spec = readSpec(folder)
  if (spec === undefined) throw new Error(`${folder} says nothing about what to run`)
  writeFileSync(join(folder, RUN_FILES.supervisor), `${process.pid} ${startOf(process.pid)}`, { mode: 0o600 })
  // Whoever gave the run up before it began says so by ending it.
  if (readEnd(folder) !== undefined) return
  const finish = (end: Omit<RunEnd, 'finishedAt'>): void =>
    writeJson(join(folder, RUN_FILES.end), { ...end, finishedAt: now().getTime() })
  const [program = ''] = spec.argv
  if (Bun.which(program, { PATH: spec.env['PATH'] ?? '' }) === null) {
    const message = `there is no program ${JSON.stringify(program)} on this machine: images are not pulled here`
    return finish({ exitCode: CANNOT_START, reason: 'StartError', message })
  }
  writeFileSync(join(folder, SCRIPT_FILE), SCRIPT, { mode: 0o600 })
  const log = new LogFile(folder, now)
  const startedAt = now().getTime()
  const init = openSync(join(folder, RUN_FILES.init), 'w', 0o600)
  const child = Bun.spawn([...isolate(spec.netns), tool('sh'), ...shellArguments(spec.view, spec.argv)], {
    cwd: folder,
    env: { ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe', init],
  })
  closeSync(init)
  const said = Promise.all([relay(log, 'stdout', child.stdout), relay(log, 'stderr', child.stderr)])
  process.on('SIGTERM', () => child.kill('SIGKILL'))
  const code = await child.exited
  await Promise.race([said, Bun.sleep(LAST_WORDS)])
  log.close()
  finish({ ...meaning(code), startedAt })
}

/** Namespaces of its own but for the network; everything ends with the supervisor. */
function isolate(netns: string): readonly string[] {
  const own = ['--pid', '--fork', '--kill-child', '--mount', '--uts', '--ipc']
  const die = [tool('setpriv'), '--pdeathsig', 'KILL']
  return [...die, tool('nsenter'), `--net=${netns}`, '--', tool('unshare'), ...own, '--']
}

/** Where a tool is: the container's PATH must not choose it. */
function tool(name: string): string {
  return Bun.which(name) ?? name
}

async function relay(log: LogFile, stream: LogStream, from: ReadableStream<Uint8Array>): Promise<void> {
  for await (const bytes of from) log.write(stream, bytes)
}

/** A shell, and Bun for its own children, report the end by a signal as 128 plus its number. */
function meaning(code: number): Pick<RunEnd, 'exitCode' | 'signal' | 'reason'> {
  if (code === 0) return { exitCode: 0, reason: 'Completed' }
  const signal = code - 128
  return Object.values(constants.signals).includes(signal as never)
    ? { exitCode: code, signal, reason: 'Error' }
    : { exitCode: code, reason: 'Error' }
}
