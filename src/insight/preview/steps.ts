/**
 * What is decided about a connection, by the port it goes to: the same between two borders.
 * @module
 */
import type { NamedPort } from '../../network/model/pod.ts'
import type { Direction, Policy } from '../../network/model/policy.ts'
import type { Connection, Decision } from '../../network/policy/verdict.ts'

/** What connections are made of. */
export type Transport = Connection['protocol']

/** Every transport, and its ports; ICMP has none. */
export const TRANSPORTS = [
  { protocol: 'TCP', first: 1, last: 65_535 },
  { protocol: 'UDP', first: 1, last: 65_535 },
  { protocol: 'SCTP', first: 1, last: 65_535 },
  { protocol: 'ICMP', first: 0, last: 0 },
] as const satisfies readonly { readonly protocol: Transport; readonly first: number; readonly last: number }[]

/** Some ports of one transport, the last one included. */
export interface PortSpan {
  readonly protocol: Transport
  readonly from: number
  readonly to: number
}

/** A decision as it was and as it will be. */
export interface Turn {
  readonly before: Decision
  readonly after: Decision
}

/** The same decisions for all of these ports. */
export interface Step extends PortSpan, Turn {}

/** For all ports of all transports, in their order, the turns between the borders that policies make. */
export function stepsOf(borders: Borders, turnAt: (protocol: Transport, port: number) => Turn): readonly Step[] {
  return TRANSPORTS.flatMap(({ protocol, first, last }) => {
    const inner = protocol === 'ICMP' ? [] : [...borders[protocol]].filter((port) => port > first && port <= last)
    const starts = [first, ...inner.sort((a, b) => a - b)]
    return starts.map((from, i) => ({ protocol, from, to: (starts[i + 1] ?? last + 1) - 1, ...turnAt(protocol, from) }))
  })
}

/** Where a decision may change. */
export type Borders = Readonly<Record<'TCP' | 'UDP' | 'SCTP', ReadonlySet<number>>>

/** The borders that rules make for connections to a pod with these names for ports. */
export function bordersOf(policies: Iterable<Policy>, direction: Direction, named: readonly NamedPort[]): Borders {
  const borders = { TCP: new Set<number>(), UDP: new Set<number>(), SCTP: new Set<number>() }
  for (const policy of policies) {
    for (const match of (policy[direction] ?? []).flatMap(({ ports = [] }) => ports)) {
      if (match.type === 'numbers') borders[match.protocol].add(match.from).add(match.to + 1)
      if (match.type !== 'named') continue
      for (const { name, protocol, port } of named) if (name === match.name) borders[protocol].add(port).add(port + 1)
    }
  }
  return borders
}

/** Steps of both ends cut at the borders of either: `join` is told both turns of every piece. */
export function joined<T>(
  egress: readonly Step[],
  ingress: readonly Step[],
  join: (span: PortSpan, egress: Turn, ingress: Turn) => T,
): readonly T[] {
  const pieces: T[] = []
  let [i, j] = [0, 0]
  for (;;) {
    const [a, b] = [egress[i], ingress[j]]
    if (a === undefined || b === undefined) return pieces
    const to = Math.min(a.to, b.to)
    pieces.push(join({ protocol: a.protocol, from: Math.max(a.from, b.from), to }, a, b))
    if (a.to === to) i += 1
    if (b.to === to) j += 1
  }
}

/** Spans with those that touch put together. They have to be in order. */
export function merged(spans: readonly PortSpan[]): readonly PortSpan[] {
  const found: PortSpan[] = []
  for (const span of spans) {
    const last = found.at(-1)
    if (last !== undefined && last.protocol === span.protocol && last.to + 1 === span.from) {
      found[found.length - 1] = { ...last, to: span.to }
    } else found.push(span)
  }
  return found
}
