/**
 * Two ends of a network: how fast they talk, and how long they do not when a cable is pulled.
 * @module
 */
import { median } from '../result.ts'
import { PingTrace, streamGigabits } from './reach.ts'

/** Names of network namespaces, and the address of the second in it. */
export interface Pair {
  readonly from: string
  readonly to: string
  readonly address: string
}

/** How much is asked. */
export interface Effort {
  readonly rounds: number
  readonly pings: number
  readonly streamSeconds: number
}

export interface Talk {
  readonly pingMs: number
  readonly gigabits: number
}

export async function talk({ from, to, address }: Pair, { pings, streamSeconds }: Effort): Promise<Talk> {
  const trace = new PingTrace(from, address)
  await Bun.sleep(pings * 15)
  const { times } = await trace.stop()
  return { pingMs: median(times), gigabits: await streamGigabits(from, to, address, streamSeconds) }
}

const OUTAGE_MS = 2_000

/** A cable is out for two seconds: how long there is no answer beyond these, in seconds, the median of the rounds. */
export async function cutCable(
  { from, address }: Pair,
  cable: (state: 'up' | 'down') => Promise<unknown>,
  rounds: number,
): Promise<number> {
  const cuts: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const trace = new PingTrace(from, address)
    await Bun.sleep(500)
    await cable('down')
    await Bun.sleep(OUTAGE_MS)
    await cable('up')
    const up = Date.now() / 1000
    const first = await trace.answerAfter(up)
    await trace.stop()
    cuts.push(first - up)
  }
  return median(cuts)
}

/** The longest silence of a ping meanwhile, in seconds. */
export async function silenceWhile({ from, address }: Pair, work: () => Promise<unknown>): Promise<number> {
  const trace = new PingTrace(from, address)
  await Bun.sleep(500)
  await work()
  await Bun.sleep(500)
  return (await trace.stop()).longestGap
}
