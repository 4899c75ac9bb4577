/**
 * Programs, run to their end.
 * @module
 */

/** What came of a program. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** How to run it. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly timeout?: number
}

/** Runs a program; its failure is a result. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { env, input, timeout = 120_000 } = options
  const child = Bun.spawn([...argv], {
    env: env ?? process.env,
    stdin: input === undefined ? 'ignore' : typeof input === 'string' ? new TextEncoder().encode(input) : input,
    stdout: 'pipe',
    stderr: 'pipe',
    timeout,
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}

/** Runs a program and returns what it printed. Throws when it fails. */
export async function output(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options)
  if (code === 0) return stdout
  throw new Error(`${argv.join(' ')} failed with ${code}: ${(stderr || stdout).trim()}`)
}
