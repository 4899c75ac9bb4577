/** In real namespaces: routes as the reference's worked example has them, and packets that go by them. */
import { describe, expect, test } from 'bun:test'
import {
  linkAdd,
  linkFind,
  linkGet,
  linkList,
  linkSet,
  neighList,
  nftTableDel,
  ping,
  type RtnlSocket,
  routeAdd,
  sysctlGet,
} from '../../../linux/index.ts'

import { pairMacs } from './numbers.ts'
import {
  CONTAINER,
  COORDINATOR,
  callFor,
  furtherNic,
  give,
  LINK,
  marksIn,
  NODE_WAYS,
  POD_WAYS,
  plugin,
  rig,
  state,
  untilReached,
  waysOf,
} from './testing/rig.ts'

const signal = new AbortController().signal

describe("the first interface's", () => {
  test('routes, rules and neighbours are those of the worked example', async () => {
    using r = rig()
    const call = callFor(r.pod)
    expect(await plugin(r.parts).add(call, signal)).toEqual(call.prevResult ?? never())
    expect(waysOf(r.pod.rtnl)).toEqual(POD_WAYS)
    expect(waysOf(r.node.rtnl)).toEqual(NODE_WAYS)
    const macs = pairMacs(CONTAINER)
    expect(neighbours(r.pod.rtnl, 'veth0')).toEqual([`172.18.30.10 ${macs.host} permanent`])
    expect(neighbours(r.node.rtnl, LINK)).toEqual([`172.18.30.131 ${macs.pod} permanent`])
    expect(marksIn(r.pod)).toBe(2)
    expect(sysctlGet(['net', 'ipv4', 'conf', 'all', 'rp_filter'], r.pod.nsFd)).toBe('0')
    await plugin(r.parts).check(call)
  })

  test('are the same when they are made twice', async () => {
    using r = rig({ dual: true })
    await plugin(r.parts).add(callFor(r.pod), signal)
    const once = state(r)
    await plugin(r.parts).add(callFor(r.pod), signal)
    expect(state(r)).toEqual(once)
  })

  test('DEL leaves nothing, and may come again', async () => {
    using r = rig({ dual: true })
    const before = state(r)
    await plugin(r.parts).add(callFor(r.pod), signal)
    expect(state(r)).not.toEqual(before)
    const { netns, prevResult, ...call } = callFor(r.pod)
    expect([netns, prevResult]).not.toContain(undefined)
    await plugin(r.parts).del(call)
    // Without the namespace only the node is cleaned; the pair takes the pod's side along.
    expect(waysOf(r.node.rtnl)).toEqual(before.node.ways)
    expect(linkFind(r.pod.rtnl, 'veth0')).toBeUndefined()
    await plugin(r.parts).del(callFor(r.pod))
    expect(state(r)).toEqual(before)
    await plugin(r.parts).del(call)
  })
})

describe.each([
  { family: 'IPv4', node: '172.18.30.10', pod: '172.18.30.131', client: '203.0.113.9', wire: '172.18.0.1' },
  { family: 'IPv6', node: 'fd00:18::10', pod: 'fd00:18::131', client: '2001:db8::9', wire: 'fd00:18::1' },
])('$family packets', ({ node, pod, client, wire }) => {
  test('between a pod and its node do without the wire', async () => {
    using r = rig({ dual: true })
    await plugin(r.parts).add(callFor(r.pod), signal)
    linkSet(r.hub.rtnl, 'pod', { up: false })
    await untilReached(pod, r.node)
    await untilReached(node, r.pod)
    expect(await ping({ address: wire, nsFd: r.pod.nsFd, timeoutMs: 300 })).toMatchObject({ reached: false })
  })

  test('to neighbours and the outside go by the wire', async () => {
    using r = rig({ dual: true })
    await plugin(r.parts).add(callFor(r.pod), signal)
    linkSet(r.node.rtnl, LINK, { up: false })
    for (const address of [wire, client]) await untilReached(address, r.pod)
  })

  test('of a client whose address the node kept are answered by way of the node', async () => {
    using r = rig({ dual: true })
    await plugin(r.parts).add(callFor(r.pod), signal)
    // As with externalTrafficPolicy: Local: the client calls the node, which sends on what it got.
    const link = linkGet(r.gateway.rtnl, 'eth0').index
    const destination = `${pod}/${pod.includes(':') ? 128 : 32}`
    routeAdd(r.gateway.rtnl, { destination, gateway: node, link, source: client })
    linkSet(r.hub.rtnl, 'pod', { up: false })
    await untilReached(pod, r.gateway)
    nftTableDel('weft-coordinator', r.pod.nsFd)
    expect(await ping({ address: pod, nsFd: r.gateway.nsFd, timeoutMs: 300 })).toMatchObject({ reached: false })
  })
})

test('a second interface is the one of the worked example', async () => {
  using r = rig()
  const before = state(r)
  await plugin(r.parts).add(callFor(r.pod), signal)
  furtherNic(r.pod)
  const further = callFor(r.pod, { ifname: 'net1', ordinal: 1 })
  for (let i = 0; i < 2; i += 1) await plugin(r.parts).add(further, signal)
  expect(waysOf(r.pod.rtnl)).toEqual(
    [
      ...POD_WAYS,
      '101: 0.0.0.0/0 via 10.7.0.1 dev net1',
      '101: 10.233.0.0/18 via 172.18.30.10 dev veth0',
      '101: 10.233.64.0/18 via 172.18.30.10 dev veth0',
      '101: 10.7.0.0/16 dev net1 src 10.7.0.5',
      '101: 169.254.0.0/16 via 172.18.30.10 dev veth0',
      'IPv4 rule 1001: from 10.7.0.5/32 lookup 101',
      'main: 10.7.0.0/16 dev net1 src 10.7.0.5',
    ].sort(),
  )
  expect(waysOf(r.node.rtnl)).toContain(`500: 10.7.0.5/32 dev ${LINK}`)
  await plugin(r.parts).check(further)
  await untilReached('10.7.0.5', r.node)
  await plugin(r.parts).del(further)
  expect(waysOf(r.node.rtnl)).toEqual(NODE_WAYS)
  for (const link of linkList(r.pod.rtnl)) if (link.name === 'net1-wire') linkSet(r.pod.rtnl, link.index, { up: false })
  await plugin(r.parts).del(callFor(r.pod))
  expect(state(r).node).toEqual(before.node)
})

test.each([
  ['the coordinator', { coordinator: () => ({ ...COORDINATOR, defaultRouteNic: 'net1' }) }],
  ['the pod itself, against the coordinator', { wantedRouteNic: () => 'net1' }],
])('the default route can be a further interface’s, by %s', async (_, chosen) => {
  using r = rig()
  const parts = { ...r.parts, ...chosen }
  await plugin(parts).add(callFor(r.pod), signal)
  furtherNic(r.pod)
  const further = callFor(r.pod, { ifname: 'net1', ordinal: 1 })
  for (let i = 0; i < 2; i += 1) await plugin(parts).add(further, signal)
  const ways = waysOf(r.pod.rtnl)
  expect(ways.filter((way) => way.includes('0.0.0.0/0'))).toEqual([
    '100: 0.0.0.0/0 via 172.18.30.10 dev veth0',
    '101: 0.0.0.0/0 via 172.18.0.1 dev eth0',
    'main: 0.0.0.0/0 via 10.7.0.1 dev net1',
  ])
  expect(ways).toContain('IPv4 rule 1001: from 172.18.30.131/32 lookup 101')
  expect(ways).toContain('101: 172.18.0.0/16 dev eth0 src 172.18.30.131')
  // Unplugged, it gives the default route back.
  await plugin(parts).del(further)
  expect(waysOf(r.pod.rtnl)).toContain('main: 0.0.0.0/0 via 172.18.0.1 dev eth0')
  expect(waysOf(r.pod.rtnl).filter((way) => way.includes('from 172'))).toEqual([])
})

test('behind an overlay, the overlay is the way to node and services', async () => {
  using r = rig()
  // eth0 is an overlay's of another make, as Calico's: a pair to the node whose end is on no bridge.
  const first = linkGet(r.pod.rtnl, 'eth0')
  linkSet(r.pod.rtnl, first.index, { up: false })
  linkSet(r.pod.rtnl, first.index, { name: 'net1' })
  linkSet(r.pod.rtnl, 'net1', { up: true })
  linkAdd(r.node.rtnl, { kind: 'veth', name: 'cali1', up: true, peer: { name: 'eth0', nsFd: r.pod.nsFd } })
  linkSet(r.pod.rtnl, 'eth0', { up: true })
  give(r.pod, 'eth0', ['10.233.64.7/32'])
  const eth0 = linkGet(r.pod.rtnl, 'eth0').index
  routeAdd(r.pod.rtnl, { destination: '169.254.1.1/32', link: eth0 })
  routeAdd(r.pod.rtnl, { destination: '0.0.0.0/0', gateway: '169.254.1.1', link: eth0 })
  const net1 = linkGet(r.pod.rtnl, 'net1').index
  routeAdd(r.pod.rtnl, { destination: '0.0.0.0/0', gateway: '172.18.0.1', link: net1, priority: 2_000 })
  const call = callFor(r.pod, { ifname: 'net1', ordinal: 1 })
  for (let i = 0; i < 2; i += 1) await plugin(r.parts).add(call, signal)
  const ways = waysOf(r.pod.rtnl)
  expect(ways).toEqual(
    [
      '100: 0.0.0.0/0 via 169.254.1.1 dev eth0',
      '101: 0.0.0.0/0 via 172.18.0.1 dev net1',
      '101: 10.233.0.0/18 via 169.254.1.1 dev eth0',
      '101: 10.233.64.0/18 via 169.254.1.1 dev eth0',
      '101: 169.254.0.0/16 via 169.254.1.1 dev eth0',
      '101: 172.18.0.0/16 dev net1 src 172.18.30.131',
      '101: 172.18.30.10/32 via 169.254.1.1 dev eth0',
      'IPv4 rule 1001: from 10.233.64.7/32 lookup 100',
      'IPv4 rule 1001: from 172.18.30.131/32 lookup 101',
      'main: 0.0.0.0/0 via 169.254.1.1 dev eth0',
      'main: 10.233.0.0/18 via 169.254.1.1 dev eth0 src 10.233.64.7',
      'main: 10.233.64.0/18 via 169.254.1.1 dev eth0 src 10.233.64.7',
      'main: 169.254.0.0/16 via 169.254.1.1 dev eth0 src 10.233.64.7',
      'main: 169.254.1.1/32 dev eth0',
      'main: 172.18.0.0/16 dev net1 src 172.18.30.131',
      'main: 172.18.30.10/32 via 169.254.1.1 dev eth0 src 10.233.64.7',
    ].sort(),
  )
  expect(waysOf(r.node.rtnl)).toContain('500: 172.18.30.131/32 dev cali1')
  expect(linkFind(r.pod.rtnl, 'veth0')).toBeUndefined()
  await plugin(r.parts).check(call)
})

test('a MAC address by prefix is the interface’s, the answer says so, and whoever guards it hears', async () => {
  using r = rig()
  const config = { podMACPrefix: '0a:1b', txQueueLen: 777, vethLinkAddress: '169.254.100.1', vethMTU: 1400 }
  const heard: unknown[] = []
  const macChanged = async ({ ifname }: { readonly ifname: string }, mac: string) => void heard.push([ifname, mac])
  const result = await plugin({ ...r.parts, macChanged }).add(callFor(r.pod, { config }), signal)
  expect(heard).toEqual([['eth0', '0a:1b:ac:12:1e:83']])
  expect(result.interfaces).toEqual([{ name: 'eth0', sandbox: '/run/netns/pod', mac: '0a:1b:ac:12:1e:83' }])
  expect(linkGet(r.pod.rtnl, 'eth0')).toMatchObject({ mac: '0a:1b:ac:12:1e:83', txQueueLength: 777 })
  expect(linkGet(r.pod.rtnl, 'veth0').mtu).toBe(1400)
  expect(linkGet(r.node.rtnl, LINK).mtu).toBe(1400)
  await untilReached('172.18.30.131', r.node)
})

function neighbours(rtnl: RtnlSocket, name: string): readonly string[] {
  return neighList(rtnl, { link: linkGet(rtnl, name).index, family: 4 }).map(
    ({ address, mac, state: nud }) => `${address} ${mac} ${nud}`,
  )
}

function never(): never {
  throw new Error('there is a result')
}
