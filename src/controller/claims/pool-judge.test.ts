import { afterEach, expect, test } from 'bun:test'
import { SPIDER_IP_POOLS, SPIDER_RESERVED_IPS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../compat/weft/address-claim.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../../kube/object.ts'
import { ip } from '../../network/model/address.ts'
import { Bench, quiet } from '../spiderpool/testing/bench.ts'
import { eventually } from '../testing/eventually.ts'
import { runClaims } from './run.ts'

let bench = new Bench()
afterEach(async () => {
  await bench.stop()
  bench = new Bench()
})

function object({ kind, ...resource }: Resource, name: string, spec: object): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind, metadata: { name }, spec }
}

const put = (resource: Resource, name: string, spec: object) => bench.api.create(resource, object(resource, name, spec))
const change = (resource: Resource, name: string, spec: object) =>
  bench.api.patch(resource, { name }, 'merge', { spec })

const NET = { subnet: '172.18.0.0/16' }
const SEED = { ...NET, ips: ['172.18.30.131-172.18.30.140'], gateway: '172.18.0.1' }
const END = 'Until then it gives no address out.'

test.each<[string, object, string]>([
  ['the gateway elsewhere', { ...SEED, gateway: '10.0.0.1' }, 'spec.gateway: 10.0.0.1 is not inside 172.18.0.0/16'],
  [
    'the gateway given out',
    { ...SEED, gateway: '172.18.30.131' },
    'spec.gateway: 172.18.30.131 is among the addresses',
  ],
  ['addresses elsewhere', { ...SEED, ips: ['10.0.0.1'] }, 'spec.ips: 10.0.0.1 is not inside 172.18.0.0/16'],
  [
    'exceptions elsewhere',
    { ...SEED, excludeIPs: ['10.0.0.1'] },
    'spec.excludeIPs: 10.0.0.1 is not inside 172.18.0.0/16',
  ],
  ['a range backwards', { ...SEED, ips: ['172.18.0.9-172.18.0.1'] }, 'spec.ips[0]: '],
  [
    'a default route',
    { ...SEED, routes: [{ dst: '0.0.0.0/0', gw: '172.18.0.1' }] },
    'spec.routes[0]: 0.0.0.0/0 is the default route',
  ],
  [
    'a route twice',
    { ...SEED, routes: [1, 2].map(() => ({ dst: '10.0.0.0/8', gw: '172.18.0.1' })) },
    'spec.routes[1]: 10.0.0.0/8 is there twice',
  ],
  [
    'a route by way of elsewhere',
    { ...SEED, routes: [{ dst: '10.0.0.0/8', gw: '10.0.0.1' }] },
    'spec.routes[0]: the gateway 10.0.0.1 is not inside',
  ],
  ['another family', { ...SEED, ipVersion: 6 }, 'spec.ipVersion: 6 is not the family of 172.18.0.0/16'],
  ['an affinity to nothing', { ...SEED, podAffinity: {} }, 'spec.podAffinity: it selects nothing in particular'],
  [
    'an affinity to an application and to more',
    { ...SEED, podAffinity: { matchLabels: { 'ipam.spidernet.io/app-name': 'a', tier: 'b' } } },
    'spec.podAffinity: selects an application and other labels beside it',
  ],
  ['no network', { ...SEED, subnet: '172.18.0.1/16' }, 'spec.subnet: '],
])('a pool by itself: %s', async (_, spec, text) => {
  await put(SPIDER_IP_POOLS, 'p', spec)
  bench.start(runClaims)
  await eventually(() => expect(bench.events).toHaveLength(1))
  expect(bench.events[0]).toStartWith(`RefusedPool SpiderIPPool p: ${text}`)
  expect(bench.events[0]).toEndWith(END)
})

test('of two that contradict each other the younger one is told, once; put right it is told no more', async () => {
  await put(SPIDER_IP_POOLS, 'a', SEED)
  bench.start(runClaims)
  await put(SPIDER_IP_POOLS, 'b', { ...NET, ips: ['172.18.30.140-172.18.30.150'] })
  const first = `RefusedPool SpiderIPPool b: spec.ips: 172.18.30.140 is given out by the pool a, which is older; leave these addresses out in one of the two, or exclude them. ${END}`
  await eventually(() => expect(bench.events).toEqual([first]))
  await bench.api.patch(SPIDER_IP_POOLS, { name: 'b' }, 'merge', { metadata: { labels: { a: 'b' } } })
  await change(SPIDER_IP_POOLS, 'b', { subnet: '172.18.0.0/17' })
  await eventually(() => expect(bench.events).toHaveLength(2))
  expect(bench.events[1]).toStartWith(
    'RefusedPool SpiderIPPool b: spec.subnet: 172.18.0.0/17 overlaps 172.18.0.0/16 of the pool a',
  )
  await change(SPIDER_IP_POOLS, 'b', { subnet: NET.subnet, excludeIPs: ['172.18.30.140'] })
  await Bun.sleep(700)
  await change(SPIDER_IP_POOLS, 'b', { excludeIPs: null })
  await eventually(() => expect(bench.api.writes.filter((write) => write.includes('events'))).toHaveLength(3))
})

test('reserved addresses that nobody can read', async () => {
  await put(SPIDER_RESERVED_IPS, 'r', { ips: ['x'] })
  await put(SPIDER_RESERVED_IPS, 'fine', { ips: ['10.0.0.1'] })
  await put(SPIDER_RESERVED_IPS, 'empty', { ips: [] })
  bench.start(runClaims)
  await eventually(() => expect(bench.events).toHaveLength(2))
  expect(bench.events.toSorted()[0]).toStartWith('RefusedReservedIP SpiderReservedIP empty: spec.ips: ')
  expect(bench.events.toSorted()[1]).toStartWith('RefusedReservedIP SpiderReservedIP r: spec.ips[0]: ')
})

async function claim(address: string, pod: string, pool = 'p'): Promise<void> {
  const claimed = {
    address: ip(address),
    prefix: 16,
    pool,
    namespace: 'default',
    pod,
    podUid: 'u',
    ifname: 'eth0',
    containerId: 'c',
    node: 'n',
    isSticky: false,
    routes: [],
    hasCleanGateway: false,
  }
  await bench.api.create(ADDRESS_CLAIMS, addressClaimBinding.encode(claimed))
}

test('an address that a pod has is taken away: it is told, the claim stays; given back it may be told again', async () => {
  await put(SPIDER_IP_POOLS, 'p', SEED)
  await claim('172.18.30.131', 'demo-1')
  await claim('172.18.30.132', 'demo-2')
  await claim('172.18.30.140', 'demo-3')
  await claim('172.18.30.131', 'other', 'q').catch(() => undefined)
  bench.start(runClaims)
  await quiet()
  await change(SPIDER_IP_POOLS, 'p', { excludeIPs: ['172.18.30.131'] })
  const told =
    "AddressesInUseRemoved SpiderIPPool p: spec.ips: 172.18.30.131 of the pod default/demo-1 is not among the pool's addresses any more; it stays with the pod as long as that is there; add it again, or delete the pod"
  await eventually(() => expect(bench.events).toEqual([told]))
  await change(SPIDER_IP_POOLS, 'p', { excludeIPs: ['172.18.30.131-172.18.30.135'] })
  await eventually(() =>
    expect(bench.events[1]).toContain('172.18.30.131 of the pod default/demo-1, and 1 more of other pods, is not'),
  )
  expect(bench.api.all(ADDRESS_CLAIMS)).toHaveLength(3)
  await change(SPIDER_IP_POOLS, 'p', { excludeIPs: null })
  await quiet()
  await change(SPIDER_IP_POOLS, 'p', { excludeIPs: ['172.18.30.131'] })
  await eventually(() => expect(bench.api.writes.filter((write) => write.includes('events'))).toHaveLength(3))
  await change(SPIDER_IP_POOLS, 'p', { excludeIPs: ['172.18.30.131', '172.18.30.139'] })
  await quiet()
  expect(bench.api.writes.filter((write) => write.includes('events'))).toHaveLength(3)
})

test('sound objects are left in peace', async () => {
  await put(SPIDER_IP_POOLS, 'a', SEED)
  await put(SPIDER_IP_POOLS, 'b', { ...NET, ips: ['172.18.30.1-172.18.30.9'] })
  await put(SPIDER_IP_POOLS, 'c', { subnet: 'fd00::/64', ips: ['fd00::1-fd00::ffff'] })
  bench.start(runClaims)
  await change(SPIDER_IP_POOLS, 'b', { ips: ['172.18.30.1-172.18.30.7'] })
  await quiet()
  expect([...bench.events, ...bench.lines]).toEqual([])
})
