/**
 * A simple model of connection tracking: connections are known by both of their directions, in zones, for ever.
 * @module
 */
import type { FieldName } from '../../flow/fields.ts'
import type { Nat } from '../../flow/flow.ts'
import { bitsOf } from './bits.ts'
import type { Packet } from './packet.ts'
import {
  ADDRESSES,
  isIcmpError,
  reversed,
  type Tuple,
  tupleKey,
  tupleOf,
  writeDestination,
  writeSource,
} from './tuple.ts'

/** Bits of `ct_state` (ovs-fields(7)). */
export const CT_STATE = {
  new: 0x01n,
  est: 0x02n,
  rel: 0x04n,
  rpl: 0x08n,
  inv: 0x10n,
  trk: 0x20n,
  snat: 0x40n,
  dnat: 0x80n,
} as const

/** The bits of a packet whose ends are not those it came with. */
export const TRANSLATED = CT_STATE.snat | CT_STATE.dnat

/** A tracked connection. */
export interface Connection {
  readonly zone: bigint
  /** As its first packet came. */
  readonly original: Tuple
  /** As its answers come. */
  readonly reply: Tuple
  /** Whether an answer was seen: until then every packet is as new as the first. */
  answered: boolean
  mark: bigint
  label: bigint
}

/** What is known about a packet. */
export interface Finding {
  /** `ct_state`, without what translation adds. */
  readonly state: bigint
  readonly tuple: Tuple | undefined
  readonly connection: Connection | undefined
}

/** The connections of a switch. */
export class Connections {
  readonly #byTuple = new Map<string, Connection>()
  readonly #tracksSctp: boolean

  /** None yet. By default SCTP is invalid, as services take it to be in user space. */
  constructor({ sctp = false }: { readonly sctp?: boolean } = {}) {
    this.#tracksSctp = sctp
  }

  /** Looks a packet up. `quoted` is the packet that an ICMP error is about. */
  find(zone: bigint, packet: Packet, quoted?: Packet): Finding {
    const isError = isIcmpError(packet)
    const subject = isError ? quoted : packet
    const ends = subject === undefined ? undefined : tupleOf(subject, this.#tracksSctp)
    if (ends === undefined) return { state: CT_STATE.inv, tuple: undefined, connection: undefined }
    // An error travels against the packet that it is about.
    const tuple = isError ? reversed(ends) : ends
    const connection = this.#byTuple.get(keyOf(zone, tuple))
    if (connection === undefined) {
      return {
        state: CT_STATE.trk | (isError ? CT_STATE.inv : CT_STATE.new),
        tuple: tupleOf(packet, this.#tracksSctp),
        connection,
      }
    }
    const isAnswer = isReply(connection, tuple)
    if (isAnswer && !isError) connection.answered = true
    const known = isError ? CT_STATE.rel : connection.answered ? CT_STATE.est : CT_STATE.new
    return { state: CT_STATE.trk | known | (isAnswer ? CT_STATE.rpl : 0n), tuple, connection }
  }

  /**
   * Looks up a packet that this zone has translated: it is still of the connection that it was found to be of. Undefined
   * for others.
   */
  findAgain(zone: bigint, packet: Packet): Finding | undefined {
    const state = packet.get('ct_state') ?? 0n
    const tuple = tupleOf(packet, this.#tracksSctp)
    if (packet.get('ct_zone') !== zone || (state & TRANSLATED) === 0n || tuple === undefined) return undefined
    const connection = this.#byTuple.get(keyOf(zone, reversed(tuple)))
    return connection === undefined ? undefined : { state, tuple, connection }
  }

  /** Remembers a connection from its first packet. */
  commit(zone: bigint, original: Tuple, nat: Nat | undefined): Connection {
    const reply = reversed(translated(original, nat))
    const connection = { zone, original, reply, answered: false, mark: 0n, label: 0n }
    this.#byTuple.set(keyOf(zone, original), connection)
    this.#byTuple.set(keyOf(zone, reply), connection)
    return connection
  }

  /** As many connections, free to become others. */
  copy(): Connections {
    const copy = new Connections({ sctp: this.#tracksSctp })
    for (const [key, connection] of this.#byTuple) copy.#byTuple.set(key, connection)
    return copy
  }

  forget({ zone, original, reply }: Connection): void {
    this.#byTuple.delete(keyOf(zone, original))
    this.#byTuple.delete(keyOf(zone, reply))
  }
}

function keyOf(zone: bigint, tuple: Tuple): string {
  return `${zone} ${tupleKey(tuple)}`
}

function isReply({ reply }: Connection, tuple: Tuple): boolean {
  return tupleKey(reply) === tupleKey(tuple)
}

/** Where the first packet goes: the first address and port of a range. */
function translated(original: Tuple, nat: Nat | undefined): Tuple {
  if (nat?.direction === undefined) return original
  const address = nat.address === undefined ? undefined : bitsOf(ADDRESSES[original.family][0], nat.address.min)
  const port = nat.port === undefined ? undefined : BigInt(nat.port.min)
  return nat.direction === 'src'
    ? { ...original, source: address ?? original.source, sourcePort: port ?? original.sourcePort }
    : { ...original, destination: address ?? original.destination, destinationPort: port ?? original.destinationPort }
}

/**
 * Translates a packet of a connection, and what it quotes, the way its direction asks for. Returns the bits that this
 * adds to `ct_state`.
 */
export function translate(
  { original, reply }: Connection,
  isAnswer: boolean,
  packet: Map<FieldName, bigint>,
  quoted: Map<FieldName, bigint> | undefined,
): bigint {
  const [from, to] = isAnswer ? [reply, reversed(original)] : [original, reversed(reply)]
  let added = 0n
  if (from.source !== to.source || from.sourcePort !== to.sourcePort) {
    writeSource(packet, to)
    if (quoted !== undefined) writeDestination(quoted, reversed(to))
    added |= CT_STATE.snat
  }
  if (from.destination !== to.destination || from.destinationPort !== to.destinationPort) {
    writeDestination(packet, to)
    if (quoted !== undefined) writeSource(quoted, reversed(to))
    added |= CT_STATE.dnat
  }
  return added
}
