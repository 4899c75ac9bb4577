/**
 * The log of what policies drop, where a policy asks for it: a line for each connection, then one every ten seconds with
 * how many packets more there were. The switch sends few a second, so the counts are of those.
 * @module
 */
import type { Ip } from '../../network/model/address.ts'
import type { Direction } from '../../network/model/policy.ts'
import { STAGES } from '../../network/pipeline/stages.ts'
import type { PacketIn } from '../../ovs/openflow/index.ts'
import type { AgentLog } from '../log.ts'
import { type PacketOf, packetOf } from './packet.ts'

/** Between two lines about one connection, in milliseconds. */
const QUIET_MS = 10_000

/** Connections that are told apart at a time. The rest is counted. */
const MOST = 256

/** What the log is made with. */
export interface DropLogParts {
  readonly log: Pick<AgentLog, 'info'>
  /** What the flows of this cookie are there for, for people; undefined when they are not there any more. */
  titleOf(cookie: bigint): string | undefined
  /** The pod that has an address, as `<namespace>/<name>`, where that is known. */
  podAt(address: Ip): string | undefined
  /** Milliseconds. */
  now(): number
}

interface Seen {
  readonly cookie: bigint
  /** What the flow is there for. */
  readonly by: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly text: string
  /** Packets since the last line. */
  count: number
  until: number
}

/** The log of what policies drop. */
export class DropLog {
  readonly #parts: DropLogParts
  readonly #seen = new Map<string, Seen>()
  #others = 0

  constructor(parts: DropLogParts) {
    this.#parts = parts
  }

  /** A packet that a flow dropped whose policy asks for it. */
  dropped({ packet, cookie, table }: Pick<PacketIn, 'packet' | 'cookie' | 'table'>): void {
    const connection = packetOf(packet)
    if (connection === undefined) return
    const { source, destination, protocol, port } = connection
    const key = `${cookie} ${source} ${destination} ${protocol} ${port}`
    const seen = this.#seen.get(key)
    if (seen !== undefined) seen.count += 1
    else if (this.#seen.size >= MOST) this.#others += 1
    else this.#first(key, connection, cookie, table)
  }

  /** Is to be called about once a second. */
  tick(): void {
    const { log, now } = this.#parts
    for (const [key, seen] of this.#seen) {
      if (now() < seen.until) continue
      if (seen.count === 0) {
        this.#seen.delete(key)
        continue
      }
      log.info({ ...seen.fields, packets: seen.count }, `${seen.text}, again`)
      seen.count = 0
      seen.until = now() + QUIET_MS
    }
    if (this.#others === 0) return
    log.info({ packets: this.#others }, 'policies dropped packets of more connections than are logged')
    this.#others = 0
  }

  #first(key: string, connection: PacketOf, cookie: bigint, table: number): void {
    const { log, podAt, now } = this.#parts
    const { source, destination, protocol, port } = connection
    const by = this.#titleOf(cookie)
    const [from, to] = [podAt(source), podAt(destination)]
    const direction = directionOf(table)
    const fields = {
      by,
      ...(direction === undefined ? {} : { direction }),
      ...connection,
      ...(from === undefined ? {} : { sourcePod: from }),
      ...(to === undefined ? {} : { destinationPod: to }),
    }
    const what = port === undefined ? protocol : `${protocol} ${port}`
    const text = `dropped: ${from ?? source} → ${to ?? destination}, ${what}: ${by}`
    log.info({ ...fields, packets: 1 }, text)
    this.#seen.set(key, { cookie, by, fields, text, count: 0, until: now() + QUIET_MS })
  }

  /** Looking for it costs more the larger the cluster is: who has many connections dropped has it looked for once. */
  #titleOf(cookie: bigint): string {
    for (const seen of this.#seen.values()) if (seen.cookie === cookie) return seen.by
    return this.#parts.titleOf(cookie) ?? 'a policy that is gone'
  }
}

/** Whose policies a table is about: the sender's or the receiver's. */
function directionOf(table: number): Direction | undefined {
  const { egressAdmin, egress, firewallRules, ingressAdmin, ingress } = STAGES
  if ([egressAdmin, egress, firewallRules].some((stage) => stage.table === table)) return 'egress'
  return [ingressAdmin, ingress].some((stage) => stage.table === table) ? 'ingress' : undefined
}
