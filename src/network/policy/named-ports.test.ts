/** Ports that pods have names for, as rules for connections that go to them name them. */
import { expect, test } from 'bun:test'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { flowKey } from '../../flow/compare.ts'
import { ip } from '../model/address.ts'
import type { NamedPort, Pod } from '../model/pod.ts'
import type { Peer, Policy, PortMatch } from '../model/policy.ts'
import { Groups, type GroupUser } from './groups.ts'
import { Inventory } from './inventory.ts'

const WEB: PortMatch = { type: 'named', name: 'web', protocol: 'TCP' }
const PODS_HERE: Peer = { type: 'pods', namespaces: { name: 'shop' }, pods: [] }
const EIGHTY: PortMatch = { type: 'numbers', protocol: 'TCP', from: 80, to: 80 }

test('a rule of a tier for anybody at a port by its number and by its name has that row once', () => {
  const planner = samplePlanner()
  planner.putNamespace({ name: 'shop', uid: 'n' })
  planner.putPod({ ...podNamed('web', [{ name: 'web', protocol: 'TCP', port: 80 }]), node: 'node1' })
  planner.putPolicy({
    ...{ kind: 'AdminNetworkPolicy', name: 'web', tier: 'admin', priority: 1 },
    subject: { namespaces: { labels: [] }, pods: [] },
    egress: [{ action: 'allow', ports: [EIGHTY, WEB] }],
  } satisfies Policy)
  const rows = planner.flows().map(flowKey)
  expect(rows.filter((row, i) => rows.indexOf(row) !== i)).toEqual([])
})

test('somebody’s pod with very many numbers for a name has nobody look at every other pod for each of them', () => {
  const inventory = new Inventory(() => 'node1')
  const groups = new Groups(inventory)
  let looked = 0
  for (let n = 0; n < 50; n += 1) {
    const pod = podNamed(`other-${n}`, [port(80)])
    inventory.putPod({
      ...pod,
      get addresses() {
        looked += 1
        return pod.addresses
      },
    })
  }
  const numbers = Array.from({ length: 20 }, (_, i) => port(81 + i))
  inventory.putPod(podNamed('hostile', numbers))
  const user: GroupUser = { added: () => undefined, removed: () => undefined }
  for (const named of numbers) {
    groups.use({ peer: 'anybody', direction: 'egress', named }, user)
    groups.use({ peer: PODS_HERE, direction: 'egress', named }, user)
  }
  expect(looked).toBe(0)
})

test('a pod is in the group of a named port while it has that port', () => {
  const inventory = new Inventory(() => 'node1')
  const groups = new Groups(inventory)
  const members = new Set<string>()
  const user: GroupUser = { added: (one) => members.add(one), removed: (one) => members.delete(one) }
  groups.use({ peer: 'anybody', direction: 'egress', named: port(80) }, user)
  for (const [ports, expected] of [
    [[port(80)], ['10.129.0.9/32']],
    [[port(81)], []],
    [[port(81), port(80)], ['10.129.0.9/32']],
    [[], []],
  ] as const) {
    inventory.putPod(podNamed('one', ports))
    groups.refresh('shop/one')
    expect([...members]).toEqual([...expected])
  }
})

function port(number: number): NamedPort {
  return { name: 'web', protocol: 'TCP', port: number }
}

function podNamed(name: string, namedPorts: readonly NamedPort[]): Pod {
  const addresses = name === 'web' ? SAMPLE_PODS.web.addresses : [ip('10.129.0.9')]
  return { namespace: 'shop', name, uid: `uid-${name}`, node: 'node2', addresses, namedPorts }
}
