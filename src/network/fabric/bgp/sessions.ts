/**
 * The sessions of a node.
 * @module
 */
import { contains, type Family, familyOf, type Ip } from '../../model/address.ts'
import type { FieldProblem } from '../../model/problem.ts'
import { isPassive, sessionName } from './identity.ts'
import { type BgpCluster, type BgpNode, type BgpPeer, type BgpTimers, FAMILIES, type PasswordRef } from './model.ts'
import { localAsOf, type Peerings, peeringsOf, type Side } from './peering.ts'
import { type BgpSession, isInternal } from './session.ts'

/** A node's sessions, in the order of their names, and what was asked for and cannot be. */
export interface Sessions {
  readonly sessions: readonly BgpSession[]
  readonly problems: readonly FieldProblem[]
}

/** The sessions of one node; none for one that is not of the cluster. */
export function sessionsOf(cluster: BgpCluster, name: string): Sessions {
  const self = cluster.nodes.find((node) => node.name === name)
  if (self === undefined) return { sessions: [], problems: [] }
  const peerings = peeringsOf(cluster)
  const problems: FieldProblem[] = []
  const found = FAMILIES.flatMap((family) => {
    const own = self.addresses[family]
    if (own === undefined) return []
    const place: Place = { cluster, peerings, self, family, own, problems }
    return [...cluster.nodes.flatMap((other) => nodeSession(place, other)), ...externalSessions(place)]
  })
  const byName = new Map(found.toReversed().map((session) => [session.name, session]))
  return { sessions: [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)), problems }
}

interface Place {
  readonly cluster: BgpCluster
  readonly peerings: Peerings
  readonly self: BgpNode
  readonly family: Family
  readonly own: Ip
  readonly problems: FieldProblem[]
}

function nodeSession(place: Place, other: BgpNode): readonly BgpSession[] {
  const { cluster, peerings, self, family, own, problems } = place
  const address = other.addresses[family]
  if (other.name === self.name || address === undefined) return []
  const side = peerings.side(self, other, family)
  const otherSide = peerings.side(other, self, family)
  if (side === undefined || otherSide === undefined) {
    if (side?.by === 'peer') problems.push(oneSided(side.peer, self, other))
    return []
  }
  if (address === own) {
    problems.push(sameAddress(self, other, own))
    return []
  }
  const wish = wishOf(cluster, side)
  if (wish.password !== wishOf(cluster, otherSide).password) {
    problems.push(twoPasswords(side, otherSide, self, other))
  }
  if (self.clusterId !== undefined && side.by === 'peer' && wish.nextHop === 'self') problems.push(ownHop(side.peer))
  const local = { address: own, asNumber: localAsOf(cluster, self, side) }
  const remote = { address, asNumber: localAsOf(cluster, other, otherSide) }
  return [
    {
      name: sessionName('node', family, address),
      family,
      kind: 'node',
      node: other.name,
      local,
      remote: cluster.port === DEFAULT_PORT ? remote : { ...remote, port: cluster.port },
      isPassive: other.isForeign !== true && isPassive(own, address),
      isConnected: isConnected(self, family, address),
      tells: self.clusterId === undefined ? 'own' : 'all',
      isReflected: other.clusterId !== undefined,
      ...wish,
      nextHop: self.clusterId === undefined ? wish.nextHop : handedOn(isInternal({ local, remote })),
    },
  ]
}

/** A reflector's routes lead to the nodes whose ranges they are: nobody believes another next hop. */
function handedOn(isInner: boolean): BgpSession['nextHop'] {
  return isInner ? 'auto' : 'keep'
}

/** A peer that all nodes have hears of each range by the node that has it: else it would send by every one of them. */
function externalSessions(place: Place): readonly BgpSession[] {
  const { cluster, peerings, self, family, own } = place
  const nodeAddresses = new Set(cluster.nodes.flatMap(({ addresses }) => addresses[family] ?? []))
  return peerings.addressPeers.flatMap((peer): readonly BgpSession[] => {
    if (peer.to.kind !== 'address' || familyOf(peer.to.address) !== family || !peerings.has(peer, self.name)) return []
    const { address, asNumber } = peer.to
    const isNode = nodeAddresses.has(address) && (peer.to.port ?? cluster.port) === cluster.port
    // Whether the usual one is said or not, it is one session.
    const port = peer.to.port === DEFAULT_PORT ? undefined : peer.to.port
    if (isNode || address === own) return []
    const local = { asNumber: peer.localAs ?? self.asNumber ?? cluster.asNumber }
    const remote = { address, asNumber }
    return [
      {
        name: sessionName('peer', family, address, port),
        family,
        kind: 'external',
        local: peer.source === 'node' || cluster.isStrictlyBound ? { ...local, address: own } : local,
        remote: port === undefined ? remote : { ...remote, port },
        isPassive: false,
        isConnected: isConnected(self, family, address),
        tells: peer.on.kind === 'all' && self.clusterId === undefined ? 'own' : 'all',
        isReflected: false,
        ...wishOf(cluster, { by: 'peer', peer, isOwn: true }),
      },
    ]
  })
}

const DEFAULT_PORT = 179

type Wish = Pick<
  BgpSession,
  'peer' | 'nextHop' | 'bfd' | 'filters' | 'ttlSecurity' | 'allowedLocalAs' | 'reachableBy'
> &
  BgpTimers & { readonly password?: PasswordRef }

function wishOf({ mesh }: BgpCluster, side: Side): Wish {
  if (side.by === 'mesh') return { ...timersOf(mesh ?? {}), nextHop: 'auto', bfd: mesh?.bfd ?? false, filters: [] }
  const { peer } = side
  return {
    peer: peer.name,
    ...timersOf(peer),
    nextHop: peer.nextHop,
    bfd: peer.bfd,
    filters: peer.filters,
    ...(peer.ttlSecurity === undefined ? {} : { ttlSecurity: peer.ttlSecurity }),
    ...(peer.allowedLocalAs === undefined ? {} : { allowedLocalAs: peer.allowedLocalAs }),
    ...(peer.reachableBy === undefined ? {} : { reachableBy: peer.reachableBy }),
  }
}

function timersOf(from: BgpTimers & { readonly password?: PasswordRef }): BgpTimers & {
  readonly password?: PasswordRef
} {
  return {
    ...(from.keepalive === undefined ? {} : { keepalive: from.keepalive }),
    ...(from.restart === undefined ? {} : { restart: from.restart }),
    ...(from.password === undefined ? {} : { password: from.password }),
  }
}

function isConnected({ networks }: BgpNode, family: Family, address: Ip): boolean {
  const network = networks[family]
  return network !== undefined && contains(network, address)
}

function oneSided(peer: BgpPeer, self: BgpNode, other: BgpNode): FieldProblem {
  return {
    field: `BGPPeer ${peer.name}`,
    reason: `it joins ${self.name} to ${other.name}, which has no peering with ${self.name}`,
    remedy: `give ${other.name} one, or leave reversePeering out`,
  }
}

function ownHop({ name }: BgpPeer): FieldProblem {
  return {
    field: `BGPPeer ${name} spec.nextHopMode`,
    reason: 'a reflector would lead others’ packets to itself, and does not: its routes keep their next hops',
    remedy: 'leave it out',
  }
}

function sameAddress(self: BgpNode, other: BgpNode, address: Ip): FieldProblem {
  return {
    field: `Node ${other.name}`,
    reason: `it has the BGP address of ${self.name}, ${address}`,
    remedy: 'give every node an address of its own',
  }
}

function twoPasswords(side: Side, otherSide: Side, self: BgpNode, other: BgpNode): FieldProblem {
  const name = (one: Side): string => (one.by === 'mesh' ? 'the mesh' : `BGPPeer ${one.peer.name}`)
  return {
    field: name(side),
    reason: `it joins ${self.name} to ${other.name} with another password than ${name(otherSide)} does the other way`,
    remedy: 'use one password for both ways',
  }
}
