/**
 * Streams from one place to another: services are reached where they do not listen.
 * @module
 */
import { once } from 'node:events'
import { connect, createServer, type ListenOptions, type NetConnectOpts } from 'node:net'

/** Has whoever connects to `from` talk to `to`. A port 0 is a free one. Gives the port that listens, 0 where it is a path. */
export async function pipe(from: ListenOptions, to: NetConnectOpts): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...to, allowHalfOpen: true })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  server.unref()
  server.listen(from)
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
