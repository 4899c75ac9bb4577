/**
 * The cloud's services where a machine can reach them: they listen on this computer's loopback, which is another one inside.
 * @module
 */
import { closeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
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
        socket: { open: (near) => join(near, port), data: forward, drain: flush, end: ended, close: ended },
      }),
    )
    return { [Symbol.dispose]: () => listening.stop(true) }
  } finally {
    closeSync(fd)
  }
}

interface Pipe {
  readonly far: Socket
  /** What did not fit into the socket yet. */
  left: Buffer
  isOver: boolean
}

function join(near: Bun.Socket<Pipe>, port: number): void {
  const far = connect({ host: '127.0.0.1', port })
  near.data = { far, left: Buffer.alloc(0), isOver: false }
  far.on('data', (chunk: Buffer) => {
    near.data.left = Buffer.concat([near.data.left, chunk])
    flush(near)
  })
  far.on('close', () => {
    near.data.isOver = true
    flush(near)
  })
  far.on('error', () => near.end())
}

function forward({ data }: Bun.Socket<Pipe>, chunk: Uint8Array): void {
  data.far.write(Uint8Array.from(chunk))
}

/** A socket takes as much as fits, and says when there is room again. */
function flush(near: Bun.Socket<Pipe>): void {
  const { data } = near
  if (data.left.length > 0) data.left = data.left.subarray(Math.max(0, near.write(data.left)))
  if (data.isOver && data.left.length === 0) near.end()
}

function ended({ data }: Bun.Socket<Pipe>): void {
  data.far.end()
}
