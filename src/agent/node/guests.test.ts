/** What leaves a node for its switch, in real namespaces and by the rules of a host plan. */
import { describe, expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import {
  addrAdd,
  applyRuleset,
  formatIp,
  formatMac,
  linkAdd,
  linkGet,
  linkSet,
  neighList,
  neighReplace,
  openPacketSocket,
  parseIp,
  parseMac,
  ping,
  routeList,
  routeReplace,
  ruleDel,
  ruleList,
  sysctlSet,
} from '../../linux/index.ts'
import { type Scratch, scratch } from '../../linux/testing/scratch.ts'
import { nodeContext } from '../../network/context.ts'
import { GUEST_GROUP, guestHop, guestMac, guestTable, vniOfTable } from '../../network/guests.ts'
import { GATEWAY, hostPlan, NEXT_HOP, NEXT_HOP_MAC, ROUTE_PROTOCOL } from '../../network/host.ts'
import { cidr, hostCidr, ip } from '../../network/model/address.ts'
import { rangeOf } from '../../network/model/ip-range.ts'
import { PROTOCOL, pairMacs } from '../plugins/coordinator/numbers.ts'
import { CONTAINER, callFor, LINK, plugin, type Rig, rig, untilReached } from '../plugins/coordinator/testing/rig.ts'
import { OverlayGuests, watchRules } from './guests.ts'

const signal = new AbortController().signal
const POD = { 4: '10.128.0.5', 6: 'fd00:10:128:1::5' } as const
/** Of the pod on the wire, of somebody else there, and of a machine elsewhere. */
const WIRE = { 4: '172.18.30.131', 6: 'fd00:18::131' } as const
const OTHER = { 4: '172.18.30.99', 6: 'fd00:18::99' } as const
const OUTSIDE = { 4: '198.51.100.7', 6: '2001:db8::7' } as const
const OWN = { 4: '10.128.0.1', 6: 'fd00:10:128:1::1' } as const

test('numbers of tenants fit where they are put', () => {
  for (const vni of [0, 42, 0xff_ffff]) expect(vniOfTable(guestTable(vni))).toBe(vni)
  expect(String(guestMac(0x123456))).toBe('0a:57:00:12:34:56')
  expect([guestHop(4, 0x123456), guestHop(6, 0x123456)].map(String)).toEqual(['240.18.52.86', 'fe80::5712:3456'])
  expect([499, 500, 254].map(vniOfTable)).toEqual([undefined, undefined, undefined])
})

describe.each([4, 6] as const)('IPv%i', (family) => {
  test('a guest comes to the switch in the name of its tenant, with the address of the node', async () => {
    using n = await overlayNode()
    await attach(n)
    expect(await seen(n, POD[family], family)).toEqual({ to: String(guestMac(42)), from: OWN[family] })
    // Another tenant, without a moment as nobody.
    n.tenants.set('shop', 7)
    n.guests.tenantChanged('shop')
    expect(await seen(n, POD[family], family)).toEqual({ to: String(guestMac(7)), from: OWN[family] })
    n.guests.refresh()
    expect(await seen(n, POD[family], family)).toEqual({ to: String(guestMac(7)), from: OWN[family] })
  })

  test('the node itself goes on as itself', async () => {
    using n = await overlayNode()
    await attach(n)
    expect(await seen(n, POD[family], family, { by: n.rig.node })).toEqual({
      to: String(NEXT_HOP_MAC),
      from: OWN[family],
    })
  })

  test('whoever has no tenant, or another address than its own, comes nowhere', async () => {
    using n = await overlayNode()
    n.tenants.delete('shop')
    await attach(n)
    expect(await seen(n, POD[family], family, { times: 1 })).toBeUndefined()
    n.tenants.set('shop', 42)
    n.guests.tenantChanged('shop')
    const heard = listen(n, family, POD[family])
    send(n, frame(family, { from: OTHER[family], to: POD[family] }))
    await Bun.sleep(50)
    expect(heard.stop()).toEqual([])
    expect(await seen(n, POD[family], family)).toBeDefined()
    n.tenants.delete('shop')
    n.guests.tenantChanged('shop')
    expect(await seen(n, POD[family], family, { times: 1 })).toBeUndefined()
  })

  test('the node leads nobody out of it with another address than its own, whatever the machine’s filter is', async () => {
    using n = await overlayNode()
    // As distributions have it: the looser of the interface's value and that of all counts.
    if (family === 4) sysctlSet(['net', 'ipv4', 'conf', 'all', 'rp_filter'], '2', n.rig.node.nsFd)
    lan(n, family)
    await n.hijack(OUTSIDE[family])
    await attach(n)
    expect(await ledOut(n, family, OTHER[family])).toBe(false)
    await untilLedOut(n, family, WIRE[family])
  })

  test('the node leads a guest nowhere else but where an administrator does, and never to another', async () => {
    using n = await overlayNode()
    lan(n, family)
    await attach(n)
    expect(await ledOut(n, family, WIRE[family])).toBe(false)
    const around = family === 4 ? '198.51.100.0/24' : '2001:db8::/32'
    await n.hijack(around, `${OUTSIDE[family]}`, family === 4 ? '203.0.113.0/24' : 'fd00:77::/64')
    await untilLedOut(n, family, WIRE[family])
    linkSet(n.rig.node.rtnl, 'lan', { group: GUEST_GROUP })
    expect(await ledOut(n, family, WIRE[family])).toBe(false)
  })

  test('whoever has the node for a router is answered, and that opens nothing', async () => {
    using n = await overlayNode()
    lan(n, family)
    await attach(n)
    await untilReached(WIRE[family], n.fabric)
    expect(await ledOut(n, family, WIRE[family])).toBe(false)
  })
})

test.each([4, 6] as const)(
  'what kube-proxy translates is answered by way of the node, wherever it leads: IPv%i',
  async (family) => {
    using n = await overlayNode()
    await attach(n)
    const service = family === 4 ? '10.233.0.10' : 'fd00:233::10'
    const endpoint = family === 4 ? '172.18.0.1' : 'fd00:18::1'
    const word = family === 4 ? 'ip' : 'ip6'
    const lead = (to: string): Promise<void> =>
      applyRuleset(
        [
          `table ${word} kubeproxy`,
          `delete table ${word} kubeproxy`,
          `table ${word} kubeproxy {`,
          'chain services {',
          'type nat hook prerouting priority -100',
          `${word} daddr ${service} dnat to ${to}`,
          '}',
          '}',
          '',
        ].join('\n'),
        { netns: n.netns },
      )
    // An endpoint on the wire, which would answer the pod itself.
    await lead(endpoint)
    await untilReached(service, n.rig.pod)
    // An overlay pod: in the tenant's name.
    await lead(POD[family])
    const called = { called: service }
    expect(await seen(n, POD[family], family, called)).toEqual({ to: String(guestMac(42)), from: OWN[family] })
  },
)

test('an agent without memory knows its guests, and follows the node’s routes', async () => {
  using n = await overlayNode()
  await attach(n)
  const rules = ruleList(n.rig.node.rtnl)
  const anew = guestsOf(n.rig, n.tenants)
  anew.refresh()
  expect(ruleList(n.rig.node.rtnl)).toEqual(rules)
  // Before it has read the cluster it takes nothing away.
  const early = new OverlayGuests({ tenants: () => undefined, nsFd: n.rig.node.nsFd })
  early.refresh()
  early.tenantChanged('shop')
  expect(ruleList(n.rig.node.rtnl)).toEqual(rules)
  n.tenants.set('shop', 9)
  anew.tenantChanged('shop')
  expect(tablesIn(n.rig)).toEqual([guestTable(9)])
  routeTo(n.rig.node, '10.200.0.0/16', 4)
  anew.refresh()
  const inTable = routeList(n.rig.node.rtnl, { table: guestTable(9) }).map(({ destination }) => destination)
  expect(inTable).toContain('10.200.0.0/16')
  expect(routeList(n.rig.node.rtnl, { table: guestTable(42) })).toEqual([])
})

test('rules that somebody takes away are put back', async () => {
  using n = await overlayNode()
  await attach(n)
  const { rtnl, nsFd } = n.rig.node
  const before = ruleList(rtnl).map((rule) => JSON.stringify(rule))
  const put = Promise.withResolvers<void>()
  using _watch = watchRules(() => {
    n.guests.refresh()
    put.resolve()
  }, nsFd)
  for (const rule of ruleList(rtnl)) if (rule.protocol === PROTOCOL) ruleDel(rtnl, rule)
  await put.promise
  expect(
    ruleList(rtnl)
      .map((rule) => JSON.stringify(rule))
      .sort(),
  ).toEqual(before.sort())
  // With the last pod they go for good.
  await plugin({ ...n.rig.parts, guests: n.guests }).del(n.call())
  n.guests.refresh()
  expect(ruleList(rtnl).filter(({ protocol }) => protocol === PROTOCOL)).toEqual([])
})

test('nothing is left of a guest that is gone, whoever finds it', async () => {
  using n = await overlayNode()
  await attach(n)
  await plugin(n.rig.parts).del(n.call())
  expect(tablesIn(n.rig)).toEqual([guestTable(42)])
  n.guests.refresh()
  expect(tablesIn(n.rig)).toEqual([])
  const link = linkGet(n.rig.node.rtnl, GATEWAY).index
  const macs = neighList(n.rig.node.rtnl, { link }).map(({ mac }) => mac)
  expect(macs).not.toContain(String(guestMac(42)))
  expect(macs).toContain(String(NEXT_HOP_MAC))
  await attach(n)
  await plugin({ ...n.rig.parts, guests: n.guests }).del(n.call())
  expect(tablesIn(n.rig)).toEqual([])
})

interface OverlayNode extends Disposable {
  readonly netns: string
  readonly rig: Rig
  readonly fabric: Scratch
  readonly tenants: Map<string, number>
  readonly guests: OverlayGuests
  call(): ReturnType<typeof callFor>
  /** An administrator leads guests to these by way of the node, and to nothing else. */
  hijack(...networks: readonly string[]): Promise<void>
}

/** A node with a gateway port that leads into a namespace instead of a switch. */
async function overlayNode(): Promise<OverlayNode> {
  using resources = new DisposableStack()
  const name = `wefttest-guests-${process.pid}`
  const [r, fabric] = [resources.use(rig({ dual: true, name })), resources.use(scratch())]
  linkAdd(r.node.rtnl, { kind: 'veth', name: GATEWAY, up: true, peer: { name: 'switch', nsFd: fabric.nsFd } })
  linkSet(fabric.rtnl, 'switch', { up: true })
  const link = linkGet(r.node.rtnl, GATEWAY).index
  for (const family of [4, 6] as const) {
    addrAdd(r.node.rtnl, { link, address: `${OWN[family]}/${family === 4 ? 32 : 128}`, nodad: family === 6 })
    neighReplace(r.node.rtnl, { link, address: NEXT_HOP[family], mac: NEXT_HOP_MAC })
    routeTo(r.node, family === 4 ? '10.128.0.0/14' : 'fd00:10:128::/48', family)
  }
  const context = nodeContext(SAMPLE_CLUSTER, sampleNode(1), 1450)
  if (context === undefined) throw new Error('the sample node has ranges')
  const led = (...networks: readonly string[]): Promise<void> =>
    applyRuleset(
      hostPlan(
        context,
        { ports: [], peers: [] },
        networks.map((one) => rangeOf(one.includes('/') ? cidr(one) : hostCidr(ip(one)))),
      ).nftables,
      { netns: name },
    )
  await led()
  const tenants = new Map([['shop', 42]])
  const guests = guestsOf(r, tenants)
  const pod = { namespace: 'shop', name: 'web', uid: undefined, infraContainerId: undefined }
  const hijack = ['10.128.0.0/14', 'fd00:10:128::/48', '10.200.0.0/16']
  const call = () => callFor(r.pod, { args: { pairs: new Map(), pod }, config: { hijackCIDR: hijack } })
  const owned = resources.move()
  return { netns: name, rig: r, fabric, tenants, guests, call, hijack: led, [Symbol.dispose]: () => owned.dispose() }
}

function guestsOf({ node }: Rig, tenants: ReadonlyMap<string, number>): OverlayGuests {
  return new OverlayGuests({ tenants: () => ({ vniOf: (namespace) => tenants.get(namespace) }), nsFd: node.nsFd })
}

async function attach(n: OverlayNode): Promise<void> {
  await plugin({ ...n.rig.parts, guests: n.guests }).add(n.call(), signal)
}

function routeTo(node: Scratch, destination: string, family: 4 | 6): void {
  const link = linkGet(node.rtnl, GATEWAY).index
  const way = { gateway: NEXT_HOP[family], link, onlink: true, source: OWN[family], protocol: ROUTE_PROTOCOL }
  routeReplace(node.rtnl, { destination, ...way })
}

/** A network of the node with a machine on it that takes the node for its router. */
function lan({ rig: { node }, fabric }: OverlayNode, family: 4 | 6): void {
  const length = family === 4 ? 32 : 128
  linkAdd(node.rtnl, { kind: 'veth', name: 'lan', up: true, peer: { name: 'outside', nsFd: fabric.nsFd } })
  linkSet(fabric.rtnl, 'outside', { up: true })
  const [near, far] = [linkGet(node.rtnl, 'lan'), linkGet(fabric.rtnl, 'outside')]
  if (near.mac === undefined || far.mac === undefined) throw new Error('veth pairs have addresses')
  addrAdd(fabric.rtnl, { link: far.index, address: `${OUTSIDE[family]}/${length}`, nodad: family === 6 })
  for (const [{ rtnl }, link, address, mac] of [
    [node, near.index, OUTSIDE[family], far.mac],
    [fabric, far.index, WIRE[family], near.mac],
  ] as const) {
    neighReplace(rtnl, { link, address, mac })
    routeReplace(rtnl, { destination: `${address}/${length}`, link })
  }
}

/** Whether the node forwards to that machine what the pod sends by its link, with this address. */
async function ledOut(n: OverlayNode, family: 4 | 6, from: string): Promise<boolean> {
  const heard = listen(n, family, OUTSIDE[family], 'outside')
  send(n, frame(family, { from, to: OUTSIDE[family] }))
  await Bun.sleep(50)
  return heard.stop().some((one) => one.from === from)
}

/** The kernel loses what comes while a link settles, and the machine may have much else to do. */
async function untilLedOut(n: OverlayNode, family: 4 | 6, from: string): Promise<void> {
  for (let tries = 0; !(await ledOut(n, family, from)); tries += 1)
    if (tries === 200) throw new Error(`nothing of ${from} is led out`)
}

interface Heard {
  readonly to: string
  readonly from: string
}

/** What the other end of a link of the node hears that is for an address: the switch's, if not said otherwise. */
function listen(
  { fabric }: OverlayNode,
  family: 4 | 6,
  destination: string,
  at = 'switch',
): { readonly heard: readonly Heard[]; stop(): readonly Heard[] } {
  const heard: Heard[] = []
  const [source, target, size] = family === 4 ? [26, 30, 4] : [22, 38, 16]
  const link = linkGet(fabric.rtnl, at).index
  const protocol = family === 4 ? 0x0800 : 0x86dd
  const socket = openPacketSocket({
    link,
    nsFd: fabric.nsFd,
    protocol,
    onFrame: ({ bytes }) => {
      if (formatIp(bytes.subarray(target, target + size)) !== destination) return
      heard.push({ to: formatMac(bytes.subarray(0, 6)), from: formatIp(bytes.subarray(source, source + size)) })
    },
  })
  const stop = (): readonly Heard[] => {
    socket.close()
    return heard
  }
  return { heard, stop }
}

/** How the switch sees who calls an address: the pod, if not said otherwise; it calls again until something is seen. */
async function seen(
  n: OverlayNode,
  address: string,
  family: 4 | 6,
  {
    by = n.rig.pod,
    called = address,
    times = 100,
  }: { by?: Pick<Scratch, 'nsFd'>; called?: string; times?: number } = {},
): Promise<Heard | undefined> {
  const listening = listen(n, family, address)
  for (let i = 0; i < times && listening.heard.length === 0; i += 1)
    await ping({ address: called, nsFd: by.nsFd, timeoutMs: 100 })
  return listening.stop()[0]
}

/** A frame of the pod for its node: who it says it is from, and whom it is for. */
function frame(family: 4 | 6, { from, to }: { readonly from: string; readonly to: string }): Uint8Array {
  const macs = pairMacs(CONTAINER)
  const ethernet = [...parseMac(macs.host), ...parseMac(macs.pod)]
  if (family === 6) {
    const ends = [...parseIp(from), ...parseIp(to)]
    return Uint8Array.from([...ethernet, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, 64, ...ends, 0, 9, 0, 9, 0, 8, 1, 1])
  }
  const header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, ...parseIp(from), ...parseIp(to)]
  let sum = 0
  for (let i = 0; i < header.length; i += 2) sum += ((header[i] ?? 0) << 8) | (header[i + 1] ?? 0)
  const checksum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff
  header.splice(10, 2, checksum >> 8, checksum & 0xff)
  return Uint8Array.from([...ethernet, 0x08, 0x00, ...header, 0, 9, 0, 9, 0, 8, 0, 0])
}

function send({ rig: { pod } }: OverlayNode, frame: Uint8Array): void {
  const socket = openPacketSocket({ link: linkGet(pod.rtnl, 'veth0').index, nsFd: pod.nsFd, protocol: 0 })
  socket.send(frame)
  socket.close()
}

function tablesIn({ node }: Rig): readonly number[] {
  const tables = ruleList(node.rtnl).flatMap(({ table, inputLink }) => (inputLink === LINK ? [table] : []))
  return [...new Set(tables)]
}
