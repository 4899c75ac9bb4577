/**
 * How fast two pods talk: bytes of one TCP stream, round trips over a connection that stands, and new connections.
 * @module
 */
import { netnsOpen, withNetns } from '../../src/linux/netns.ts'
import { closeFd } from '../../src/linux/socket.ts'
import type { Ip } from '../../src/network/model/address.ts'
import { countersOf, startBulk } from '../../test/lab/bulk.ts'
import type { Pod } from './pods.ts'

/** How fast it went. */
export interface Speed {
  /** Of one TCP stream, in Gbit/s. */
  readonly gigabits: number
  /** There and back over a connection that stands, in µs: the median, and what one in a hundred exceeds. */
  readonly roundTrip: number
  readonly slowRoundTrip: number
  /** From the first packet of a connection to its first answer, in µs. */
  readonly connect: number
}

/** How long a stream is watched, and how much is asked. */
export interface Effort {
  readonly streamMs: number
  readonly roundTrips: number
  readonly connects: number
}

/** Measures from one pod to another. */
export async function speedBetween(from: Pod, to: Pod, effort: Effort): Promise<Speed> {
  const [client, server] = [netnsOpen(from.netns), netnsOpen(to.netns)]
  try {
    const gigabits = await throughput(client, server, to.address as Ip, effort.streamMs)
    const echo = withNetns(server, () =>
      Bun.listen({ hostname: '0.0.0.0', port: 0, socket: { data: (socket, bytes) => void socket.write(bytes) } }),
    )
    try {
      const trips = await roundTrips(client, to.address, echo.port, effort.roundTrips)
      const connects = await connectTimes(client, to.address, echo.port, effort.connects)
      return { gigabits, roundTrip: at(trips, 0.5), slowRoundTrip: at(trips, 0.99), connect: at(connects, 0.5) }
    } finally {
      echo.stop(true)
    }
  } finally {
    closeFd(client)
    closeFd(server)
  }
}

/** Gbit/s of one TCP stream between two namespaces that are open. */
export async function throughput(client: number, server: number, address: Ip, milliseconds: number): Promise<number> {
  const bulk = await startBulk(client, { fd: server, address })
  await Bun.sleep(milliseconds / 4)
  const [before, since] = [countersOf(server), performance.now()]
  await Bun.sleep(milliseconds)
  const [after, until] = [countersOf(server), performance.now()]
  bulk.close()
  await Bun.sleep(50)
  return ((after.received - before.received) * 8) / ((until - since) * 1e6)
}

async function roundTrips(client: number, address: string, port: number, count: number): Promise<readonly number[]> {
  const connection = await connect(client, address, port)
  const times: number[] = []
  for (let n = 0; n < count; n += 1) times.push(await connection.ask())
  connection.end()
  return times
}

async function connectTimes(client: number, address: string, port: number, count: number): Promise<readonly number[]> {
  const times: number[] = []
  for (let n = 0; n < count; n += 1) {
    const since = performance.now()
    const connection = await connect(client, address, port)
    await connection.ask()
    times.push((performance.now() - since) * 1000)
    connection.end()
  }
  return times
}

interface Connection {
  /** One byte there and back, in µs. */
  ask(): Promise<number>
  end(): void
}

async function connect(client: number, hostname: string, port: number): Promise<Connection> {
  let answered: () => void = () => undefined
  const { opening } = withNetns(client, () => ({
    opening: Bun.connect({ hostname, port, socket: { data: () => answered() } }),
  }))
  const socket = await opening
  return {
    ask: async () => {
      const since = performance.now()
      await new Promise<void>((resolve) => {
        answered = resolve
        socket.write('x')
      })
      return (performance.now() - since) * 1000
    },
    end: () => socket.end(),
  }
}

function at(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
