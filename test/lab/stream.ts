/**
 * A standing TCP stream between two network namespaces: a few bytes every 10 ms, their arrivals written down.
 * @module
 */
import { deepEqual, ok } from 'node:assert/strict'
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
import { eventually } from './lab.ts'

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

/** Which way the bytes go: to who was called (`up`), or back to the caller, who says nothing (`down`). */
export type Way = 'up' | 'down'

/** Opens a stream to a port of its own at the one who is called. Throws when it does not come to be. */
export async function openStream(
  name: string,
  from: { readonly fd: number },
  to: { readonly fd: number; readonly address: Ip; readonly port: number },
  way: Way = 'up',
): Promise<Stream> {
  let [bytes, last] = [0, 0]
  const arrived = (n: number): void => {
    bytes += n
    last = performance.now()
  }
  const server = withNetns(to.fd, () => listen(to.port, way, arrived))
  const calls = systemCalls()
  const four = familyOf(to.address) === 4
  const fd = openSocket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, from.fd)
  calls.connect(fd, encodeSockaddr({ family: four ? 'inet' : 'inet6', address: to.address, port: to.port }))
  await ready(fd, 'write', 5000)
  const buffer = new Uint8Array(1 << 12)
  const clock = setInterval(() => {
    if (way === 'up') calls.send(fd, CHUNK, MSG_DONTWAIT)
    else for (let n = calls.recv(fd, buffer, MSG_DONTWAIT); n > 0; n = calls.recv(fd, buffer, MSG_DONTWAIT)) arrived(n)
  }, INTERVAL_MS)
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

function listen(port: number, way: Way, onBytes: (count: number) => void): { stop(force: boolean): void } {
  const clocks = new Map<unknown, NodeJS.Timeout>()
  return Bun.listen({
    hostname: '::',
    port,
    socket: {
      open: (socket) => {
        if (way === 'down')
          clocks.set(
            socket,
            setInterval(() => socket.write(CHUNK), INTERVAL_MS),
          )
      },
      data: (_, data) => onBytes(data.length),
      close: (socket) => clearInterval(clocks.get(socket)),
      error: () => undefined,
    },
  })
}

/** Without an arrival for so long, in ms, a stream is cut: one that stands has one every few milliseconds. */
const SILENCE_MS = 600

/** Waits until all of them are cut; tells how long after `asked` (performance.now) the last byte of each arrived. */
export async function expectCut(streams: readonly Stream[], asked: number, say: (line: string) => void): Promise<void> {
  const isSilent = ({ lastArrival }: Stream): boolean => performance.now() - lastArrival() > SILENCE_MS
  await eventually('the streams are cut', () => streams.every(isSilent))
  // A busy machine may have been silent for as long.
  const before = streams.map(({ bytes }) => bytes())
  await Bun.sleep(SILENCE_MS)
  deepEqual(
    streams.map(({ bytes }) => bytes()),
    before,
    'streams that seemed to be cut go on',
  )
  for (const { name, bytes, lastArrival } of streams) {
    say(
      `${name}: cut ${(lastArrival() - asked).toFixed(0)} ms after the request was made (${bytes()} bytes had arrived)`,
    )
    ok(bytes() > 0, `${name} never had a byte`)
  }
}

/** Waits until more arrives by all of them. */
export async function expectStanding(streams: readonly Stream[], say: (line: string) => void): Promise<void> {
  const before = new Map(streams.map((stream) => [stream, stream.bytes()]))
  await eventually('the streams go on', () => streams.every((one) => one.bytes() > (before.get(one) ?? 0)))
  for (const { name, bytes } of streams) say(`${name}: goes on, ${bytes()} bytes`)
}
