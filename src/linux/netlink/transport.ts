/**
 * The kernel's end of a netlink conversation, behind an interface so that tests can inject what a healthy kernel does
 * not do on request.
 * @module
 */
import { checked, Errno } from '../errno.ts'
import { AF_NETLINK, encodeSockaddr } from '../sockaddr.ts'
import { closeFd, MSG_TRUNC, openSocket, SOCK_RAW, setOption, setReceiveBuffer, setReceiveTimeout } from '../socket.ts'
import { systemCalls } from '../sys/addon.ts'
import { NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, NETLINK_ROUTE, SOL_NETLINK } from './constants.ts'

export interface NetlinkTransport {
  /** Bytes sent or -errno. */
  send(bytes: Uint8Array): number
  /** The same on a thread. */
  sendBlocking(bytes: Uint8Array): Promise<number>
  /** A datagram of the caller's own, 0 when it was longer than the buffer (which has grown since), or -errno. */
  receive(): Uint8Array | number
  /** A fresh transport in the same namespace. */
  sibling(): NetlinkTransport
  close(): void
}

/** A socket in the namespace of `nsFd`, or in the program's own, for routes by default; only the kernel can send to it. */
export function kernelTransport(nsFd?: number, protocol: number = NETLINK_ROUTE): NetlinkTransport {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, protocol, nsFd)
  try {
    for (const option of protocol === NETLINK_ROUTE ? [...ANSWERS, NETLINK_GET_STRICT_CHK] : ANSWERS)
      setOption(fd, SOL_NETLINK, option, 1)
    setReceiveBuffer(fd, SOCKET_BUFFER)
    setReceiveTimeout(fd, ANSWER_TIMEOUT_MS)
    checked(systemCalls().connect(fd, encodeSockaddr({ family: 'netlink', pid: 0, groups: 0 })), 'connect', 'netlink')
  } catch (error) {
    closeFd(fd)
    throw error
  }
  return transportOf(fd, protocol)
}

const ANSWERS = [NETLINK_CAP_ACK, NETLINK_EXT_ACK]

// What the kernel may queue for us, in bytes; it fills datagrams of at most 32 KiB.
const SOCKET_BUFFER = 1 << 20
// The kernel answers inside send(); without an answer after this, it lost it.
const ANSWER_TIMEOUT_MS = 5_000
const SIOCGSKNS = 0x894c

// Conversations are synchronous and copy what they keep: one buffer serves all sockets.
let scratch = new Uint8Array(1 << 16)

function transportOf(fd: number, protocol: number): NetlinkTransport {
  const calls = systemCalls()
  let open = true
  const alive = <T>(value: () => T): T | number => (open ? value() : -EBADF)
  return {
    send: (bytes) => alive(() => calls.send(fd, bytes, 0)),
    sendBlocking: async (bytes) => alive(() => calls.sendBlocking(fd, bytes)),
    receive: () => alive(() => receive(fd)),
    sibling: () => sibling(open ? fd : -1, protocol),
    close: () => {
      if (open) closeFd(fd)
      open = false
    },
  }
}

// A closed descriptor's number may belong to somebody else by now: never use it.
const EBADF = 9

function receive(fd: number): Uint8Array | number {
  const n = systemCalls().recv(fd, scratch, MSG_TRUNC)
  if (n < 0) return n === -Errno.EAGAIN ? -ETIMEDOUT : n
  if (n <= scratch.length) return scratch.slice(0, n)
  scratch = new Uint8Array(2 ** Math.ceil(Math.log2(n)))
  return 0
}

const ETIMEDOUT = 110

function sibling(fd: number, protocol: number): NetlinkTransport {
  if (fd < 0) checked(-EBADF, 'socket', 'closed')
  const namespace = checked(systemCalls().ioctl(fd, SIOCGSKNS), 'ioctl', 'SIOCGSKNS')
  try {
    return kernelTransport(namespace, protocol)
  } finally {
    closeFd(namespace)
  }
}
