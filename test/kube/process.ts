/**
 * Programs that a test starts and ends by their pid.
 * @module
 */
import { openSync } from 'node:fs'

/** A running program. */
export interface Running {
  readonly pid: number
  /** Resolves with its exit code. */
  readonly exited: Promise<number>
  /** Ends it, at once or as it likes to be ended. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Starts a program whose output goes to a file. */
export function start(command: readonly string[], log: string): Running {
  const out = openSync(log, 'a')
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: out, stderr: out })
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    child.kill(signal)
    await child.exited
  }
  return { pid: child.pid, exited: child.exited, stop }
}

/** Runs a program to its end. Throws with what it wrote to stderr. */
export async function runOrFail(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${said.slice(-500)}`)
}

/** A port on the loopback that nobody listens on at this moment. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  const { port } = listener
  listener.stop(true)
  return port
}

/** Asks again and again until an attempt does not throw. Throws what the last one did. */
export async function eventually<T>(attempt: () => Promise<T>, milliseconds: number): Promise<T> {
  const end = performance.now() + milliseconds
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await Bun.sleep(100)
    }
  }
}
