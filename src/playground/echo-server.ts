/**
 * The playground's server inside a network namespace where no container runs one: a node, the host outside.
 * @module
 */
import { netnsOpen, withNetns } from '../linux/netns.ts'
import { closeFd } from '../linux/socket.ts'
import { listenTcp } from './kubelet/server/tcp.ts'

/** A running server. */
export interface EchoServer {
  close(): void
}

/** Serves both families on a port inside a network namespace, named by its path. Throws when it cannot listen. */
export function serveEcho(netns: string, port: number, name: string): EchoServer {
  const fd = netnsOpen(netns)
  try {
    return withNetns(fd, () => listenTcp(port, { name }))
  } finally {
    closeFd(fd)
  }
}
