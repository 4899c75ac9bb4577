/**
 * Real packets from inside a network namespace: an ICMP echo, and a TCP connection that reads one line.
 * @module
 */

import { ready } from '../linux/poller.ts'
import { AF_INET, AF_INET6, encodeSockaddr } from '../linux/sockaddr.ts'
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
} from '../linux/socket.ts'
import { systemCalls } from '../linux/sys/addon.ts'
import { familyOf, type Ip } from '../network/model/address.ts'

/** How long a probe goes on. The first packet between two nodes may be lost while the underlay learns addresses. */
export interface Patience {
  /** Echo requests at most. */
  readonly pings: number
  /** Milliseconds between them. */
  readonly interval: number
  /** Milliseconds for a TCP connection and its first line; the kernel repeats a SYN after 1000. */
  readonly tcp: number
}

export const PATIENCE: Patience = { pings: 4, interval: 400, tcp: 2200 }

const IPPROTO_ICMP = 1
const IPPROTO_TCP = 6
const IPPROTO_ICMPV6 = 58
const EINPROGRESS = 115
const MAX_LINE = 256

/** Whether an address answers an echo request that is sent from the namespace of a descriptor. */
export async function ping(netns: number, target: Ip, patience = PATIENCE): Promise<boolean> {
  const four = familyOf(target) === 4
  const protocol = four ? IPPROTO_ICMP : IPPROTO_ICMPV6
  const fd = openSocket(four ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, protocol, netns)
  try {
    // A connected raw socket hears its peer only. No route to it is an answer, too.
    if (systemCalls().connect(fd, sockaddr(target, 0)) < 0) return false
    nextId = (nextId + 1) & 0xffff
    const id = nextId
    for (let sequence = 1; sequence <= patience.pings; sequence += 1) {
      systemCalls().send(fd, echoRequest(four, id, sequence), MSG_DONTWAIT)
      if (await echoReply(fd, { four, id, until: performance.now() + patience.interval })) return true
    }
    return false
  } finally {
    closeFd(fd)
  }
}

/** The first line that a TCP server says to a client in the namespace of a descriptor; undefined without an answer. */
export async function firstLine(
  netns: number,
  target: Ip,
  port: number,
  patience = PATIENCE,
): Promise<string | undefined> {
  const until = performance.now() + patience.tcp
  const fd = openSocket(familyOf(target) === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP, netns)
  try {
    const connecting = systemCalls().connect(fd, sockaddr(target, port))
    if (connecting < 0 && connecting !== -EINPROGRESS) return undefined
    if (!(await readyUntil(fd, 'write', until)) || getOption(fd, SOL_SOCKET, SO_ERROR) !== 0) return undefined
    return await readLine(fd, until)
  } finally {
    closeFd(fd)
  }
}

let nextId = process.pid & 0xffff

async function readLine(fd: number, until: number): Promise<string | undefined> {
  const bytes = new Uint8Array(MAX_LINE)
  let text = ''
  while (text.length < MAX_LINE && (await readyUntil(fd, 'read', until))) {
    const n = systemCalls().recv(fd, bytes, MSG_DONTWAIT)
    if (n <= 0) return undefined
    text += new TextDecoder().decode(bytes.subarray(0, n))
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end)
  }
  return undefined
}

async function echoReply(
  fd: number,
  { four, id, until }: { readonly four: boolean; readonly id: number; readonly until: number },
): Promise<boolean> {
  const bytes = new Uint8Array(1500)
  while (await readyUntil(fd, 'read', until)) {
    const n = systemCalls().recv(fd, bytes, MSG_DONTWAIT)
    if (n > 0 && isReply(bytes.subarray(0, n), four, id)) return true
  }
  return false
}

/** A raw IPv4 socket hands over the IP header, an IPv6 one does not (raw(7), RFC 3542). */
function isReply(packet: Uint8Array, four: boolean, id: number): boolean {
  const message = four ? packet.subarray(((packet[0] ?? 0) & 15) * 4) : packet
  return message.length >= 8 && message[0] === (four ? 0 : 129) && ((message[4] ?? 0) << 8) + (message[5] ?? 0) === id
}

/** An echo request of 64 bytes; the kernel fills in the checksum of ICMPv6 only. */
function echoRequest(four: boolean, id: number, sequence: number): Uint8Array {
  const message = new Uint8Array(64).fill(0x77)
  message.set([four ? 8 : 128, 0, 0, 0, id >> 8, id & 0xff, sequence >> 8, sequence & 0xff])
  if (!four) return message
  const sum = internetChecksum(message)
  message.set([sum >> 8, sum & 0xff], 2)
  return message
}

/** RFC 1071, over an even number of bytes. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) + (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

async function readyUntil(fd: number, interest: 'read' | 'write', until: number): Promise<boolean> {
  const left = Math.ceil(until - performance.now())
  if (left <= 0) return false
  try {
    await ready(fd, interest, left)
    return true
  } catch {
    return false
  }
}

function sockaddr(address: Ip, port: number): Uint8Array {
  return encodeSockaddr({ family: familyOf(address) === 4 ? 'inet' : 'inet6', address, port })
}
