/**
 * The connections that are asked about in a world.
 */

import { gatewayOf } from '../../../src/ipam/pool.ts'
import { familyOf, type Ip } from '../../../src/network/model/address.ts'
import type { Pod } from '../../../src/network/model/pod.ts'
import { partyOf } from '../../../src/network/policy/oracle.ts'
import type { Connection, Party } from '../../../src/network/policy/verdict.ts'
import { randomFrom } from '../../lab/random.ts'
import { OUTSIDE, PROTOCOLS, SERVED_PORTS } from './objects.ts'
import { podKey, type World } from './world.ts'

/** Two that pods serve and one that none does. */
const PORTS = [...SERVED_PORTS, 82] as const

/** What is asked of two ends: every port of every protocol, and a ping. */
const QUESTIONS: readonly Pick<Connection, 'protocol' | 'port'>[] = [
  ...PROTOCOLS.flatMap((protocol) => PORTS.map((port) => ({ protocol, port }))),
  { protocol: 'ICMP', port: 0 },
]

/** Every connection between two pods, of both families; a pod and itself left out. */
export function podConnections(world: World): readonly Connection[] {
  return world.pods.flatMap((source) =>
    world.pods.flatMap((destination) =>
      podKey(source) === podKey(destination) ? [] : between(partiesOf(source), partiesOf(destination)),
    ),
  )
}

/** Those of nodes and of the world outside to pods, and those of pods to them. */
export function otherConnections(world: World): readonly Connection[] {
  const parties = (addresses: readonly Ip[]) => addresses.map((address) => partyOf(world, address))
  return world.pods.flatMap((pod) => {
    const own = world.nodes.find(({ node }) => node === pod.node)
    const others = world.nodes.filter(({ node }) => node !== pod.node)
    const gateways = others.flatMap(({ ranges }) => ranges.map(gatewayOf))
    const home = [...(own?.addresses ?? []), ...(own?.ranges.map(gatewayOf) ?? [])]
    return [
      ...between(parties([...home, ...gateways, ...OUTSIDE]), partiesOf(pod)),
      ...between(partiesOf(pod), parties([...home, ...gateways, ...OUTSIDE])),
    ]
  })
}

/** Everything that can be asked. */
export function connectionsOf(world: World): readonly Connection[] {
  return [...podConnections(world), ...otherConnections(world)]
}

/** As many connections as are asked for, between anybody and anybody; the same ones for the same seed. */
export function drawnFrom(world: World, count: number, seed: number): readonly Connection[] {
  const random = randomFrom(seed)
  const pods = world.pods.flatMap(partiesOf)
  const others = [
    ...world.nodes.flatMap(({ addresses, ranges }) => [...addresses, ...ranges.map(gatewayOf)]),
    ...OUTSIDE,
  ]
  const ends = [...pods, ...pods, ...pods, ...others.map((address) => partyOf(world, address))]
  const drawn: Connection[] = []
  while (drawn.length < count) {
    const [source, destination] = [ends[random(ends.length)], ends[random(ends.length)]]
    const question = QUESTIONS[random(QUESTIONS.length)]
    if (source === undefined || destination === undefined || question === undefined) break
    if (mayMeet(world, source, destination)) drawn.push({ source, destination, ...question })
  }
  return drawn
}

/** Two ends that packets go between: a node speaks to pods of others with its address in the overlay. */
function mayMeet({ nodes }: World, source: Party, destination: Party): boolean {
  if (familyOf(source.address) !== familyOf(destination.address)) return false
  if (source.type !== 'pod') {
    if (destination.type !== 'pod') return false
    if (source.type === 'outside' || source.node === destination.pod.node) return true
    return nodes.some(({ ranges }) => ranges.map(gatewayOf).includes(source.address))
  }
  return destination.type !== 'pod' || podKey(source.pod) !== podKey(destination.pod)
}

/** Some of these, the same ones for the same seed. */
export function someOf<T>(list: readonly T[], count: number, seed: number): readonly T[] {
  const random = randomFrom(seed)
  const left = [...list]
  return Array.from({ length: Math.min(count, list.length) }, () => left.splice(random(left.length), 1)).flat()
}

/** As people write it: `x/a -> y/b (fd00::5) TCP/80`. */
export function textOf({ source, destination, protocol, port }: Connection): string {
  return `${partyText(source)} -> ${partyText(destination)} ${protocol}${protocol === 'ICMP' ? '' : `/${port}`}`
}

function partyText(party: Party): string {
  if (party.type === 'pod') return `${podKey(party.pod)} (${party.address})`
  return party.type === 'node' ? `${party.node} (${party.address})` : party.address
}

function partiesOf(pod: Pod): readonly Party[] {
  return pod.addresses.map((address) => ({ type: 'pod', pod, address }))
}

function between(sources: readonly Party[], destinations: readonly Party[]): readonly Connection[] {
  return sources.flatMap((source) =>
    destinations.flatMap((destination) =>
      familyOf(source.address) === familyOf(destination.address)
        ? QUESTIONS.map((question) => ({ source, destination, ...question }))
        : [],
    ),
  )
}
