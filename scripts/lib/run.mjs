import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** Bun as npm installed it. */
export const BUN = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe')

/**
 * Runs a program to its end with nothing on stdin. `onLine` sees every line of output as it comes.
 * @returns {Promise<{ code: number, output: string }>} code 128 + n after signal n; 127 when there is no such program
 */
export async function run(command, args, { env = process.env, onLine, cwd = ROOT, onStatus } = {}) {
  const stdio = ['ignore', 'pipe', 'pipe', onStatus ? 'pipe' : 'ignore']
  const child = spawn(command, args, { cwd, env, stdio })
  const output = []
  const read = (stream, handle) => createInterface({ input: stream }).on('line', handle)
  const keep = (line) => {
    output.push(line)
    onLine?.(line)
  }
  read(child.stdout, keep)
  read(child.stderr, keep)
  if (onStatus) read(child.stdio[3], onStatus)
  try {
    const [code, signal] = await once(child, 'close')
    return { code: code ?? (signal === null ? 1 : 128), output: output.join('\n') }
  } catch (error) {
    return { code: 127, output: error.message }
  }
}

/** Runs a program in the foreground: its terminal is ours. Returns its exit code. */
export async function hand(command, args, { env = process.env } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', env })
  // The terminal sends Ctrl-C to both: the child decides what it means.
  const ignore = () => {}
  const pass = () => child.kill('SIGTERM')
  process.on('SIGINT', ignore).on('SIGTERM', pass)
  const [code] = await once(child, 'close')
  process.off('SIGINT', ignore).off('SIGTERM', pass)
  return code ?? 1
}

/** What a short program prints, or undefined when it fails. */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return status === 0 ? stdout : undefined
}
