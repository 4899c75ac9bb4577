/**
 * What the beginning of a packet says about its connection. The bytes are anybody's.
 * @module
 */
import { formatIp } from '../../linux/ip.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'

/** A connection, by one of its packets. */
export interface PacketOf {
  readonly source: Ip
  readonly destination: Ip
  /** `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6`, or a number. */
  readonly protocol: string
  /** Of the destination. Absent where the protocol has none, and of the later parts of a datagram. */
  readonly port?: number
}

const ETHERNET = 14
const IPV4 = 20
const IPV6 = 40
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'ICMP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [58, 'ICMPv6'],
  [132, 'SCTP'],
])
const WITH_PORTS: readonly number[] = [6, 17, 132]

/** Hop-by-hop options, routing, and destination options: each says its own length (RFC 8200 section 4). */
const EXTENSIONS: readonly number[] = [0, 43, 60]
const FRAGMENT = 44
const MOST_EXTENSIONS = 8

/** Reads an Ethernet frame, or its beginning; undefined for what is not IP or ends too early to say from whom to whom. */
export function packetOf(frame: Uint8Array): PacketOf | undefined {
  const ethertype = u16(frame, 12)
  if (ethertype === 0x0800) return ipv4(frame.subarray(ETHERNET))
  return ethertype === 0x86dd ? ipv6(frame.subarray(ETHERNET)) : undefined
}

function ipv4(bytes: Uint8Array): PacketOf | undefined {
  const length = ((bytes[0] ?? 0) & 0x0f) * 4
  if (bytes.length < IPV4 || (bytes[0] ?? 0) >> 4 !== 4 || length < IPV4) return undefined
  const isTail = ((u16(bytes, 6) ?? 0) & 0x1fff) !== 0
  return connection(bytes.subarray(12, 16), bytes.subarray(16, 20), bytes[9] ?? 0, bytes.subarray(length), isTail)
}

function ipv6(bytes: Uint8Array): PacketOf | undefined {
  if (bytes.length < IPV6 || (bytes[0] ?? 0) >> 4 !== 6) return undefined
  let protocol = bytes[6] ?? 0
  let rest = bytes.subarray(IPV6)
  let isTail = false
  for (let n = 0; n < MOST_EXTENSIONS; n += 1) {
    if (protocol === FRAGMENT) isTail = ((u16(rest, 2) ?? 0) & 0xfff8) !== 0
    else if (!EXTENSIONS.includes(protocol)) break
    const length = protocol === FRAGMENT ? 8 : ((rest[1] ?? 0) + 1) * 8
    protocol = rest[0] ?? protocol
    rest = rest.subarray(length)
  }
  return connection(bytes.subarray(8, 24), bytes.subarray(24, 40), protocol, rest, isTail)
}

function connection(
  from: Uint8Array,
  to: Uint8Array,
  number: number,
  rest: Uint8Array,
  isTail: boolean,
): PacketOf | undefined {
  const [source, destination] = [parseIp(formatIp(from)), parseIp(formatIp(to))]
  if (source === undefined || destination === undefined) return undefined
  const port = isTail || !WITH_PORTS.includes(number) ? undefined : u16(rest, 2)
  const protocol = NAMES.get(number) ?? String(number)
  return { source, destination, protocol, ...(port === undefined ? {} : { port }) }
}

function u16(bytes: Uint8Array, at: number): number | undefined {
  const [high, low] = [bytes[at], bytes[at + 1]]
  return high === undefined || low === undefined ? undefined : (high << 8) | low
}
