/**
 * The cloud's services where a machine can reach them: they listen on this computer's loopback, which is another one inside.
 * @module
 */
import { closeSync } from 'node:fs'
import { netnsOpen, withNetns } from '../../../src/linux/netns.ts'

/** Has a port of a namespace's loopback lead to the same port here. */
export function relay(netns: string, port: number): Disposable {
  const fd = netnsOpen(netns)
  try {
    const listening = withNetns(fd, () =>
      Bun.listen<Pipe>({
        hostname: '127.0.0.1',
        port,
        allowHalfOpen: true,
        socket: { open: (socket) => join(socket, port), data: forward, end: ended, close: ended },
      }),
    )
    return { [Symbol.dispose]: () => listening.stop(true) }
  } finally {
    closeSync(fd)
  }
}

interface Pipe {
  readonly waiting: Uint8Array[]
  far?: Bun.Socket<undefined>
}

function join(near: Bun.Socket<Pipe>, port: number): void {
  near.data = { waiting: [] }
  Bun.connect<undefined>({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (far) => {
        near.data.far = far
        for (const chunk of near.data.waiting.splice(0)) far.write(chunk)
      },
      data: (_, chunk) => {
        near.write(chunk)
      },
      close: () => {
        near.end()
      },
    },
  }).catch(() => near.end())
}

function forward(near: Bun.Socket<Pipe>, chunk: Uint8Array): void {
  if (near.data.far === undefined) near.data.waiting.push(Uint8Array.from(chunk))
  else near.data.far.write(chunk)
}

function ended(near: Bun.Socket<Pipe>): void {
  near.data.far?.end()
}
