import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { SAMPLE_CLUSTER, sampleHosts, sampleNode, samplePlanner } from '../../test/tables/sample-node.ts'
import { type NodeContext, nodeContext } from './context.ts'
import { peerKey } from './fragments/fragment.ts'
import { ip } from './model/address.ts'
import type { Machine, NodeNetwork } from './model/node.ts'
import { NodePlanner } from './planner.ts'
import { sharedAddress } from './shared-address.ts'
import { compileSwitch, packetOf, simulate } from './simulate/simulate.ts'

const HOST: Machine = { kind: 'external', vni: 42 }
const ALL: Machine = { kind: 'external', vni: 0 }

/** The n-th machine, at addresses of the documentation's network. */
function machine(n: number, ends: readonly number[], kind?: Machine): NodeNetwork {
  const addresses = ends.map((end) => (end > 100 ? ip(`2001:db8::${end}`) : ip(`192.0.2.${end}`)))
  return { ...sampleNode(n), addresses, ...(kind === undefined ? {} : { machine: kind }) }
}

describe('what is wrong with addresses', () => {
  const cases: readonly {
    readonly title: string
    readonly one: NodeNetwork
    readonly others: readonly NodeNetwork[]
    readonly problem: RegExp | undefined
  }[] = [
    {
      title: 'nothing when they are its own',
      one: machine(1, [1], HOST),
      others: [machine(2, [2])],
      problem: undefined,
    },
    {
      title: 'nothing when they are its own record’s',
      one: machine(1, [1]),
      others: [machine(1, [1])],
      problem: undefined,
    },
    {
      title: 'a host at a node’s',
      one: machine(3, [2], HOST),
      others: [machine(1, [2], HOST), machine(2, [2])],
      problem: /^192\.0\.2\.2 is node2's address: it stays the node's/,
    },
    {
      title: 'a host at a node’s other one',
      one: machine(3, [5, 102], HOST),
      others: [machine(2, [2, 102])],
      problem: /^2001:db8::102 is node2's address/,
    },
    {
      title: 'two hosts',
      one: machine(3, [5], HOST),
      others: [machine(2, [2]), machine(5, [5], ALL), machine(4, [5], HOST)],
      problem: /^192\.0\.2\.5 is node4's address too: one host at most/,
    },
    {
      title: 'two nodes',
      one: machine(1, [2]),
      others: [machine(3, [2]), machine(2, [2])],
      problem: /^192\.0\.2\.2 is node2's address too: what is sent to one/,
    },
    {
      title: 'nothing for a node whose address a host names',
      one: machine(1, [2]),
      others: [machine(3, [2], HOST)],
      problem: undefined,
    },
    {
      title: 'nothing for nodes that all name a bridge of their own, which no tunnel runs to',
      one: machine(1, [1, 17]),
      others: [machine(2, [2, 17]), machine(3, [3, 17, 1])],
      problem: undefined,
    },
  ]
  for (const { title, one, others, problem } of cases) {
    test(title, () => {
      const found = sharedAddress(SAMPLE_CLUSTER, one, others)
      expect(found?.problem ?? '').toMatch(problem ?? /^$/)
      expect(sharedAddress(SAMPLE_CLUSTER, one, others.toReversed())).toEqual(found)
    })
  }
})

describe('what a switch makes of it', () => {
  const peer = fc
    .record({
      n: fc.integer({ min: 2, max: 6 }),
      ends: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
      kind: fc.constantFrom<Machine | undefined>(undefined, HOST, ALL),
      hasRanges: fc.boolean(),
    })
    .map(({ n, ends, kind, hasRanges }) => {
      const made = machine(n, ends, kind)
      return kind !== undefined && !hasRanges ? { ...made, ranges: [] } : made
    })
  const machines = fc.uniqueArray(peer, { selector: ({ node }) => node })

  test('no external host takes anything from a node, and at an address one is served, none at a node’s', () => {
    fc.assert(
      fc.property(machines, (peers) => {
        const nodes = peers.filter((peer) => peer.machine.kind === 'node')
        const [all, alone] = [planned(peers), planned(nodes)]
        for (const { node } of nodes) {
          expect(all.get(peerKey(node))).toEqual(alone.get(peerKey(node)) ?? [])
          expect(all.get(peerKey(node))).not.toEqual([])
        }
        const taken = [machine(1, [1]), ...nodes].flatMap(({ addresses }) => addresses)
        const served = peers
          .filter((peer) => peer.machine.kind === 'external' && (all.get(peerKey(peer.node))?.length ?? 0) > 0)
          .map(({ addresses: [end] }) => end)
        expect(new Set(served).size).toBe(served.length)
        expect(served.filter((end) => end !== undefined && taken.includes(end))).toEqual([])
        // Where it may be served, somebody is.
        const able = peers
          .filter((peer) => peer.machine.kind === 'external' && peer.ranges.length > 0)
          .flatMap(({ addresses: [end] }) => (end === undefined || taken.includes(end) ? [] : [end]))
        expect(new Set(served)).toEqual(new Set(able))
      }),
    )
  })

  test('it makes no difference in which order it is heard of', () => {
    const change = fc.record({ peer, what: fc.constantFrom('put', 'remove', 'give or take ranges') })
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const planner = new NodePlanner(context())
        const there = new Map<string, NodeNetwork>()
        for (const { peer: one, what } of changes) {
          const before = there.get(one.node)
          const after = what === 'put' ? one : what === 'remove' ? undefined : turned(before)
          told(planner, one.node, after)
          if (after === undefined) there.delete(one.node)
          else there.set(one.node, after)
        }
        for (const peers of [[...there.values()], [...there.values()].reverse()]) {
          const sorted = (keyed: ReadonlyMap<string, readonly unknown[]>) =>
            [...keyed].sort(([a], [b]) => (a < b ? -1 : 1))
          expect(sorted(flowsOf(planner))).toEqual(sorted(planned(peers)))
        }
      }),
    )
  })

  test('one that is declared later, and has no range, disturbs nobody, whatever its name', () => {
    const [older, later] = [machine(3, [3], HOST), { ...machine(2, [3], ALL), ranges: [] }]
    const planner = new NodePlanner(context())
    const served = () => [...planner.tunnelEnds()].map(({ peer }) => peer.node)
    for (const one of [older, later]) planner.putPeer(one)
    expect(served()).toEqual(['node3'])
    planner.putPeer({ ...later, ranges: sampleNode(2).ranges })
    expect(served()).toEqual(['node2'])
    expect(flowsOf(planner).get(peerKey('node3'))).toEqual([])
  })

  test('a node’s packets come in while an external host names its address, and the host’s when that has its own', () => {
    const planner = samplePlanner()
    const [balancer] = sampleHosts()
    if (balancer === undefined) throw new Error('there is a sample host')
    const comes = (tunnel: string, source: string) => {
      const packet = {
        in_port: 1,
        tun_src: tunnel,
        tun_id: 42n,
        eth_type: 0x800,
        ipv4_src: source,
        ipv4_dst: '10.128.0.2',
      }
      const made = compileSwitch(planner.flows(), planner.groups())
      return simulate(made, packetOf({ ...packet, ip_proto: 1, icmp_type: 8 })).outputs.map(({ port }) => port)
    }
    const delivered = [0x1002]
    expect([comes('192.0.2.12', '10.129.0.9'), comes('192.0.2.19', '10.131.18.1')]).toEqual([delivered, delivered])
    planner.putPeer({ ...balancer, addresses: sampleNode(2).addresses })
    expect([comes('192.0.2.12', '10.129.0.9'), comes('192.0.2.12', '10.131.18.1')]).toEqual([delivered, []])
    expect([...planner.tunnelEnds()].map(({ peer }) => peer.node)).toEqual(['node2', 'monitor'])
    // Of this very node: it is no tunnel's end to itself either.
    planner.putPeer({ ...balancer, addresses: sampleNode(1).addresses })
    expect([comes('192.0.2.12', '10.129.0.9'), comes('192.0.2.11', '10.131.18.1')]).toEqual([delivered, []])
    planner.putPeer({ ...balancer, addresses: sampleNode(2).addresses })
    planner.putPeer({ ...sampleNode(2), addresses: [ip('192.0.2.77')] })
    expect([comes('192.0.2.77', '10.129.0.9'), comes('192.0.2.12', '10.131.18.1')]).toEqual([delivered, delivered])
  })
})

/** Its ranges are taken from it, or given back. */
function turned(one: NodeNetwork | undefined): NodeNetwork | undefined {
  return one && { ...one, ranges: one.ranges.length > 0 ? [] : sampleNode(2).ranges }
}

function told(planner: NodePlanner, node: string, one: NodeNetwork | undefined): void {
  if (one === undefined) planner.removePeer(node)
  else planner.putPeer(one)
}

/** The flows of every fragment of node 1, by their keys. */
function planned(peers: readonly NodeNetwork[]): ReadonlyMap<string, readonly unknown[]> {
  const planner = new NodePlanner(context())
  for (const peer of peers) planner.putPeer(peer)
  return flowsOf(planner)
}

function flowsOf(planner: NodePlanner): ReadonlyMap<string, readonly unknown[]> {
  return new Map([...planner.fragments()].map(({ key, flows }) => [key, flows]))
}

function context(): NodeContext {
  const made = nodeContext(SAMPLE_CLUSTER, machine(1, [1]), 1450)
  if (made === undefined) throw new Error('the sample node has ranges')
  return made
}
