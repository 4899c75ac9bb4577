/**
 * Real packets from inside a network namespace: an ICMP echo, and a TCP connection that reads one line.
 * @module
 */

import { ready } from '../linux/poller.ts'
import { ping as echo } from '../linux/rawsocket.ts'
import { AF_INET, AF_INET6, encodeSockaddr } from '../linux/sockaddr.ts'
import {
  closeFd,
  getOption,
  MSG_DONTWAIT,
  openSocket,
  SO_ERROR,
  SOCK_NONBLOCK,
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

const IPPROTO_TCP = 6
const EINPROGRESS = 115
const MAX_LINE = 256
const NEWLINE = new Uint8Array([0x0a])

/** Whether an address answers an echo request that is sent from the namespace of a descriptor. */
export async function ping(netns: number, target: Ip, patience = PATIENCE): Promise<boolean> {
  for (let sequence = 1; sequence <= patience.pings; sequence += 1) {
    const { reached } = await echo({ address: target, nsFd: netns, timeoutMs: patience.interval })
    if (reached) return true
  }
  return false
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
    // Who says something is answered at once; the server waits a moment for those who do not.
    systemCalls().send(fd, NEWLINE, MSG_DONTWAIT)
    return await readLine(fd, until)
  } finally {
    closeFd(fd)
  }
}

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
