/**
 * ovs-vswitchd's control socket (ovs-appctl(8)): JSON-RPC with one request per connection.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'

/** A control command that failed. */
export class UnixctlError extends Error {
  readonly code: 'UNIXCTL_UNREACHABLE' | 'UNIXCTL_REFUSED'
  readonly remedy: string

  constructor(code: UnixctlError['code'], message: string, remedy: string) {
    super(message)
    this.name = 'UnixctlError'
    this.code = code
    this.remedy = remedy
  }
}

/** Longest answer read, in bytes: a trace of a hundred tables is a few tens of kilobytes. */
const MAX_ANSWER = 4 << 20
const TIMEOUT_MS = 5_000

/** The control socket of the ovs-vswitchd that runs in this folder: named after its pid, unless told otherwise. */
export function vswitchdControl(runDir: string): string {
  const named = `${runDir}/ovs-vswitchd.ctl`
  if (existsSync(named)) return named
  try {
    return `${runDir}/ovs-vswitchd.${readFileSync(`${runDir}/ovs-vswitchd.pid`, 'utf8').trim()}.ctl`
  } catch {
    throw new UnixctlError(
      'UNIXCTL_UNREACHABLE',
      `no ovs-vswitchd keeps its pid file in ${runDir}`,
      'start Open vSwitch, or name its run folder',
    )
  }
}

/** Runs a command, `ofproto/trace` for example, and resolves with the text it prints. */
export function unixctl(path: string, command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder()
    let text = ''
    const fail = (why: string) =>
      reject(new UnixctlError('UNIXCTL_UNREACHABLE', `ovs-vswitchd at ${path}: ${why}`, 'check that ovs-vswitchd runs'))
    const timer = setTimeout(() => fail('no answer'), TIMEOUT_MS)
    const done = (socket: { end(): void }, finish: () => void) => {
      clearTimeout(timer)
      // First: ending the socket calls `close` at once.
      finish()
      socket.end()
    }
    Bun.connect({
      unix: path,
      socket: {
        open: (socket) => void socket.write(JSON.stringify({ id: 0, method: command, params: args })),
        data(socket, bytes) {
          text += decoder.decode(bytes, { stream: true })
          if (text.length > MAX_ANSWER) return done(socket, () => fail('the answer is too long'))
          const answer = parse(text)
          if (answer === undefined) return
          done(socket, () =>
            answer.error === undefined ? resolve(answer.result) : reject(refused(command, answer.error)),
          )
        },
        close: () => fail('the connection was closed'),
        error: (_socket, error) => fail(error.message),
      },
    }).catch((error: unknown) => {
      clearTimeout(timer)
      fail(error instanceof Error ? error.message : String(error))
    })
  })
}

function parse(text: string): { readonly result: string; readonly error: string | undefined } | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer !== 'object' || answer === null) return { result: '', error: 'the answer is no object' }
    const { result, error } = answer as { readonly result?: unknown; readonly error?: unknown }
    return { result: String(result ?? ''), error: error === null || error === undefined ? undefined : String(error) }
  } catch {
    return undefined // not all there yet
  }
}

function refused(command: string, why: string): UnixctlError {
  return new UnixctlError('UNIXCTL_REFUSED', `${command}: ${why.trim()}`, 'correct the arguments of the command')
}
