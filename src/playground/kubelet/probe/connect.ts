/**
 * What a node asks its pods over TCP: connections from the node's own stack, as a real kubelet's.
 * @module
 */
import { LinuxError } from '../../../linux/errno.ts'
import { ready } from '../../../linux/poller.ts'
import { AF_INET, AF_INET6, encodeSockaddr } from '../../../linux/sockaddr.ts'
import {
  closeFd,
  getOption,
  MSG_DONTWAIT,
  openSocket,
  SO_ERROR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../../linux/socket.ts'
import { systemCalls } from '../../../linux/sys/addon.ts'
import { familyOf, type Ip } from '../../../network/model/address.ts'
import { endText } from '../server/identity.ts'

/** What came of a probe; the message says what was wrong, or what was seen. */
export interface Answer {
  readonly success: boolean
  readonly message: string
}

const IPPROTO_TCP = 6
const EINPROGRESS = 115
const MAX_ANSWER = 16 * 1024

/** Whether a connection to `address`:`port` from the namespace of a descriptor comes about in so many milliseconds. */
export async function askTcp(netns: number, address: Ip, port: number, timeout: number): Promise<Answer> {
  return connected(netns, address, port, timeout, async () => ({ success: true, message: 'connected' }))
}

/** Whether a GET is answered with a status from 200 to 399. */
export async function askHttp(
  netns: number,
  address: Ip,
  port: number,
  request: { readonly path: string; readonly headers: readonly (readonly [string, string])[] },
  timeout: number,
): Promise<Answer> {
  return connected(netns, address, port, timeout, async (fd, until) => {
    const named = (header: string): boolean => request.headers.some(([name]) => name.toLowerCase() === header)
    const lines = [
      `GET ${request.path} HTTP/1.1`,
      ...(named('host') ? [] : [`Host: ${endText({ address, port })}`]),
      ...(named('user-agent') ? [] : ['User-Agent: weft-playground-kubelet']),
      ...request.headers.map(([name, value]) => `${name}: ${value}`),
      'Connection: close',
    ]
    systemCalls().send(fd, new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`), MSG_NOSIGNAL)
    const status = await readStatus(fd, until)
    if (status === undefined) return { success: false, message: 'it answered, but not in HTTP' }
    return { success: status >= 200 && status < 400, message: `HTTP status ${status}` }
  })
}

const MSG_NOSIGNAL = 0x4000

async function connected(
  netns: number,
  address: Ip,
  port: number,
  timeout: number,
  use: (fd: number, until: number) => Promise<Answer>,
): Promise<Answer> {
  const until = performance.now() + timeout
  const family = familyOf(address)
  const where = endText({ address, port })
  const fd = openSocket(family === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP, netns)
  try {
    const sockaddr = encodeSockaddr({ family: family === 4 ? 'inet' : 'inet6', address, port })
    const connecting = systemCalls().connect(fd, sockaddr)
    if (connecting < 0 && connecting !== -EINPROGRESS) return refused(where, -connecting)
    await ready(fd, 'write', left(until))
    const error = getOption(fd, SOL_SOCKET, SO_ERROR)
    return error === 0 ? await use(fd, until) : refused(where, error)
  } catch (error) {
    if (!(error instanceof LinuxError)) throw error
    const why = error.code === 'LINUX_TIMEOUT' ? `no answer within ${timeout / 1000} s` : error.message
    return { success: false, message: `${where}: ${why}` }
  } finally {
    closeFd(fd)
  }
}

async function readStatus(fd: number, until: number): Promise<number | undefined> {
  const bytes = new Uint8Array(MAX_ANSWER)
  let text = ''
  while (text.length < MAX_ANSWER && !text.includes('\n')) {
    await ready(fd, 'read', left(until))
    const n = systemCalls().recv(fd, bytes, MSG_DONTWAIT)
    if (n <= 0) break
    text += new TextDecoder('latin1').decode(bytes.subarray(0, n))
  }
  const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}

function refused(where: string, errno: number): Answer {
  return {
    success: false,
    message: `${where}: ${errno === 111 ? 'connection refused' : `cannot connect (errno ${errno})`}`,
  }
}

function left(until: number): number {
  return Math.max(1, Math.ceil(until - performance.now()))
}
