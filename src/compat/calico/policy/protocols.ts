/**
 * Protocols, ports and messages of ICMP in Calico's rules.
 * @module
 */
import { shown } from '../../../network/model/decode.ts'
import type { PortMatch, PortSpan } from '../../../network/model/policy.ts'
import type { Protocol } from '../../../network/model/service.ts'
import type { Notes } from '../../policy/notes.ts'
import { allIn, fieldsIn, namedIn } from '../../policy/reading.ts'

/** The most ports in a list. */
const MOST_PORTS = 50
const LAST_PORT = 65_535
const NUMBERS: Readonly<Record<string, number>> = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58, SCTP: 132, UDPLITE: 136 }
const WITH_PORTS: Readonly<Record<number, Protocol>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' }
const ICMP_FAMILIES: Readonly<Record<number, 4 | 6>> = { 1: 4, 58: 6 }
const BYTES = Array.from({ length: 256 }, (_, i) => i)

type Fields = Readonly<Record<string, unknown>>

/** What a rule says of a connection beside its ends. Absent lists: whatever it is. */
export interface Transport {
  readonly ports?: readonly PortMatch[]
  readonly sourcePorts?: readonly PortSpan[]
}

/** Protocol, ports of both ends and ICMP of a rule. Undefined where something is not understood. */
export function transportIn(rule: Fields, source: Fields, destination: Fields, notes: Notes): Transport | undefined {
  const protocols = protocolsIn(rule, notes)
  if (protocols === undefined) return undefined
  const ends = [source, destination].map((end, i) => portsIn(end, notes.at(i === 0 ? 'source' : 'destination')))
  const [from, to] = ends
  if (from === undefined || to === undefined) return undefined
  const named = (from.ports ?? []).find((port) => port.type === 'named')
  if (named !== undefined) return notes.at('source').at('ports').problem('ports that callers use have no names here')
  if (from.ports === undefined && to.ports === undefined) {
    const icmp = icmpIn(rule, protocols, notes)
    return icmp === 'unknown' ? undefined : icmp
  }
  const [protocol, ...others] = protocols === 'any' ? [] : protocols
  const word = protocol === undefined || others.length > 0 ? undefined : WITH_PORTS[protocol]
  if (word === undefined) return notes.at('protocol').problem('ports need a protocol that has some: TCP, UDP or SCTP')
  if (rule['icmp'] !== undefined || rule['notICMP'] !== undefined) {
    return notes.at('icmp').problem('ICMP has no ports')
  }
  return {
    ports: to.ports?.map((port) => ({ ...port, protocol: word })) ?? [{ type: 'protocol', protocol: word }],
    ...(from.ports === undefined ? {} : { sourcePorts: from.ports.filter(isSpan).map(spanOf) }),
  }
}

/** Protocols by their numbers. */
function protocolsIn(rule: Fields, notes: Notes): readonly number[] | 'any' | undefined {
  const [is, isNot] = ['protocol', 'notProtocol'].map((key) => {
    const input = rule[key]
    return input === undefined ? 'any' : numberIn(input, notes.at(key))
  })
  if (is === undefined || isNot === undefined) return undefined
  if (isNot === 'any') return is === 'any' ? 'any' : [is]
  return (is === 'any' ? BYTES : [is]).filter((one) => one !== isNot)
}

function numberIn(input: unknown, notes: Notes): number | undefined {
  const number = typeof input === 'string' ? (NUMBERS[input.toUpperCase()] ?? digits(input)) : input
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 255) return number
  return notes.problem(`${shown(input)} is no protocol such as TCP, UDP, SCTP, ICMP, ICMPv6 or a number up to 255`)
}

function digits(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined
}

type PortItem =
  | { readonly type: 'numbers'; readonly protocol: Protocol; readonly from: number; readonly to: number }
  | { readonly type: 'named'; readonly name: string; readonly protocol?: Protocol }

/** `ports` without `notPorts`, of an end. The protocol in them is not known yet. */
function portsIn(end: Fields, notes: Notes): { readonly ports?: readonly PortItem[] } | undefined {
  const [are, areNot] = ['ports', 'notPorts'].map((key) => {
    const input = end[key]
    return input === undefined ? 'any' : allIn(input, MOST_PORTS, notes.at(key), portIn)
  })
  if (are === undefined || areNot === undefined) return undefined
  const not = isAny(areNot) || areNot.length === 0 ? [] : areNot
  if (not.some((port) => port.type === 'named')) {
    return notes.at('notPorts').problem('a port’s name says nothing of the ports that pods have no name for')
  }
  const wanted = isAny(are) || are.length === 0 ? undefined : are
  if (wanted === undefined && not.length === 0) return {}
  const holes = not.filter(isSpan)
  const all = wanted ?? [{ type: 'numbers', protocol: 'TCP', from: 0, to: LAST_PORT } as const]
  if (holes.length > 0 && all.some((port) => port.type === 'named')) {
    return notes.at('notPorts').problem('beside ports by name there can be no notPorts')
  }
  return { ports: all.flatMap((port): readonly PortItem[] => (isSpan(port) ? withoutPorts(port, holes) : [port])) }
}

function isAny(ports: readonly PortItem[] | string): ports is string {
  return typeof ports === 'string'
}

function isSpan(port: PortItem): port is Extract<PortItem, { type: 'numbers' }> {
  return port.type === 'numbers'
}

function spanOf({ from, to }: PortSpan): PortSpan {
  return { from, to }
}

function withoutPorts<T extends PortSpan>(port: T, holes: readonly PortSpan[]): readonly T[] {
  let left: readonly T[] = [port]
  for (const { from, to } of holes) {
    left = left.flatMap((one) => [
      ...(one.from < from ? [{ ...one, to: Math.min(one.to, from - 1) }] : []),
      ...(one.to > to ? [{ ...one, from: Math.max(one.from, to + 1) }] : []),
    ])
  }
  return left
}

/** A number, `first:last`, or a name. */
function portIn(input: unknown, notes: Notes): PortItem | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(String(input)) ?? []
  if (first === '' && typeof input === 'string') return namedIn(input, undefined, notes) as PortItem | undefined
  const [from, to] = [Number(first), Number(last)]
  if (first === '' || from > LAST_PORT || to > LAST_PORT) return notes.problem(`${shown(input)} is no port`)
  if (from > to) return notes.problem(`${from} to ${to} is no range of ports`)
  return { type: 'numbers', protocol: 'TCP', from, to }
}

interface Message {
  readonly icmpType?: number
  readonly code?: number
}

/** What a rule without ports speaks of. */
function icmpIn(rule: Fields, protocols: readonly number[] | 'any', notes: Notes): Transport | 'unknown' {
  const isSaid = rule['icmp'] !== undefined || rule['notICMP'] !== undefined
  if (!isSaid) return protocols === 'any' ? {} : { ports: protocols.flatMap(matchesOf) }
  const [protocol] = protocols === 'any' ? [] : protocols
  const family = protocol === undefined || protocols.length !== 1 ? undefined : ICMP_FAMILIES[protocol]
  if (family === undefined) {
    notes.at('protocol').problem('messages of ICMP need the protocol ICMP or ICMPv6')
    return 'unknown'
  }
  const is = rule['icmp'] === undefined ? {} : messageIn(rule['icmp'], notes.at('icmp'))
  const not = rule['notICMP'] === undefined ? undefined : messageIn(rule['notICMP'], notes.at('notICMP'))
  if (is === undefined || (not === undefined && rule['notICMP'] !== undefined)) return 'unknown'
  const left = not === undefined ? [is] : withoutMessage(is, not)
  return { ports: left.map((message) => ({ type: 'icmp', family, ...message })) }
}

function messageIn(input: unknown, notes: Notes): Message | undefined {
  const fields = fieldsIn(input, ['type', 'code'], notes)
  if (fields === undefined) return undefined
  const { type: icmpType, code } = fields
  if (icmpType === undefined && code !== undefined) return notes.problem('a code needs a type')
  if (!isByte(icmpType) || !isByte(code)) return notes.problem(`${shown(input)} is no type and code`)
  return { ...(icmpType === undefined ? {} : { icmpType }), ...(code === undefined ? {} : { code }) }
}

function isByte(input: unknown): input is number | undefined {
  return input === undefined || (typeof input === 'number' && Number.isInteger(input) && input >= 0 && input <= 255)
}

/** All messages that are one and not the other. */
function withoutMessage(is: Message, not: Message): readonly Message[] {
  if (not.icmpType === undefined) return []
  if (is.icmpType === undefined) return BYTES.flatMap((icmpType) => withoutMessage({ icmpType }, not))
  if (is.icmpType !== not.icmpType) return [is]
  if (not.code === undefined) return []
  const { icmpType } = is
  const codes = is.code === undefined ? BYTES : [is.code]
  return codes.filter((code) => code !== not.code).map((code) => ({ icmpType, code }))
}

function matchesOf(protocol: number): readonly PortMatch[] {
  const word = WITH_PORTS[protocol]
  if (word !== undefined) return [{ type: 'protocol', protocol: word }]
  const family = ICMP_FAMILIES[protocol]
  return family === undefined ? [{ type: 'ip', number: protocol }] : [{ type: 'icmp', family }]
}
