import { join } from 'node:path'

/** What an executed tool left behind. */
export type ToolResult = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** A child process that a test started and must end. */
export type Daemon = {
  readonly pid: number
  alive(): boolean
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>
  /** SIGTERM, then SIGKILL after five seconds. */
  end(): Promise<void>
}

/** Starts a program in the foreground as our child; it dies with this process at the latest, even if that is killed. */
export function spawnDaemon(argv: readonly string[], env: Record<string, string>, dir: string): Daemon {
  const child = Bun.spawn(['setpriv', '--pdeathsig', 'KILL', ...argv], {
    env,
    cwd: dir,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: Bun.file(join(dir, 'stderr.log')),
  })
  const alive = (): boolean => child.exitCode === null && child.signalCode === null
  const killAtExit = (): void => {
    if (alive()) child.kill('SIGKILL')
  }
  process.once('exit', killAtExit)
  const signal = async (name: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (alive()) child.kill(name)
    const force = setTimeout(() => child.kill('SIGKILL'), 5000)
    await child.exited
    clearTimeout(force)
    process.removeListener('exit', killAtExit)
  }
  return { pid: child.pid, alive, kill: () => signal('SIGKILL'), end: () => signal('SIGTERM') }
}

/** Runs a tool to its end. Never throws for a non-zero exit. */
export async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin?: string,
): Promise<ToolResult> {
  const child = Bun.spawn([...argv], {
    env,
    stdin: stdin === undefined ? 'ignore' : new TextEncoder().encode(stdin),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}
