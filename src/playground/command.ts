/**
 * Short runs of other programs, off the pods' path.
 * @module
 */
import { PlaygroundError } from './errors.ts'

/** Runs a program to its end and returns what it printed. Throws PLAY_COMMAND with what it complained about. */
export async function command(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
  const child = Bun.spawn([...argv], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, ...env },
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) === 0) return stdout
  const complaint = stderr.trim().split('\n').at(-1) ?? ''
  throw new PlaygroundError(
    'PLAY_COMMAND',
    `${argv.slice(0, 4).join(' ')} … failed: ${complaint}`,
    '`weft play down`, then try again',
  )
}
