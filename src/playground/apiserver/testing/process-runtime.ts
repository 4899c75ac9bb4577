/**
 * A pod runtime whose containers are processes of this machine, and a client for its channels.
 * @module
 */
import type { PodRuntime } from '../contract.ts'
import type { TestServer } from './harness.ts'

/** Runs commands as they are; logs are the options they were asked with. */
export function processRuntime(): PodRuntime {
  return {
    logs: async (_pod, options) => new Blob([`${JSON.stringify(options)}\n`]).stream(),
    exec: async (_pod, { command }) => {
      const child = Bun.spawn([...command], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
      return {
        stdout: child.stdout,
        stderr: child.stderr,
        write: (data) => {
          child.stdin.write(data)
          child.stdin.flush()
        },
        endInput: () => {
          child.stdin.end()
        },
        resize: () => undefined,
        exited: child.exited,
        kill: () => child.kill('SIGKILL'),
      }
    },
  }
}

/** An open exec. */
export interface Channels {
  send(channel: number, text: string): void
  close(): void
  /** The first words on the standard output. */
  readonly first: Promise<string>
  /** What came on each channel until the server closed. */
  readonly closed: Promise<{ readonly channels: Readonly<Record<number, string>>; readonly code: number }>
}

/** Opens a WebSocket. Rejects when it is refused. */
export async function connect({ server }: TestServer, path: string, protocol: string): Promise<Channels> {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path, {
    protocols: [protocol],
    headers: { authorization: `Bearer ${server.tokenOf('admin')}` },
  })
  socket.binaryType = 'arraybuffer'
  const parts = new Map<number, string[]>()
  const first = Promise.withResolvers<string>()
  socket.addEventListener('message', ({ data }) => {
    const bytes = new Uint8Array(data)
    const [channel = -1] = bytes
    const text = new TextDecoder().decode(bytes.subarray(1))
    parts.set(channel, [...(parts.get(channel) ?? []), text])
    if (channel === 1) first.resolve(text)
  })
  const closed = new Promise<Awaited<Channels['closed']>>((resolve) => {
    socket.addEventListener('close', ({ code }) => {
      const channels = Object.fromEntries([...parts].map(([channel, texts]) => [channel, texts.join('')]))
      resolve({ channels, code })
    })
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('refused')))
  })
  return {
    send: (channel, text) => socket.send(new Uint8Array([channel, ...new TextEncoder().encode(text)])),
    close: () => socket.close(),
    first: first.promise,
    closed,
  }
}
