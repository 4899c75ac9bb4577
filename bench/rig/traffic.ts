/**
 * Traffic between pods while something happens: a ping every 10 ms and a TCP stream.
 * @module
 */
import { netnsOpen, withNetns } from '../../src/linux/netns.ts'
import { closeFd } from '../../src/linux/socket.ts'

/** What became of the traffic. */
export interface Tally {
  readonly sent: number
  readonly lost: number
  /** Between two, in milliseconds: timers are coarser than what was asked for. */
  readonly everyMs: number
  /** The slowest reply, in milliseconds. */
  readonly worstMs: number
}

/** Traffic under way. */
export interface Traffic {
  /** Ends it and tells. */
  stop(): Promise<Tally>
}

/** Pings an address every 10 ms from a namespace. */
export function startPing(netns: string, address: string): Traffic {
  const argv = ['ip', 'netns', 'exec', netns, 'ping', '-n', '-i', '0.01', '-W', '1', address]
  const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'ignore' })
  const started = performance.now()
  return {
    stop: async () => {
      const elapsed = performance.now() - started
      child.kill('SIGINT')
      const text = await new Response(child.stdout).text()
      const sent = Number(/(\d+) packets transmitted/.exec(text)?.[1] ?? 0)
      const worstMs = Number(/= [\d.]+\/[\d.]+\/([\d.]+)\//.exec(text)?.[1] ?? Number.NaN)
      const answered = new Set([...text.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, seq]) => Number(seq)))
      // The last one may still have been on its way when ping was told to end.
      const settled = answered.has(sent) ? sent : sent - 1
      const lost = settled - answered.size
      return { sent, lost, worstMs, everyMs: elapsed / sent }
    },
  }
}

const PORT = 7001
const RECORD = 64

/** Sends a record every 5 ms over one TCP connection that the other side echoes; a record not echoed is lost. */
export async function startStream(from: string, to: string, address: string): Promise<Traffic> {
  const server = inside(to, () =>
    Bun.listen({
      hostname: '0.0.0.0',
      port: PORT,
      socket: {
        data: (socket, bytes) => {
          socket.write(bytes)
        },
      },
    }),
  )
  const sentAt: number[] = []
  let echoed = 0
  let worstMs = 0
  const { promise } = inside(from, () => ({
    promise: Bun.connect({
      hostname: address,
      port: PORT,
      socket: {
        data: (_socket, bytes) => {
          const before = Math.floor(echoed / RECORD)
          echoed += bytes.length
          for (let n = before; n < Math.floor(echoed / RECORD); n += 1) {
            worstMs = Math.max(worstMs, performance.now() - (sentAt[n] ?? 0))
          }
        },
      },
    }),
  }))
  const client = await promise
  const started = performance.now()
  const timer = setInterval(() => {
    if (client.write(new Uint8Array(RECORD)) === RECORD) sentAt.push(performance.now())
  }, 5)
  return {
    stop: async () => {
      clearInterval(timer)
      const everyMs = (performance.now() - started) / sentAt.length
      await Bun.sleep(300)
      client.end()
      server.stop(true)
      return { sent: sentAt.length, lost: sentAt.length - Math.floor(echoed / RECORD), worstMs, everyMs }
    },
  }
}

function inside<T>(netns: string, action: () => T extends PromiseLike<unknown> ? never : T): T {
  const fd = netnsOpen(netns)
  try {
    return withNetns(fd, action)
  } finally {
    closeFd(fd)
  }
}
