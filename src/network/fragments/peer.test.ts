import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import { type NodeContext, nodeContext } from '../context.ts'
import type { Cluster } from '../model/cluster.ts'
import type { NodeNetwork } from '../model/node.ts'
import { peerFragment } from './peer.ts'

const STATUS = { ready: true, uplinkMtu: 1500, datapath: 'netdev' } as const

function contextOf(cluster: Cluster = SAMPLE_CLUSTER): NodeContext {
  const context = nodeContext(cluster, sampleNode(1), 1450)
  if (context === undefined) throw new Error('the sample node has ranges')
  return context
}

function asked(peer: NodeNetwork, cluster?: Cluster): readonly unknown[] {
  return peerFragment(contextOf(cluster), peer).flows.filter(({ match }) => match.arp_op === 1)
}

test.each([
  ['that nobody has heard of', {}],
  ['whose agent waits', { status: { ...STATUS, ready: false } }],
])('a node %s may be another plugin’s: its ARP requests are answered, for our pods only', (_, more) => {
  expect(asked({ ...sampleNode(2), ...more })).toEqual([
    expect.objectContaining({
      match: {
        tun_src: '192.0.2.12',
        eth_type: 0x806,
        arp_op: 1,
        arp_spa: '10.129.0.0/23',
        arp_tpa: '10.128.0.0/23',
      },
    }),
  ])
})

test('nobody else does', () => {
  expect(asked({ ...sampleNode(2), status: STATUS })).toEqual([])
  expect(asked({ ...sampleNode(2), machine: { kind: 'external', vni: 42 } })).toEqual([])
  expect(asked(sampleNode(2), { ...SAMPLE_CLUSTER, underlay: 6 })).toEqual([])
})
