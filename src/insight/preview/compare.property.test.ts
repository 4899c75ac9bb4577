import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { gatewayOf } from '../../ipam/pool.ts'
import { familyOf, type Ip } from '../../network/model/address.ts'
import { policyKey } from '../../network/model/policy.ts'
import { judge } from '../../network/policy/oracle.ts'
import type { Decision, Party } from '../../network/policy/verdict.ts'
import { type Comparison, compare, type Difference, type Side } from './compare.ts'
import { type Line, Lines } from './lines.ts'
import type { Point } from './parties.ts'
import { OUTSIDE, worlds } from './testing/worlds.ts'
import type { PreviewWorld } from './world.ts'

/** Around every border that rules and names of ports make in these worlds. */
const PORTS = [1, 2, 79, 80, 81, 82, 8079, 8080, 8081, 65_534, 65_535]
const TRANSPORTS = [
  ...(['TCP', 'UDP', 'SCTP'] as const).flatMap((protocol) => PORTS.map((port) => ({ protocol, port }))),
  { protocol: 'ICMP' as const, port: 0 },
]

test('what changes is what changes when every pair is asked about every port', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const differences: Difference[] = []
      const comparison = compare(world, (difference) => differences.push(difference))
      const told = differences.flatMap((difference) => connectionsOf(difference, comparison))
      const asked = bruteForce(world, comparison)
      expect(told.sort()).toEqual(asked.connections.sort())
      const said = linesOf(differences).flatMap((line) => connectionsIn(line, comparison))
      expect(said.sort()).toEqual(told)
      expect(comparison.pairs === 0).toBe(asked.connections.length === 0)
    }),
    { numRuns: 60 },
  )
}, 60_000)

function bruteForce(world: PreviewWorld, { parties }: Comparison) {
  const names = parties.names
  const pods: readonly Party[] = world.pods.flatMap((pod) =>
    pod.addresses.map((address) => ({ type: 'pod' as const, pod, address })),
  )
  const nodes: readonly Party[] = world.nodes.flatMap(({ node, addresses, ranges }) =>
    [...addresses, ...ranges.map(gatewayOf)].map((address) => ({ type: 'node' as const, node, address })),
  )
  const far = new Set([...OUTSIDE, ...[...names.values()].flat()])
  const outside: readonly Party[] = [...far].map((address) => ({ type: 'outside' as const, address }))
  const all = [...pods, ...nodes, ...outside]
  const pairs = all.flatMap((source) =>
    all.flatMap((destination) => {
      const isAsked = source.type === 'pod' || destination.type === 'pod'
      return isAsked && familyOf(source.address) === familyOf(destination.address) ? [{ source, destination }] : []
    }),
  )
  const [before, after] = [world.before, world.after].map((policies) => ({ ...world, policies, names }))
  const connections = pairs.flatMap((ends) =>
    TRANSPORTS.flatMap((transport) => {
      const [was, is] = [before, after].map((one) => one && judge(one, { ...ends, ...transport }))
      if (was === undefined || is === undefined || was.allowed === is.allowed) return []
      const side = was.egress.allowed === is.egress.allowed ? 'ingress' : 'egress'
      const turn = turnText(side, is.allowed ? 'allowed' : 'denied', was[side], is[side])
      return [lineOf(ends.source.address, ends.destination.address, transport, turn)]
    }),
  )
  return { connections }
}

function linesOf(differences: readonly Difference[]): readonly Line[] {
  const lines = new Lines()
  for (const difference of differences) lines.add(difference)
  return lines.lines()
}

/** A line of several is as many differences; points of others are known by their kind. */
function connectionsIn({ change, sources, destinations, points }: Line, comparison: Comparison): readonly string[] {
  return sources.flatMap((source) =>
    destinations.flatMap((destination) => {
      const own =
        source.type === 'addresses' || destination.type === 'addresses'
          ? []
          : source.points.flatMap((a) => destination.points.map((b) => [a, b] as const))
      const alike = own.filter(([a, b]) => points?.some(([c, d]) => isAlike(a, c) && isAlike(b, d)))
      const some = points === undefined ? {} : { points: alike }
      return connectionsOf({ source, destination, change, pairs: 0, ...some }, comparison)
    }),
  )
}

function isAlike(a: Point, b: Point): boolean {
  return a.cells.join() === b.cells.join()
}

function connectionsOf(difference: Difference, comparison: Comparison): readonly string[] {
  const { source, destination, change, points } = difference
  return membersOf(source, comparison).flatMap((from) =>
    membersOf(destination, comparison).flatMap((to) => {
      if (from.family !== to.family || isExempt(from, to)) return []
      if (points !== undefined && !points.some(([a, b]) => a === from.point && b === to.point)) return []
      return TRANSPORTS.filter(({ protocol, port }) =>
        change.ports.some((span) => span.protocol === protocol && span.from <= port && port <= span.to),
      ).map((transport) => {
        return lineOf(
          from.address,
          to.address,
          transport,
          turnText(change.direction, change.to, change.before, change.after),
        )
      })
    }),
  )
}

interface Member {
  readonly address: Ip
  readonly family: 4 | 6
  readonly point: Point | undefined
  readonly pod?: string
  readonly node?: string
  readonly on?: string
}

function membersOf(side: Side, { parties }: Comparison): readonly Member[] {
  if (side.type === 'addresses') {
    const invented = new Set([...parties.names.values()].flat())
    const far = OUTSIDE.filter((address) => !invented.has(address)).filter((address) =>
      side.members.some(
        (one) => one.name === undefined && one.points[0]?.cells.includes(parties.cells.indexOf(address)),
      ),
    )
    const named = side.members.flatMap(({ name, address }) => (name === undefined ? [] : [address]))
    return [...far, ...named].map((address) => ({ address, family: familyOf(address), point: undefined }))
  }
  return side.addresses.flatMap((addresses, member) =>
    addresses.map((address, i) => {
      const base = { address, family: familyOf(address), point: side.points[i] }
      if (side.type === 'nodes') return { ...base, node: side.nodes[member] ?? '' }
      const pod = side.pods[member]
      return { ...base, pod: `${pod?.namespace}/${pod?.name}`, on: pod?.node ?? '' }
    }),
  )
}

function isExempt(from: Member, to: Member): boolean {
  if (from.pod !== undefined && from.pod === to.pod) return true
  return from.node !== undefined && from.node === to.on
}

/** A turn and why; which peer and port of a rule matched is no other reason. */
function turnText(side: string, to: string, ...decisions: readonly Decision[]): string {
  const reasons = decisions.map((decision) => {
    if (decision.because !== 'rule') return JSON.stringify(decision)
    const { policy, index } = decision.rule
    return `${decision.allowed} ${policyKey(policy)} ${index}`
  })
  return [side, to, ...reasons].join(' ')
}

function lineOf(
  source: Ip,
  destination: Ip,
  { protocol, port }: { protocol: string; port: number },
  to: string,
): string {
  return `${source} ${destination} ${protocol} ${port} ${to}`
}
