/**
 * What is told of every way between machines: a row of the one table over all fabrics.
 * @module
 */
import type { Result } from '../result.ts'
import { largestPacket } from './reach.ts'
import { type Effort, type Pair, type Talk, talk } from './talk.ts'

/** How two ends talk, and the largest packet between them, in bytes; absent where none got through. */
export interface Reached extends Talk {
  readonly largest?: number
}

/** One way. Times in seconds; what there is none of says why not. */
export interface FabricRow {
  readonly name: string
  readonly pods: Reached
  /** The machines themselves, without pods, in the same run. */
  readonly peer: Reached
  readonly setUp: number
  /** No answer beyond a link's outage of two seconds. */
  readonly outage: number
  /** The longest silence when the link dies for good. */
  readonly dies: number | string
  /** It has no way but over the segment. */
  readonly isAlone?: boolean
  /** The longest silence when the fabric is changed while they talk. */
  readonly changed: number | string
}

/** Asked before anything is cut. */
export async function reached(pair: Pair, effort: Effort): Promise<Reached> {
  const talked = await talk(pair, effort)
  const largest = await largestPacket(pair.from, pair.address)
  return largest === undefined ? talked : { ...talked, largest }
}

const ALONE = 'its routes lead over the segment alone'

/** Its cells. */
export function cellsOf({ name, pods, peer, setUp, outage, dies, changed, isAlone }: FabricRow): readonly Result[] {
  const cell = (column: string, unit: string, seen: number | string, beside?: number): Result => ({
    what: `${name}: ${column}`,
    unit,
    ...(typeof seen === 'number' ? { ours: seen } : { note: seen }),
    ...(beside === undefined ? {} : { peer: beside, peerName: 'the machines themselves, without pods' }),
    cell: { row: name, column },
  })
  return [
    cell('ping', 'ms', pods.pingMs, peer.pingMs),
    cell('iperf3 TCP', 'Gbit/s', pods.gigabits, peer.gigabits),
    cell('largest packet', 'bytes', pods.largest ?? 'none of 576 bytes or more got through', peer.largest),
    cell('setup', 's', setUp),
    cell('link out for 2 s', 's', outage),
    cell('link dies', 's', typeof dies === 'string' && isAlone === true ? `${dies}: ${ALONE}` : dies),
    cell('changed live', 's', changed),
  ]
}
