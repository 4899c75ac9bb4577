/**
 * Traffic between standing pods: pings every 10 ms in both families, a TCP stream, and calls to a service.
 * @module
 */
import { closeFd } from '../../src/linux/socket.ts'
import type { Ip } from '../../src/network/model/address.ts'
import { run } from '../lab/command.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { openStream, type Stream } from '../lab/stream.ts'
import type { Places } from './places.ts'
import type { Report } from './report.ts'
import { type PodPlace, podNetns } from './sandboxes.ts'

const STREAM_PORT = 9090
const CALL_EVERY = 250
/** A stream that is silent for longer has broken off; one that was slow may only have waited for the processor. */
const BROKEN = 5000

/** A standing pod with its addresses. */
export interface StandingPod extends PodPlace {
  readonly ips: readonly Ip[]
}

/** Traffic that flows until it is stopped and judged. */
export interface Traffic {
  /** Stops it and reports what was lost. Calls are judged only where Kubernetes keeps endpoints. */
  stop(report: Report): Promise<void>
}

/** Starts traffic from one pod to another, on another node, and to a service's address. */
export async function startTraffic(places: Places, from: StandingPod, to: StandingPod, service: Ip): Promise<Traffic> {
  const [source, target] = [await podNetns(places, from), await podNetns(places, to)]
  const [first] = to.ips
  if (first === undefined) throw new Error(`${to.name} has no address`)
  const stream = await openStream('tcp', { fd: source }, { fd: target, address: first, port: STREAM_PORT })
  const pingers = to.ips.map((ip) => ({ ip, pinger: startPinger(source, ip) }))
  const gap = watchGap(stream)
  const calls = callEvery(places, from, service)
  return {
    stop: async (report) => {
      const longest = gap.stop()
      stream.close()
      for (const { ip, pinger } of pingers) {
        const tally = await pinger.stop()
        report.check(tally.lost === 0, `ping ${from.name} → ${to.name} (${ip}) every 10 ms: ${describeTally(tally)}`)
      }
      report.check(longest < BROKEN, `TCP stream: ${stream.bytes()} bytes, longest silence ${longest.toFixed(0)} ms`)
      const { answered, failed } = await calls.stop()
      report.check(failed === 0, `calls to service ${service}: ${answered} answered, ${failed} not`)
      for (const fd of [source, target]) closeFd(fd)
    },
  }
}

/** The longest time between two arrivals. */
function watchGap(stream: Stream): { stop(): number } {
  let longest = 0
  const look = (): void => {
    longest = Math.max(longest, performance.now() - stream.lastArrival())
  }
  const clock = setInterval(look, 20)
  return {
    stop: () => {
      clearInterval(clock)
      look()
      return longest
    },
  }
}

interface Calls {
  readonly answered: number
  readonly failed: number
}

/** Calls a service again and again, each time by a connection of its own. */
function callEvery(places: Places, from: PodPlace, service: Ip): { stop(): Promise<Calls> } {
  const state = { answered: 0, failed: 0, stopped: false }
  const work = async (): Promise<void> => {
    const netns = await podNetns(places, from)
    const curl = ['curl', '-sf', '--noproxy', '*', '--max-time', '3', '-o', '/dev/null', `http://${service}/`]
    // Looked up once: the sandbox stands as long as the traffic does.
    const way = ['nsenter', `--net=/proc/${process.pid}/fd/${netns}`, '--']
    while (!state.stopped) {
      if ((await run([...way, ...curl])).code === 0) state.answered += 1
      else state.failed += 1
      await Bun.sleep(CALL_EVERY)
    }
    closeFd(netns)
  }
  const done = work()
  return {
    stop: async () => {
      state.stopped = true
      await done
      return state
    },
  }
}
