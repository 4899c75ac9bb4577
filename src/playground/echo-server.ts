/**
 * A small TCP server inside a network namespace: greets with its name and the client's address, then echoes.
 * @module
 */
import { netnsOpen, withNetns } from '../linux/netns.ts'
import { closeFd } from '../linux/socket.ts'
import { parseIp } from '../network/model/address.ts'

/** A running server. */
export interface EchoServer {
  close(): void
}

/** Serves both families on a port inside a network namespace, named by its path. Throws when it cannot listen. */
export function serveEcho(netns: string, port: number, name: string): EchoServer {
  const fd = netnsOpen(netns)
  try {
    const server = withNetns(fd, () => listen(port, name))
    return { close: () => server.stop(true) }
  } finally {
    closeFd(fd)
  }
}

function listen(port: number, name: string): { stop(force: boolean): void } {
  return Bun.listen({
    hostname: '::',
    port,
    socket: {
      open: (socket) => {
        socket.write(`${name} ${plainAddress(socket.remoteAddress)}\n`)
      },
      // Who does not read what comes back is not waited for.
      data: (socket, bytes) => {
        if (socket.write(bytes) < bytes.length) socket.end()
      },
      error: (socket) => {
        socket.end()
      },
    },
  })
}

/** An IPv4 client of a socket of both families is `::ffff:1.2.3.4` to it. */
function plainAddress(address: string): string {
  const text = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return parseIp(text) ?? text
}
