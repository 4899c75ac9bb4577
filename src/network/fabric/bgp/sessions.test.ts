import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from '../../model/address.ts'
import { type BgpCluster, type BgpNode, type BgpPeer, DEFAULT_BFD, FAMILIES } from './model.ts'
import { type BgpSession, isInternal } from './session.ts'
import { sessionsOf } from './sessions.ts'
import { cluster as anyCluster } from './testing/arbitraries.ts'

test('two nodes see the same session, from its two sides, and one of them waits for the other', () => {
  fc.assert(
    fc.property(anyCluster, (any) => {
      const one = withoutTwins(any)
      const views = new Map(one.nodes.map(({ name }) => [name, nodeSessions(one, name)]))
      for (const { name } of one.nodes) {
        for (const session of views.get(name) ?? []) {
          const back = views.get(session.node ?? '')?.filter((other) => isOtherSide(session, other)) ?? []
          expect(back).toHaveLength(1)
          expect(back[0]?.remote.asNumber).toBe(session.local.asNumber)
          expect(back[0]?.local.asNumber).toBe(session.remote.asNumber)
          expect(back[0]?.isPassive).toBe(!session.isPassive)
        }
      }
    }),
  )
})

test('the mesh is every pair of nodes that reflect nothing, once per family that both have', () => {
  fc.assert(
    fc.property(anyCluster, (any) => {
      const one = { ...withoutTwins(any), peers: [], mesh: { bfd: false } }
      const meshed = one.nodes.filter(({ clusterId }) => clusterId === undefined)
      const pairs = FAMILIES.map((family) => meshed.filter(({ addresses }) => addresses[family] !== undefined).length)
      const expected = pairs.reduce((sum, count) => sum + count * (count - 1), 0)
      expect(one.nodes.flatMap(({ name }) => sessionsOf(one, name).sessions)).toHaveLength(expected)
    }),
  )
})

test('of two addresses the greater one calls, as numbers and not as texts', () => {
  const one = clusterOf([node('a', '10.0.0.9'), node('b', '10.0.0.10')])
  expect(sessionsOf(one, 'a').sessions[0]?.isPassive).toBe(true)
  expect(sessionsOf(one, 'b').sessions[0]?.isPassive).toBe(false)
})

test('nobody waits for another program, which may wait for us', () => {
  const one = clusterOf([node('a', '10.0.0.1'), { ...node('b', '10.0.0.2'), isForeign: true }])
  expect(sessionsOf(one, 'a').sessions[0]?.isPassive).toBe(false)
})

describe('reflectors', () => {
  const nodes = [
    { ...node('r1', '10.0.0.1'), clusterId: ip('1.0.0.1') },
    { ...node('r2', '10.0.0.2'), clusterId: ip('1.0.0.2') },
    node('a', '10.0.0.3'),
    node('b', '10.0.0.4'),
  ]
  const peers = [
    peer('clients', ['a', 'b'], { kind: 'nodes', nodes: ['r1', 'r2'], isMutual: true }),
    peer('reflectors', ['r1', 'r2'], { kind: 'nodes', nodes: ['r1', 'r2'], isMutual: true }),
  ]

  test('are no part of the mesh; clients keep theirs until it ends', () => {
    expect(names(clusterOf(nodes), 'r1')).toEqual([])
    expect(names(clusterOf(nodes), 'a')).toEqual(['b'])
    expect(names({ ...clusterOf(nodes), peers }, 'a')).toEqual(['r1', 'r2', 'b'])
    expect(names({ ...withoutMesh(clusterOf(nodes)), peers }, 'a')).toEqual(['r1', 'r2'])
    expect(names({ ...withoutMesh(clusterOf(nodes)), peers }, 'r1')).toEqual(['r2', 'a', 'b'])
  })

  test('tell everything, others what they have themselves', () => {
    const one = { ...withoutMesh(clusterOf(nodes)), peers }
    expect(sessionsOf(one, 'r1').sessions.map(({ tells }) => tells)).toEqual(['all', 'all', 'all'])
    expect(sessionsOf(one, 'a').sessions.map(({ tells }) => tells)).toEqual(['own', 'own'])
  })

  test('keep next hops, whatever is asked for: nobody believes another', () => {
    const own = { ...peers[0], nextHop: 'self' } as BgpPeer
    const foreign = nodes.map((any) => (any.name === 'b' ? { ...any, asNumber: 65_000 } : any))
    const one = { ...withoutMesh(clusterOf(foreign)), peers: [own] }
    const { sessions, problems } = sessionsOf(one, 'r1')
    expect(sessions.map(({ node: other, nextHop }) => [other, nextHop])).toEqual([
      ['a', 'auto'],
      ['b', 'keep'],
    ])
    expect(new Set(problems.map(({ field }) => field))).toEqual(new Set(['BGPPeer clients spec.nextHopMode']))
    expect(sessionsOf(one, 'a').sessions.map(({ nextHop }) => nextHop)).toEqual(['self', 'self'])
  })

  test('a peering that nobody answers is no session, and is said', () => {
    const lonely = peer('lonely', ['a'], { kind: 'nodes', nodes: ['r1'], isMutual: false })
    const { sessions, problems } = sessionsOf({ ...withoutMesh(clusterOf(nodes)), peers: [lonely] }, 'a')
    expect(sessions).toEqual([])
    expect(problems).toEqual([
      {
        field: 'BGPPeer lonely',
        reason: 'it joins a to r1, which has no peering with a',
        remedy: 'give r1 one, or leave reversePeering out',
      },
    ])
  })
})

describe('peers outside', () => {
  const nodes = [node('a', '10.0.0.1'), node('b', '10.0.0.2')]
  const router = { kind: 'address', address: ip('10.0.0.254'), asNumber: 65_000 } as const

  test('one that every node has hears of own ranges alone, one of some nodes of all', () => {
    const everywhere: BgpPeer = { ...peer('tor', [], router), on: { kind: 'all' } }
    expect(external({ ...clusterOf(nodes), peers: [everywhere] }, 'a')[0]?.tells).toBe('own')
    expect(external({ ...clusterOf(nodes), peers: [peer('tor', ['a'], router)] }, 'a')[0]?.tells).toBe('all')
    expect(external({ ...clusterOf(nodes), peers: [peer('tor', ['a'], router)] }, 'b')).toEqual([])
  })

  test('what names a node goes before what selects it, and that before what is for all', () => {
    const wide: BgpPeer = { ...peer('a-wide', [], router), on: { kind: 'all' } }
    const some = peer('b-some', ['a'], router)
    const exact: BgpPeer = { ...peer('c-exact', [], router), on: { kind: 'node', node: 'a' } }
    const chosen = (peers: readonly BgpPeer[]): readonly (string | undefined)[] =>
      external({ ...clusterOf(nodes), peers }, 'a').map((session) => session.peer)
    expect(chosen([wide, some, exact])).toEqual(['c-exact'])
    expect(chosen([wide, some])).toEqual(['b-some'])
    expect(chosen([wide])).toEqual(['a-wide'])
  })

  test('another port of an address is another peer', () => {
    const second = { ...router, port: 1790 }
    const one = { ...clusterOf(nodes), peers: [peer('one', ['a'], router), peer('two', ['a'], second)] }
    expect(external(one, 'a').map(({ name }) => name)).toEqual(['peer4_10_0_0_254', 'peer4_10_0_0_254_1790'])
  })

  test('the usual port is the same peer whether it is said or not', () => {
    const said = { ...router, port: 179 }
    const one = { ...clusterOf(nodes), peers: [peer('one', ['a'], router), peer('two', ['a'], said)] }
    expect(external(one, 'a').map(({ name, peer: by }) => [name, by])).toEqual([['peer4_10_0_0_254', 'one']])
  })

  test('a node is never its own peer, and the address of another one is that node', () => {
    const self = peer('self', ['a', 'b'], { kind: 'address', address: ip('10.0.0.1'), asNumber: 64_512 })
    const one = { ...clusterOf(nodes), peers: [self] }
    expect(sessionsOf(one, 'a').sessions.map(({ name }) => name)).toEqual(['node4_10_0_0_2'])
    expect(sessionsOf(one, 'b').sessions).toHaveLength(1)
    expect(sessionsOf(one, 'b').sessions[0]).toMatchObject({ kind: 'node', node: 'a', peer: 'self' })
  })
})

function nodeSessions(one: BgpCluster, name: string): readonly BgpSession[] {
  return sessionsOf(one, name).sessions.filter(({ kind }) => kind === 'node')
}

function external(one: BgpCluster, name: string): readonly BgpSession[] {
  return sessionsOf(one, name).sessions.filter(({ kind }) => kind === 'external')
}

function names(one: BgpCluster, name: string): readonly (string | undefined)[] {
  return sessionsOf(one, name).sessions.map((session) => session.node)
}

function isOtherSide(a: BgpSession, b: BgpSession): boolean {
  return a.local.address === b.remote.address && b.local.address === a.remote.address && isInternal(a) === isInternal(b)
}

/** Addresses that two nodes have are taken from the second. */
function withoutTwins(one: BgpCluster): BgpCluster {
  const seen = new Set<string>()
  const nodes = one.nodes.map((any) => {
    const addresses = Object.entries(any.addresses).filter(([, address]) => !seen.has(address))
    for (const [, address] of addresses) seen.add(address)
    return { ...any, addresses: Object.fromEntries(addresses) }
  })
  return { ...one, nodes }
}

function node(name: string, address: string): BgpNode {
  return { name, addresses: { 4: ip(address) }, networks: { 4: cidr('10.0.0.0/24') }, ranges: [] }
}

function peer(name: string, nodes: readonly string[], to: BgpPeer['to']): BgpPeer {
  return {
    name,
    on: { kind: 'selected', nodes },
    to,
    nextHop: 'auto',
    bfd: false,
    source: 'node',
    filters: [],
  }
}

function clusterOf(nodes: readonly BgpNode[]): BgpCluster {
  return {
    asNumber: 64_512,
    port: 179,
    isStrictlyBound: false,
    hasTunnels: true,
    mesh: { bfd: false },
    bfd: DEFAULT_BFD,
    nodes,
    peers: [],
    filters: [],
    pools: [],
    services: [],
    communities: [],
    metric: { 4: 1024, 6: 1024 },
    ignoredInterfaces: [],
  }
}

function withoutMesh({ mesh: _, ...rest }: BgpCluster): BgpCluster {
  return rest
}
