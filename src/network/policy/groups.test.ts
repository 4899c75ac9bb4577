/** How much of network sets is looked at when something happens. */
import { expect, test } from 'bun:test'
import { type Cidr, cidr, formatIp, ip } from '../model/address.ts'
import type { NetworkSet } from '../model/network-set.ts'
import type { NodeNetwork } from '../model/node.ts'
import type { NamedPort } from '../model/pod.ts'
import type { GroupSpec } from './group-members.ts'
import { Groups } from './groups.ts'
import { Inventory } from './inventory.ts'

const SETS = 20
const NETS = 50
const MACHINES = 30
const HTTP: NamedPort = { name: 'http', protocol: 'TCP', port: 80 }
const OF_SETS: GroupSpec = { peer: { type: 'sets', where: { type: 'all' } }, direction: 'ingress' }

test('a machine costs no look at the networks of sets, and a set one at its own', () => {
  const reads = { count: 0 }
  const { inventory, groups } = clusterOf(reads)
  groups.use(OF_SETS, { added: () => undefined, removed: () => undefined })
  expect(readsOf(reads, () => groups.refreshMachine('n1', inventory.putMachine(machine(1))))).toBe(0)
  const set = setOf(reads, 0, cidr('192.0.2.0/24'))
  const once = readsOf(reads, () => [...set.nets])
  const looks = readsOf(reads, () => {
    inventory.sets.put(set)
    groups.refreshSet('GlobalNetworkSet/set-0')
  })
  // However many machines and other sets there are.
  expect(looks).toBeLessThanOrEqual(6 * once)
})

test('a pod that has a port by name costs no look at the networks of sets', () => {
  const reads = { count: 0 }
  const { inventory, groups } = clusterOf(reads)
  const held: Cidr[] = []
  groups.use({ ...OF_SETS, named: HTTP }, { added: (one) => held.push(one), removed: () => undefined })
  const looks = readsOf(reads, () => {
    inventory.putPod({
      ...{ namespace: 'shop', name: 'web', uid: 'u', node: 'n2', addresses: [ip('10.3.0.9')], namedPorts: [HTTP] },
    })
    groups.refresh('shop/web')
  })
  expect(looks).toBe(0)
  expect(held).toEqual([cidr('10.3.0.9/32')])
})

test('a machine is a peer as long as some set has its address', () => {
  const reads = { count: 0 }
  const { inventory, groups } = clusterOf(reads)
  const held = new Set<Cidr>()
  groups.use(OF_SETS, { added: (one) => held.add(one), removed: (one) => held.delete(one) })
  const gateway = cidr('10.128.7.1/32')
  const put = (n: number, nets: Cidr): void => {
    inventory.sets.put(setOf(reads, n, nets))
    groups.refreshSet(`GlobalNetworkSet/set-${n}`)
  }
  expect(held.has(gateway)).toBe(false)
  put(1, cidr('203.0.113.7/32'))
  put(2, cidr('203.0.113.0/29'))
  expect(held.has(gateway)).toBe(true)
  put(1, cidr('198.51.100.0/24'))
  expect(held.has(gateway)).toBe(true)
  put(2, cidr('203.0.113.8/29'))
  expect(held.has(gateway)).toBe(false)
})

/** Machines 203.0.113.n with the range 10.128.n.0/24, and sets that have none of them. */
function clusterOf(reads: { count: number }): { readonly inventory: Inventory; readonly groups: Groups } {
  const inventory = new Inventory(() => 'n0')
  for (let n = 0; n < MACHINES; n += 1) inventory.putMachine(machine(n))
  for (let n = 0; n < SETS; n += 1) inventory.sets.put(setOf(reads, n))
  return { inventory, groups: new Groups(inventory) }
}

function machine(n: number): NodeNetwork {
  const network = { node: `n${n}`, addresses: [ip(`203.0.113.${n}`)], ranges: [cidr(`10.128.${n}.0/24`)] }
  return network as unknown as NodeNetwork
}

/** A set of networks of 10.<n>.0.0/16 and these; counts how often one is read. */
function setOf(reads: { count: number }, n: number, ...more: readonly Cidr[]): NetworkSet {
  const own = Array.from({ length: NETS }, (_, i) => cidr(`${formatIp(4, BigInt(0x0a000000 + (n << 16) + i))}/32`))
  const nets = new Proxy([...own, ...more], {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads.count += 1
      return Reflect.get(target, key, receiver)
    },
  })
  return { kind: 'GlobalNetworkSet', name: `set-${n}`, labels: {}, nets }
}

function readsOf(reads: { count: number }, happen: () => unknown): number {
  const before = reads.count
  happen()
  return reads.count - before
}
