/**
 * The sockets that a DNS server needs, inside a network namespace.
 * @module
 */
import { framed, joined, split } from '../../dns/frames.ts'
import { checked } from '../../linux/errno.ts'
import { addrList } from '../../linux/netlink/address.ts'
import { openRtnl } from '../../linux/netlink/rtnl-socket.ts'
import { netnsOpen, withNetns } from '../../linux/netns.ts'
import { watch } from '../../linux/poller.ts'
import { AF_INET, AF_INET6, ipSockaddr } from '../../linux/sockaddr.ts'
import { closeFd, MSG_DONTWAIT, MSG_TRUNC, openSocket, SOCK_DGRAM, SOCK_NONBLOCK } from '../../linux/socket.ts'
import { systemCalls } from '../../linux/sys/addon.ts'

/** Takes a question and gives the answer, or nothing for what deserves none. */
export type Respond = (question: Uint8Array, transport: 'udp' | 'tcp') => Uint8Array | undefined

/** Something that serves until it is closed. */
export interface Listener {
  close(): void
}

/** Opens sockets in a network namespace, which is named by its path. Each throws when it cannot listen. */
export interface DnsSockets {
  udp(netns: string, address: string, port: number, respond: Respond): Listener
  tcp(netns: string, address: string, port: number, respond: Respond): Listener
  /** The addresses that a server there can be asked at. */
  addresses(netns: string): readonly string[]
}

/** Those of the kernel. */
export const KERNEL_SOCKETS: DnsSockets = { udp: listenUdp, tcp: listenTcp, addresses: addressesIn }

/** A connection that says nothing for so long is closed, seconds. */
const IDLE = 10
/** Questions that are answered before others get their turn. */
const BATCH = 64
/** A question is short; longer datagrams are cut, and then malformed. */
const LONGEST_QUESTION = 4096
/** Answers that a client has not read, in bytes, before it is given up. */
const MOST_UNREAD = 1 << 20
const MOST_CONNECTIONS = 256

/** A socket of one address: what is sent from it comes from there. */
function listenUdp(netns: string, address: string, port: number, respond: Respond): Listener {
  const calls = systemCalls()
  const fd = inside(netns, (nsFd) =>
    openSocket(address.includes(':') ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, nsFd),
  )
  try {
    checked(calls.bind(fd, ipSockaddr(address, port)), 'bind', `${address} port ${port}`)
    const buffer = new Uint8Array(LONGEST_QUESTION)
    const registration = watch(fd, 'read', () => {
      for (let i = 0; i < BATCH; i++) {
        const received = calls.recvfrom(fd, buffer, MSG_DONTWAIT | MSG_TRUNC)
        // Nothing more for now, or an earlier answer that was not taken.
        if (typeof received === 'number') return
        if (received.n > buffer.length) continue
        const answer = respond(buffer.subarray(0, received.n), 'udp')
        // A client that cannot be reached asks again or not.
        if (answer !== undefined) calls.sendto(fd, answer, MSG_DONTWAIT, received.address)
      }
    })
    return {
      close: () => {
        registration.close()
        closeFd(fd)
      },
    }
  } catch (error) {
    closeFd(fd)
    throw error
  }
}

interface Connection {
  pending: Uint8Array
  unsent: Uint8Array
}

/** Each message goes behind its length in two bytes (RFC 7766). */
function listenTcp(netns: string, address: string, port: number, respond: Respond): Listener {
  let connections = 0
  const server = inside(netns, (nsFd) =>
    withNetns(nsFd, () =>
      Bun.listen<Connection>({
        hostname: address,
        port,
        socket: {
          open: (socket) => {
            connections += 1
            socket.data = { pending: EMPTY, unsent: EMPTY }
            socket.timeout(IDLE)
            if (connections > MOST_CONNECTIONS) socket.end()
          },
          data: (socket, bytes) => {
            socket.timeout(IDLE)
            const { messages, rest } = split(joined(socket.data.pending, bytes))
            socket.data.pending = rest
            const answers = messages.flatMap((one) => respond(one, 'tcp') ?? []).map(framed)
            socket.data.unsent = joined(socket.data.unsent, ...answers)
            if (socket.data.unsent.length > MOST_UNREAD) socket.terminate()
            else flush(socket)
          },
          drain: flush,
          timeout: (socket) => {
            socket.end()
          },
          close: () => {
            connections -= 1
          },
          error: (socket) => {
            socket.terminate()
          },
        },
      }),
    ),
  )
  return { close: () => server.stop(true) }
}

/** Of every link but the loopback; not those that are still being checked, nor link-local ones. */
function addressesIn(netns: string): readonly string[] {
  return inside(netns, (nsFd) => {
    using rtnl = openRtnl({ nsFd })
    return addrList(rtnl)
      .filter(({ scope, tentative, dadFailed }) => scope === 'global' && !tentative && !dadFailed)
      .map(({ address }) => address.replace(/\/.*/, ''))
  })
}

function inside<T>(netns: string, action: (nsFd: number) => T): T {
  const nsFd = netnsOpen(netns)
  try {
    return action(nsFd)
  } finally {
    closeFd(nsFd)
  }
}

function flush(socket: { readonly data: Connection; write(bytes: Uint8Array): number }): void {
  const { unsent } = socket.data
  if (unsent.length > 0) socket.data.unsent = unsent.slice(Math.max(0, socket.write(unsent)))
}

const EMPTY = new Uint8Array(0)
