/**
 * What a rule asks of a connection besides whom it is with: matches of which one must hold.
 * @module
 */
import type { Match } from '../../flow/flow.ts'
import { familyOf, prefixLength } from '../model/address.ts'
import type { AddressRange, Direction, PolicyRule, PortSpan } from '../model/policy.ts'
import { portMasks } from '../model/port-masks.ts'
import { ipPacket, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../pipeline/build.ts'
import { without } from './ranges.ts'

const SOURCE_FIELDS: ReadonlyMap<number, 'tcp_src' | 'udp_src' | 'sctp_src'> = new Map([
  [PROTO_TCP, 'tcp_src'] as const,
  [PROTO_UDP, 'udp_src'] as const,
  [PROTO_SCTP, 'sctp_src'] as const,
])
const ALL_BITS = 0xffff

/** These matches of a rule's ports, with what it asks of the pod's own address and of the port that it comes from. */
export function withOwn(
  ports: readonly Match[],
  { own, sourcePorts }: PolicyRule,
  direction: Direction,
): readonly Match[] {
  const sourced = sourcePorts === undefined ? ports : ports.flatMap((match) => withSources(match, sourcePorts))
  return own === undefined ? sourced : sourced.flatMap((match) => withAddresses(match, own, direction))
}

function withSources(match: Match, spans: readonly PortSpan[]): readonly Match[] {
  const field = SOURCE_FIELDS.get(Number(match.ip_proto))
  if (field === undefined) return []
  return spans
    .flatMap(({ from, to }) => portMasks(from, to))
    .map(({ value, mask }) => ({
      ...match,
      ...(mask === 0 ? {} : { [field]: mask === ALL_BITS ? value : { value, mask } }),
    }))
}

function withAddresses(match: Match, own: readonly AddressRange[], direction: Direction): readonly Match[] {
  return own
    .flatMap(({ range, except }) => without(range, except))
    .map((part) => {
      const end = prefixLength(part) === 0 ? {} : direction === 'ingress' ? { to: part } : { from: part }
      return ipPacket(familyOf(part), end)
    })
    .filter(({ eth_type }) => match.eth_type === undefined || match.eth_type === eth_type)
    .map((packet) => ({ ...match, ...packet }))
}
