/**
 * Runs a credential plugin once.
 * @module
 */
import type { ExecPlugin } from '../config.ts'
import { KubeError } from '../errors.ts'
import { questionFor } from './credential.ts'

/** How a plugin is run. */
export interface RunOptions {
  /** Milliseconds after which it is ended. 30 s when absent, and 5 min where it may ask a person. */
  readonly timeout?: number
  /** Whether a person can answer. */
  readonly interactive: boolean
}

const PATIENCE = 30_000
const PATIENCE_WITH_PEOPLE = 300_000
/** A certificate, its key and a token; more is none of these. */
const MAX_OUTPUT = 1 << 20

/**
 * What a plugin prints. Its errors are for the person at the terminal and for nobody else: they may hold what must not
 * be in a log. Throws `KUBE_CREDENTIALS`.
 */
export async function runPlugin(plugin: ExecPlugin, options: RunOptions): Promise<string> {
  const interactive = options.interactive && plugin.interactiveMode !== 'Never'
  if (plugin.interactiveMode === 'Always' && !interactive) {
    throw failure('wants to ask a person, and there is none', 'use an account that needs nobody')
  }
  const child = start(plugin, interactive)
  const reader = child.stdout.getReader()
  const { promise: late, reject: isLate } = Promise.withResolvers<never>()
  const patience = options.timeout ?? (interactive ? PATIENCE_WITH_PEOPLE : PATIENCE)
  const timer = setTimeout(() => isLate(failure('did not answer in time and was ended', BY_HAND)), patience)
  try {
    const [text, code] = await Promise.race([Promise.all([readAll(reader), child.exited]), late])
    if (code === 0) return text
    throw failure(`failed with exit code ${code}`, BY_HAND)
  } catch (error) {
    end(child.pid, interactive)
    throw error
  } finally {
    clearTimeout(timer)
    await reader.cancel().catch(() => undefined)
  }
}

const BY_HAND = 'run the plugin by hand with the same arguments and see what it says'

function start(plugin: ExecPlugin, interactive: boolean) {
  const { command, args, env, installHint } = plugin
  try {
    return Bun.spawn([command, ...args], {
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: questionFor(plugin, interactive) },
      stdin: interactive ? 'inherit' : 'ignore',
      stdout: 'pipe',
      stderr: interactive ? 'inherit' : 'ignore',
      // A group of its own can be ended with all that it started; one that asks a person stays with its terminal.
      detached: !interactive,
    })
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    const hint = installHint === undefined ? 'install it, or correct the command in the kubeconfig' : cut(installHint)
    throw failure(`${JSON.stringify(cut(command))} cannot be run (${code})`, hint)
  }
}

/** Ends a plugin, and what it started: that may hold on to its output. */
function end(pid: number, interactive: boolean): void {
  try {
    process.kill(interactive ? pid : -pid, 'SIGKILL')
  } catch {
    // Nothing is left, as it should be.
  }
}

async function readAll(reader: Reader): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done || value === undefined) return Buffer.concat(chunks).toString('utf8')
    size += value.length
    if (size > MAX_OUTPUT) throw failure('printed without an end', BY_HAND)
    chunks.push(value)
  }
}

/** What is used of a stream's reader: the runtime's and the platform's types for it differ in the rest. */
interface Reader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

function failure(did: string, remedy: string): KubeError {
  return new KubeError('KUBE_CREDENTIALS', `the credential plugin ${did}`, remedy)
}

function cut(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
