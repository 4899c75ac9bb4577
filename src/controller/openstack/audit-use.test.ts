import { expect, test } from 'bun:test'
import { ip, type Mac } from '../../network/model/address.ts'
import type { NodePorts, PortUse } from '../../network/model/neutron.ts'
import { auditUse, type UseAudit } from './audit-use.ts'

const MAC = 'fa:16:3e:00:00:01' as Mac

const nodePorts = (node: string, ...ids: readonly string[]): NodePorts => ({
  node,
  pools: [
    {
      ...{ network: 'pods', networkId: 'net', mode: 'pair', mtu: 1442, subnets: [], groups: [] },
      parent: { portId: `vm-of-${node}`, mac: MAC },
      ports: ids.map((id) => ({
        id,
        mac: MAC,
        addresses: [{ address: ip('10.1.0.9'), subnetId: 's' }],
      })),
    },
  ],
  problems: [],
})

const use = (node: string, ...ids: readonly string[]): PortUse => ({
  ...{ node, resting: [], given: [], wants: [] },
  leased: ids.map((id) => ({ id, sandbox: `c-${id}`, ifname: 'eth0', pod: `shop/${node}` })),
})

const FINE: UseAudit = {
  nodes: [nodePorts('a', 'p1', 'p2'), nodePorts('b', 'p3')],
  uses: [use('a', 'p1'), use('b')],
  machines: new Set(['a', 'b']),
}

const cases: readonly (readonly [what: string, change: Partial<UseAudit>, found: readonly string[]])[] = [
  ['all is well', {}, []],
  [
    'a pod with a port that is written down nowhere',
    { uses: [use('a', 'p9')] },
    ['a neutron-lease-without-port port p9'],
  ],
  ['a pod with a port of another node', { uses: [use('b', 'p1')] }, ['b neutron-lease-without-port port p1']],
  ['a node that speaks of ports and has none', { uses: [use('c', 'p1')] }, ['c neutron-lease-without-port port p1']],
  ['two pods with one port', { uses: [use('a', 'p1', 'p1')] }, ['a neutron-port-leased-twice port p1']],
  [
    'a port of two nodes',
    { nodes: [nodePorts('a', 'p1'), nodePorts('b', 'p1')], uses: [] },
    ['a neutron-port-pooled-twice port p1'],
  ],
  [
    'a port of two nodes, in whatever order they are listed',
    { nodes: [nodePorts('b', 'p1'), nodePorts('a', 'p1')], uses: [] },
    ['a neutron-port-pooled-twice port p1'],
  ],
  ['a node that is gone', { machines: new Set(['a']) }, ['b neutron-node-gone nodeports b']],
  ['a node that is gone, with nothing', { nodes: [nodePorts('d')], uses: [], machines: new Set() }, []],
]

test.each(cases)('%s', (_, change, found) => {
  expect(auditUse({ ...FINE, ...change }).map(({ node, code, object }) => `${node} ${code} ${object}`)).toEqual([
    ...found,
  ])
})

test('where Nodes are not known none is missed', () => {
  expect(auditUse({ nodes: FINE.nodes, uses: FINE.uses })).toEqual([])
})
