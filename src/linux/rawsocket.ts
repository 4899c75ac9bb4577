/**
 * Probes from inside any network namespace, by its descriptor and without a process: ICMP echo and TCP.
 * @module
 */
import { internetChecksum } from './checksum.ts'
import { checked, Errno, hasErrno, LinuxError, systemError } from './errno.ts'
import { parseIp } from './ip.ts'
import { ready } from './poller.ts'
import { AF_INET, AF_INET6, ipSockaddr } from './sockaddr.ts'
import {
  closeFd,
  getOption,
  MSG_DONTWAIT,
  openSocket,
  SO_ERROR,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
} from './socket.ts'
import { systemCalls } from './sys/addon.ts'

export interface ProbeTarget {
  readonly address: string
  readonly nsFd?: number
  readonly timeoutMs: number
}

/** `reason` is the error's code: `LINUX_TIMEOUT`, `LINUX_EHOSTUNREACH`, `LINUX_EPERM` (a local firewall), … */
export type ProbeResult =
  | { readonly reached: true; readonly milliseconds: number; readonly data: Uint8Array }
  | { readonly reached: false; readonly reason: string }

/** One ICMP or ICMPv6 echo with a payload of `size` bytes (default 56). Network failures are results, not errors. */
export async function ping(target: ProbeTarget & { readonly size?: number }): Promise<ProbeResult> {
  const ipv4 = parseIp(target.address).length === 4
  return probe(target, SOCK_RAW, ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 0, async (fd, deadline) => {
    const request = echoRequest(ipv4, target.size ?? 56)
    checked(systemCalls().send(fd, request, 0), 'send', target.address)
    for (;;) {
      const reply = await receive(fd, deadline)
      const echo = ipv4 ? reply.subarray(4 * ((reply[0] ?? 0) & 0xf)) : reply
      if (isReply(ipv4, echo, request)) return echo.slice(8)
    }
  })
}

/** Connects, sends `data` if given, and then waits for the first answer (only when `data` is given). */
export async function tcpProbe(
  target: ProbeTarget & { readonly port: number; readonly data?: Uint8Array },
): Promise<ProbeResult> {
  return probe(target, SOCK_STREAM, 0, target.port, async (fd, deadline) => {
    if (target.data === undefined) return new Uint8Array(0)
    checked(systemCalls().send(fd, target.data, 0), 'send', target.address)
    return receive(fd, deadline)
  })
}

const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58

type Exchange = (fd: number, deadline: number) => Promise<Uint8Array>

async function probe(
  target: ProbeTarget,
  type: number,
  protocol: number,
  port: number,
  exchange: Exchange,
): Promise<ProbeResult> {
  const address = ipSockaddr(target.address, port)
  const domain = target.address.includes(':') ? AF_INET6 : AF_INET
  const start = performance.now()
  const deadline = start + target.timeoutMs
  const fd = openSocket(domain, type | SOCK_NONBLOCK, protocol, target.nsFd)
  try {
    await connect(fd, address, deadline, target.address)
    const data = await exchange(fd, deadline)
    return { reached: true, milliseconds: performance.now() - start, data }
  } catch (error) {
    // An error that is not the network's is the caller's.
    if (!(error instanceof LinuxError) || hasErrno(error, 'EBADF', 'EMFILE', 'ENFILE')) throw error
    return { reached: false, reason: error.code }
  } finally {
    closeFd(fd)
  }
}

async function connect(fd: number, address: Uint8Array, deadline: number, about: string): Promise<void> {
  const started = systemCalls().connect(fd, address)
  if (started !== -Errno.EINPROGRESS) {
    checked(started, 'connect', about)
    return
  }
  await ready(fd, 'write', left(deadline))
  const errno = getOption(fd, SOL_SOCKET, SO_ERROR)
  if (errno !== 0) throw systemError(errno, 'connect', about)
}

async function receive(fd: number, deadline: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(1 << 16)
  for (;;) {
    await ready(fd, 'read', left(deadline))
    const n = systemCalls().recv(fd, buffer, MSG_DONTWAIT)
    if (n !== -Errno.EAGAIN) return buffer.subarray(0, checked(n, 'recv'))
  }
}

function left(deadline: number): number {
  return Math.max(1, deadline - performance.now())
}

let identifier = process.pid & 0xffff

/** Type, code, checksum, identifier, sequence, payload; the kernel computes ICMPv6's checksum. */
function echoRequest(ipv4: boolean, size: number): Uint8Array {
  identifier = (identifier + 1) & 0xffff
  const packet = new Uint8Array(8 + size).fill(0x77, 8)
  const view = new DataView(packet.buffer)
  view.setUint8(0, ipv4 ? 8 : 128)
  view.setUint16(4, identifier)
  view.setUint16(6, 1)
  if (ipv4) view.setUint16(2, internetChecksum(packet))
  return packet
}

function isReply(ipv4: boolean, echo: Uint8Array, request: Uint8Array): boolean {
  const same = (i: number): boolean => echo[i] === request[i]
  return echo[0] === (ipv4 ? 0 : 129) && echo.length === request.length && [4, 5, 6, 7].every(same)
}
