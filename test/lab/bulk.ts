/**
 * A TCP stream that sends as fast as it may, and what interfaces count of it.
 * @module
 */
import { readFileSync } from 'node:fs'
import {
  AF_INET,
  AF_INET6,
  closeFd,
  encodeSockaddr,
  MSG_DONTWAIT,
  openSocket,
  ready,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  systemCalls,
  withNetns,
} from '../../src/linux/index.ts'
import { familyOf, type Ip } from '../../src/network/model/address.ts'

const CHUNK = new Uint8Array(65_536).fill(0x77)
const PATIENCE_MS = 5_000

/** A stream that sends until it is closed. */
export interface Bulk {
  close(): void
}

/** Sends from one namespace to a port of its own in another. Resolves when the connection stands. */
export async function startBulk(from: number, to: { readonly fd: number; readonly address: Ip }): Promise<Bulk> {
  const server = withNetns(to.fd, () =>
    Bun.listen({ hostname: '::', port: 0, socket: { data: () => undefined, error: () => undefined } }),
  )
  const four = familyOf(to.address) === 4
  const fd = openSocket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, from)
  const place = { address: to.address, port: server.port }
  systemCalls().connect(fd, encodeSockaddr(four ? { family: 'inet', ...place } : { family: 'inet6', ...place }))
  await ready(fd, 'write', PATIENCE_MS)
  let open = true
  const pump = async (): Promise<void> => {
    while (open) {
      const sent = systemCalls().send(fd, CHUNK, MSG_DONTWAIT)
      // Others have their turn also where the socket always has room.
      if (sent > 0) await Bun.sleep(0)
      else await ready(fd, 'write', PATIENCE_MS).catch(() => Bun.sleep(10))
    }
    closeFd(fd)
    server.stop(true)
  }
  const done = pump()
  done.catch(() => undefined)
  return {
    close: () => {
      open = false
    },
  }
}

/** What an interface has counted, in bytes. */
export interface Counters {
  readonly received: number
  readonly sent: number
}

/** The counters of an interface inside a namespace, as /proc/net/dev has them. */
export function countersOf(netns: number, ifname = 'eth0'): Counters {
  const table = withNetns(netns, () => readFileSync('/proc/thread-self/net/dev', 'utf8'))
  const line = table.split('\n').find((one) => one.trimStart().startsWith(`${ifname}:`))
  const numbers = line?.split(':')[1]?.trim().split(/\s+/).map(Number) ?? []
  const [received, sent] = [numbers[0], numbers[8]]
  if (received === undefined || sent === undefined) throw new Error(`no interface ${ifname}`)
  return { received, sent }
}

/** What an interface receives and sends in some time, in bit/s. */
export async function measure(netns: number, milliseconds: number): Promise<Counters> {
  const before = countersOf(netns)
  const since = performance.now()
  await Bun.sleep(milliseconds)
  const after = countersOf(netns)
  const seconds = (performance.now() - since) / 1000
  return {
    received: ((after.received - before.received) * 8) / seconds,
    sent: ((after.sent - before.sent) * 8) / seconds,
  }
}
