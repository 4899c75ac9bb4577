/**
 * A standing TCP stream between two network namespaces: a few bytes every 10 ms, their arrivals written down.
 * @module
 */
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

const INTERVAL_MS = 10
const CHUNK = new Uint8Array(16).fill(0x77)

/** A stream that runs until it is closed. */
export interface Stream {
  readonly name: string
  /** Bytes that have arrived. */
  bytes(): number
  /** When the last byte arrived, as performance.now(). */
  lastArrival(): number
  close(): void
}

/** Opens a stream to a port of its own at the receiver. Throws when it does not come to be. */
export async function openStream(
  name: string,
  from: { readonly fd: number },
  to: { readonly fd: number; readonly address: Ip; readonly port: number },
): Promise<Stream> {
  let [bytes, last] = [0, 0]
  const server = withNetns(to.fd, () =>
    listen(to.port, (n) => {
      bytes += n
      last = performance.now()
    }),
  )
  const calls = systemCalls()
  const four = familyOf(to.address) === 4
  const fd = openSocket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, from.fd)
  calls.connect(fd, encodeSockaddr({ family: four ? 'inet' : 'inet6', address: to.address, port: to.port }))
  await ready(fd, 'write', 5000)
  const clock = setInterval(() => calls.send(fd, CHUNK, MSG_DONTWAIT), INTERVAL_MS)
  const stream: Stream = {
    name,
    bytes: () => bytes,
    lastArrival: () => last,
    close: () => {
      clearInterval(clock)
      closeFd(fd)
      server.stop(true)
    },
  }
  const end = performance.now() + 5000
  while (bytes === 0) {
    if (performance.now() > end) {
      stream.close()
      throw new Error(`stream ${name}: nothing arrives`)
    }
    await Bun.sleep(INTERVAL_MS)
  }
  return stream
}

function listen(port: number, onBytes: (count: number) => void): { stop(force: boolean): void } {
  return Bun.listen({
    hostname: '::',
    port,
    socket: { data: (_, data) => onBytes(data.length), error: () => undefined },
  })
}
