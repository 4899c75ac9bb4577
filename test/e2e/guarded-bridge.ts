/**
 * Pods on bridges of ours on the physical network: what they cannot forge, which VLANs they are in, that NetworkPolicy and
 * bandwidth hold there, and what is left of it when something dies.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import { SPIDER_IP_POOLS } from '../../src/compat/spiderpool/resources.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { NETWORK_POLICIES, PODS, SERVICES } from '../../src/kube/resources.ts'
import { linkFind, openPacketSocket, openRtnl, ping, withNetns } from '../../src/linux/index.ts'
import { type Family, familyOf, type Ip, ip, linkLocalFromMac, parseMac } from '../../src/network/model/address.ts'
import type { DropName } from '../../src/network/pipeline/drops.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { measure, startBulk } from '../lab/bulk.ts'
import { call } from '../lab/calls.ts'
import { capture } from '../lab/capture.ts'
import { arp, ETH, ethernet, icmpv6, ipv4, ipv6, join, macBytes, ndOption, udp, vlanTag } from '../lab/frames.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { ask, inForce, shown } from '../lab/limits.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { clusterIps } from '../lab/services.ts'

const FAMILIES: readonly Family[] = [4, 6]
/** Pods, with their node, VLAN and label. */
const WIRED = {
  'shop/u1': { node: 1, vlan: 0 },
  'shop/u2': { node: 1, vlan: 0 },
  'bank/u3': { node: 2, vlan: 0 },
  'shop/v1': { node: 1, vlan: 100 },
  'bank/v2': { node: 2, vlan: 100 },
  'bank/w1': { node: 1, vlan: 200 },
} as const
type Wired = keyof typeof WIRED
const NAMES = Object.keys(WIRED) as readonly Wired[]
const PORT = 8123
const OTHER_PORT = 8124
const MARK = new TextEncoder().encode('weft-e2e-guarded')
const HONEST = new TextEncoder().encode('weft-e2e-honest')
const ZERO = '00:00:00:00:00:00'
const FORGED_MAC = '0a:58:de:ad:be:ef'
const UDP = 17
const RATE = 10_000_000
const MOST_ERROR = 0.1

export const guardedBridge: Scenario = {
  name: 'guarded',
  lab: { nodes: 2, physical: '172.18.0.0/16,fd00:18::/64' },
  steps: [
    { title: 'the bridges are made ours, and pods come to them', run: apply },
    { title: 'pods of a VLAN reach each other, on one node and across, and no others', run: reach },
    { title: 'every forged frame is dropped under its name and reaches nobody', run: forged },
    { title: 'a pod of a VLAN can neither send into others nor hear them', run: confined },
    { title: 'policies hold, by label and port, both ways, on one node and across', run: policies },
    { title: 'a policy ends streams that stand', run: streams },
    { title: 'what comes from the overlay by the node is judged as well', run: byNode },
    { title: 'nobody comes to another by having the node route', run: detour },
    { title: 'bandwidth holds', run: bandwidth },
    { title: 'status, drops, explain and trace know them', run: insight },
    { title: 'an agent that is killed loses nothing', run: killed },
    { title: 'after ovs-vswitchd was killed they are guarded again', run: forwardingKilled },
    { title: 'nothing is left over', run: over },
  ],
}

async function apply({ lab, say }: StepContext): Promise<void> {
  for (const index of lab.nodes())
    await lab.ovs(lab.node(index), 'ovs-vsctl', 'set', 'Bridge', 'br1', 'external_ids:weft-owner=weft-bridge')
  const pool = (name: string, ips: string, subnet: string, gateway: string): KubeObject => ({
    apiVersion: 'spiderpool.spidernet.io/v2beta1',
    kind: 'SpiderIPPool',
    metadata: { name },
    spec: { ips: [ips], subnet, gateway },
  })
  await lab.api().create(SPIDER_IP_POOLS, pool('four', '172.18.30.131-172.18.30.150', '172.18.0.0/16', '172.18.0.1'))
  await lab.api().create(SPIDER_IP_POOLS, pool('six', 'fd00:18::131-fd00:18::150', 'fd00:18::/64', 'fd00:18::1'))
  for (const vlan of new Set(Object.values(WIRED).map((one) => one.vlan))) {
    const plugins = [{ type: 'ovs', bridge: 'br1', vlan, ipam: { type: 'spiderpool' } }, { type: 'coordinator' }]
    await lab.api().create(NETWORK_ATTACHMENT_DEFINITIONS, {
      apiVersion: 'k8s.cni.cncf.io/v1',
      kind: 'NetworkAttachmentDefinition',
      metadata: { namespace: 'kube-system', name: `wire${vlan}` },
      spec: { config: JSON.stringify({ cniVersion: '0.3.1', name: `wire${vlan}`, plugins }) },
    })
  }
  for (const name of NAMES) {
    await add(lab, name)
    say(`${name} on node${WIRED[name].node}, VLAN ${WIRED[name].vlan}: ${(await addresses(lab, name)).join(', ')}`)
    listen(lab, name)
  }
}

async function reach({ lab, say }: StepContext): Promise<void> {
  const pairs: readonly (readonly [Wired, Wired, boolean])[] = [
    ['shop/u1', 'shop/u2', true],
    ['shop/u1', 'bank/u3', true],
    ['bank/u3', 'shop/u2', true],
    ['shop/v1', 'bank/v2', true],
    ['shop/v1', 'bank/w1', false],
    ['shop/v1', 'shop/u1', false],
  ]
  for (const [from, to, isOpen] of pairs) {
    await expectReach(lab, from, to, isOpen)
    say(`${from} → ${to}: ${isOpen ? 'answers' : 'nothing'}`)
  }
}

async function forged({ lab, say }: StepContext): Promise<void> {
  const victims = new Map([
    ...(['shop/u2', 'bank/u3', 'shop/v1'] as const).map((pod) => [pod, capture(lab.fd(lab.netns(pod)))] as const),
    ['node1', capture(lab.fd(lab.node(1).netns), 'br1')] as const,
    ['node2', capture(lab.fd(lab.node(2).netns), 'eth1')] as const,
  ])
  const seen = (): string =>
    [...victims].flatMap(([place, { frames }]) => (frames.some(isMarked) ? [place] : [])).join(' ')
  const wire = wireOf(lab, 'shop/u1')
  const [own, victim] = [await place(lab, 'shop/u1'), await place(lab, 'shop/u2')]
  // The sockets work: an honest frame is seen.
  await hears(lab, wire, own, victim)
  for (const [name, what, frame] of forgeries(own, victim)) {
    const before = (await lab.drops(1)).get(name) ?? 0n
    for (let n = 0; n < COPIES; n += 1) wire.send(frame)
    const counted = async (): Promise<bigint> => ((await lab.drops(1)).get(name) ?? 0n) - before
    await eventually(`${what} is counted as ${name}`, async () => (await counted()) >= COPIES, 5_000)
    say(`${what}: ${COPIES} sent, ${await counted()} counted as ${name}`)
    equal(seen(), '', `${what} arrived`)
  }
  await Bun.sleep(300)
  equal(seen(), '')
  wire.close()
  for (const each of victims.values()) each.close()
}

const COPIES = 5

interface Place {
  readonly mac: string
  readonly four: Ip
  readonly six: Ip
}

/** Every forgery, with the name of the drop. */
function forgeries(own: Place, victim: Place): readonly (readonly [DropName, string, Uint8Array])[] {
  const out = (type: number, payload: Uint8Array, from = own.mac, to = victim.mac): Uint8Array =>
    ethernet(from, to, type, payload)
  const all = 'ff:ff:ff:ff:ff:ff'
  const bytes = (address: string): Uint8Array =>
    ipv6({ from: address, to: address }, 59, new Uint8Array()).subarray(8, 24)
  const six = { from: own.six, to: victim.six }
  const mac = parseMac(own.mac)
  const link = mac === undefined ? own.six : linkLocalFromMac(mac)
  const router = icmpv6({ from: link, to: 'ff02::1' }, 134, join([64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0], MARK))
  const nd = (type: number, flags: number, target: string, option: number, its: string): Uint8Array =>
    icmpv6(six, type, join([flags, 0, 0, 0], bytes(target), ndOption(option, macBytes(its)), ndOption(253, MARK)))
  return [
    ['spoofed-mac', 'another MAC address', out(ETH.ipv4, datagram({ from: own.four, to: victim.four }), FORGED_MAC)],
    ['spoofed-ipv4', 'another IPv4 address', out(ETH.ipv4, datagram({ from: ip('172.18.0.1'), to: victim.four }))],
    [
      'spoofed-ipv6',
      'another IPv6 address',
      out(ETH.ipv6, ipv6({ from: 'fd00:18::1', to: victim.six }, UDP, udp({ ...six, from: 'fd00:18::1' }, NINE, MARK))),
    ],
    [
      'spoofed-arp',
      'an ARP answer for the gateway',
      out(ETH.arp, arp(2, { mac: own.mac, ip: '172.18.0.1' }, { mac: victim.mac, ip: victim.four }, MARK)),
    ],
    [
      'spoofed-arp',
      'gratuitous ARP for the victim',
      out(ETH.arp, arp(1, { mac: own.mac, ip: victim.four }, { mac: ZERO, ip: victim.four }, MARK), own.mac, all),
    ],
    ['spoofed-nd', 'an advertisement of the gateway', out(ETH.ipv6, nd(136, 0x60, 'fd00:18::1', 2, own.mac))],
    ['spoofed-nd', 'an advertisement with another MAC', out(ETH.ipv6, nd(136, 0x60, own.six, 2, FORGED_MAC))],
    ['spoofed-nd', 'a solicitation with another MAC', out(ETH.ipv6, nd(135, 0, victim.six, 1, FORGED_MAC))],
    ['rogue-ra', 'a router advertisement', out(ETH.ipv6, router, own.mac, '33:33:00:00:00:01')],
    ['rogue-dhcp', 'a DHCP answer', out(ETH.ipv4, datagram({ from: own.four, to: victim.four }, { from: 67, to: 68 }))],
    ['rogue-dhcp', 'a DHCPv6 answer', out(ETH.ipv6, ipv6(six, UDP, udp(six, { from: 547, to: 546 }, MARK)))],
    ['ethertype', 'a frame that is neither ARP nor IP', out(0x88b5, MARK)],
  ]
}

const NINE = { from: 9, to: 9 } as const

function datagram(
  addresses: { readonly from: string; readonly to: string },
  ports: { from: number; to: number } = NINE,
) {
  return ipv4(addresses, UDP, udp(addresses, ports, MARK))
}

async function confined({ lab, say }: StepContext): Promise<void> {
  const others = (['shop/u1', 'shop/u2', 'bank/u3', 'bank/w1'] as const).map(
    (pod) => [pod, capture(lab.fd(lab.netns(pod)))] as const,
  )
  const own = capture(lab.fd(lab.netns('shop/v1')))
  const wire = wireOf(lab, 'shop/v1')
  const from = await place(lab, 'shop/v1')
  for (const tag of [0, 100, 200])
    for (const to of ['ff:ff:ff:ff:ff:ff', (await place(lab, 'bank/w1')).mac, (await place(lab, 'shop/u1')).mac])
      for (let n = 0; n < COPIES; n += 1) {
        const payload = datagram({ from: from.four, to: '172.18.255.255' })
        wire.send(ethernet(from.mac, to, ETH.vlan, vlanTag(tag, ETH.ipv4, payload)))
      }
  // What others say to everybody.
  for (const pod of ['shop/u1', 'bank/w1'] as const) {
    const speaker = wireOf(lab, pod)
    const { mac, four } = await place(lab, pod)
    const question = arp(1, { mac, ip: four }, { mac: ZERO, ip: '172.18.0.77' }, MARK)
    for (let n = 0; n < COPIES; n += 1) speaker.send(ethernet(mac, 'ff:ff:ff:ff:ff:ff', ETH.arp, question))
    speaker.close()
  }
  await eventually('the others of the VLAN hear that', () =>
    others.some(([pod, { frames }]) => pod === 'bank/u3' && frames.some(isMarked)),
  )
  await Bun.sleep(300)
  const heard = others.filter(([, { frames }]) => frames.some((one) => isMarked(one) && isFrom(one, from.mac)))
  deepEqual(
    heard.map(([pod]) => pod),
    [],
    'tagged frames arrived',
  )
  ok(!own.frames.some((one) => isMarked(one) && !isFrom(one, from.mac)), 'it hears other VLANs')
  say('no tagged frame of shop/v1 (0, 100, 200) arrives; it hears nothing of the untagged network and of VLAN 200')
  for (const [, each] of others) each.close()
  own.close()
  wire.close()
}

async function policies({ lab, say }: StepContext): Promise<void> {
  await policy(lab, 'shop', 'closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
  for (const [from, to] of [
    ['shop/u1', 'shop/u2'],
    ['bank/u3', 'shop/u1'],
    ['shop/u1', 'bank/u3'],
  ] as const)
    await becomes(lab, from, to, false)
  say('deny all: nobody reaches shop/u1 and shop/u2, and they reach nobody, IPv4 and IPv6')
  const bank = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'bank' } } }
  await policy(lab, 'shop', 'from-u3', {
    podSelector: { matchLabels: { app: 'u1' } },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          { ...bank, podSelector: { matchLabels: { app: 'u3' } } },
          { podSelector: { matchLabels: { app: 'u2' } } },
        ],
        ports: [{ protocol: 'TCP', port: PORT }],
      },
    ],
  })
  await becomes(lab, 'bank/u3', 'shop/u1', true)
  await becomes(lab, 'bank/u3', 'shop/u1', false, OTHER_PORT)
  await becomes(lab, 'bank/u3', 'shop/u2', false)
  await becomes(lab, 'shop/u2', 'shop/u1', false)
  await policy(lab, 'shop', 'u2-out', {
    podSelector: { matchLabels: { app: 'u2' } },
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: { matchLabels: { app: 'u1' } } }] }],
  })
  await becomes(lab, 'shop/u2', 'shop/u1', true)
  await becomes(lab, 'shop/u2', 'bank/u3', false)
  await becomes(lab, 'shop/u1', 'shop/u2', false)
  say(
    'rules by label and port: bank/u3 → shop/u1 (across) and shop/u2 → shop/u1 (on one node), that port, that way only',
  )
  for (const name of ['closed', 'from-u3', 'u2-out'])
    await lab.api().delete(NETWORK_POLICIES, { namespace: 'shop', name })
  await becomes(lab, 'shop/u1', 'bank/u3', true)
  await becomes(lab, 'shop/u2', 'shop/u1', true)
}

async function streams({ lab, say }: StepContext): Promise<void> {
  for (const [from, to] of [
    ['shop/u1', 'bank/u3'],
    ['shop/u1', 'shop/u2'],
  ] as const) {
    const address = await addressOf(lab, to, 4)
    const stream = await startBulk(lab.fd(lab.netns(from)), { fd: lab.fd(lab.netns(to)), address })
    const fd = lab.fd(lab.netns(to))
    ok((await measure(fd, 300)).received > 1_000_000, 'the stream runs')
    const since = performance.now()
    await policy(lab, 'shop', 'closed', { podSelector: {}, policyTypes: ['Egress'] })
    await eventually('the stream stands still', async () => (await measure(fd, 100)).received < 10_000, 5_000)
    say(`${from} → ${to}: still ${Math.round(performance.now() - since)} ms after the policy was asked for`)
    stream.close()
    await lab.api().delete(NETWORK_POLICIES, { namespace: 'shop', name: 'closed' })
    await becomes(lab, from, to, true)
  }
}

async function byNode({ lab, say }: StepContext): Promise<void> {
  const u1 = await addressOf(lab, 'shop/u1', 4)
  const overlay = `/run/netns/${lab.netns('shop/web')}`
  await eventually('shop/web reaches shop/u1 by their node', async () => (await call(overlay, u1, PORT)) !== undefined)
  await lab.api().create(SERVICES, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'wired' },
    spec: { selector: { app: 'u1' }, ports: [{ port: 80, targetPort: PORT }] },
  } as KubeObject)
  const [service = u1] = await clusterIps(lab, 'shop/wired')
  const another = `/run/netns/${lab.netns('shop/u2')}`
  const callers = [
    ['shop/web', overlay],
    ['shop/u2', another],
  ] as const
  for (const [who, netns] of callers)
    await eventually(`${who} reaches a service of shop/u1`, async () => (await call(netns, service, 80)) !== undefined)
  await policy(lab, 'shop', 'no-web', {
    podSelector: { matchLabels: { app: 'u1' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'u2' } } }] }],
  })
  await eventually('shop/web is shut out', async () => (await call(overlay, u1, PORT, 'none')) === undefined)
  // A switch goes through what it knows of a path one by one: a policy holds on each a moment apart.
  for (const [who, netns] of callers)
    await eventually(
      `${who} is shut out by a service`,
      async () => (await call(netns, service, 80, 'none')) === undefined,
    )
  ok((await call(`/run/netns/${lab.node(1).netns}`, u1, PORT)) !== undefined, 'its node probes it')
  say(
    'a policy of shop/u1 shuts shop/web out, which comes by the node, by a service as well; the node itself is let in',
  )
  await lab.api().delete(NETWORK_POLICIES, { namespace: 'shop', name: 'no-web' })
  await lab.api().delete(SERVICES, { namespace: 'shop', name: 'wired' })
  await eventually('it is let in again', async () => (await call(overlay, u1, PORT)) !== undefined)
}

/** A pod that has its node route for it comes into no other VLAN, and past no policy. */
async function detour({ lab, say }: StepContext): Promise<void> {
  const netns = lab.netns('shop/v1')
  const to = await addressOf(lab, 'bank/w1', 4)
  const { stdout } = await lab.inside(netns, 'ip', '-j', 'neigh', 'show', 'dev', 'veth0')
  const [{ lladdr = '' } = {}] = JSON.parse(stdout) as readonly { readonly lladdr?: string }[]
  match(lladdr, /^[0-9a-f:]{17}$/)
  const ear = capture(lab.fd(lab.netns('bank/w1')), 'veth0')
  for (const command of [
    ['ip', 'neigh', 'replace', to, 'lladdr', lladdr, 'dev', 'veth0'],
    ['ip', 'route', 'replace', `${to}/32`, 'dev', 'veth0'],
    ['ping', '-c', '3', '-i', '0.2', '-W', '1', to],
    ['ip', 'route', 'del', `${to}/32`, 'dev', 'veth0'],
    ['ip', 'neigh', 'del', to, 'dev', 'veth0'],
  ])
    await lab.inside(netns, ...command)
  const target = Buffer.from(to.split('.').map(Number))
  const arrived = ear.frames.filter((frame) => Buffer.from(frame).subarray(30, 34).equals(target))
  ear.close()
  equal(arrived.length, 0)
  say('shop/v1 routes to bank/w1 of another VLAN by their node: nothing arrives')
  await detourOutside(lab)
  say('shop/u1 routes to a machine on its node’s network by its node: no answer')
}

/** Its egress policies, VLAN and limit would not hold on that way. */
async function detourOutside(lab: Lab): Promise<void> {
  const netns = lab.netns('shop/u1')
  const { stdout } = await lab.inside(netns, 'ip', '-j', 'neigh', 'show', 'dev', 'veth0')
  const [{ lladdr = '' } = {}] = JSON.parse(stdout) as readonly { readonly lladdr?: string }[]
  for (const family of FAMILIES) {
    const to = outsideAddress(family)
    const route = [`${to}/${family === 4 ? 32 : 128}`, 'dev', 'veth0']
    await lab.inside(netns, 'ip', 'neigh', 'replace', to, 'lladdr', lladdr, 'dev', 'veth0')
    await lab.inside(netns, 'ip', 'route', 'replace', ...route)
    ok(!(await ping({ address: to, nsFd: lab.fd(netns), timeoutMs: 1_000 })).reached, `${to} by the node`)
    await lab.inside(netns, 'ip', 'route', 'del', ...route)
    await lab.inside(netns, 'ip', 'neigh', 'del', to, 'dev', 'veth0')
  }
}

async function bandwidth({ lab, say }: StepContext): Promise<void> {
  await ask(lab, 'shop/u2', { toPod: '10M', fromPod: '10M' })
  await inForce(lab, 'shop/u2', { toPod: RATE, fromPod: RATE })
  for (const [partner, where] of [
    ['shop/u1', 'on one node'],
    ['bank/u3', 'across nodes'],
  ] as const) {
    for (const direction of ['toPod', 'fromPod'] as const) {
      const rate = await rateOf(lab, partner, direction)
      say(`${where}, ${direction}: ${shown(rate)}`)
      ok(rate < RATE * (1 + MOST_ERROR), `${shown(rate)} is too fast`)
      ok(rate > RATE * (1 - MOST_ERROR), `${shown(rate)} is too slow`)
    }
  }
  // Recreated, it is held from the start.
  await remove(lab, 'shop/u2')
  await add(lab, 'shop/u2', { 'kubernetes.io/ingress-bandwidth': '5M' })
  await inForceTo(lab, 'shop/u2', 5_000_000)
  listen(lab, 'shop/u2')
}

/** What the limited pod's interface counts in five seconds; once more where the machine was busy. */
async function rateOf(lab: Lab, partner: Wired, direction: 'toPod' | 'fromPod'): Promise<number> {
  const [own, other] = [lab.fd(lab.netns('shop/u2')), lab.fd(lab.netns(partner))]
  const [from, fd, to] = direction === 'toPod' ? [other, own, 'shop/u2' as const] : [own, other, partner]
  let rate = 0
  for (let attempt = 0; attempt < 3 && rate < RATE * (1 - MOST_ERROR); attempt += 1) {
    const stream = await startBulk(from, { fd, address: await addressOf(lab, to, 4) })
    // What may pass at once after a silence.
    await Bun.sleep(1_000)
    const { received, sent } = await measure(own, 5_000)
    stream.close()
    rate = direction === 'toPod' ? received : sent
  }
  return rate
}

async function inForceTo(lab: Lab, pod: Wired, rate: number): Promise<void> {
  await eventually(`${pod} is held to ${rate}`, async () => {
    const facts = await lab.agent(WIRED[pod].node).bandwidth()
    return facts.some((fact) => `${fact.namespace}/${fact.pod}` === pod && fact.inForce.toPod?.rate === rate)
  })
}

async function insight({ lab, say }: StepContext): Promise<void> {
  const at = ['--run-dir', lab.layout.runDir]
  const status = await lab.weft('status', ...at)
  say(status.stdout.trimEnd())
  match(status.stdout, /shop\/u1 +eth0 +node1 +br1 \(guarded\)/)
  match(status.stdout, /shop\/v1 +eth0 +node1 +br1 \(guarded\) +100 +172\.18\.30\.\d+/)
  const drops = await lab.weft('drops', ...at)
  say(drops.stdout.split('\n').slice(0, 14).join('\n'))
  match(drops.stdout, /node1 +br1 +spoofed-mac +pod shop\/u1 on the physical network/)
  const explain = await lab.weft('explain', 'shop/u1', 'bank/u3', '--port', String(PORT), ...at)
  say(explain.stdout.trimEnd())
  equal(explain.code, 0)
  match(explain.stdout, /not traced/)
  const trace = await lab.weft('trace', 'shop/u1', 'bank/u3', ...at)
  say(`${trace.stdout}${trace.stderr}`.trimEnd())
  match(`${trace.stdout}${trace.stderr}`.replaceAll(/\s+/g, ' '), /is on the physical network/)
  say(await lab.expectCleanAudit())
  await lab.ovs(lab.node(1), 'ovs-ofctl', '-O', 'OpenFlow13', 'add-flow', `${lab.node(1).ovsDir}/br1.mgmt`, STRANGE)
  const audit = await lab.weft('audit', ...at)
  match(audit.stdout, /flow-foreign/)
  const repaired = await lab.weft('audit', '--repair', ...at)
  equal(repaired.code, 0, repaired.stdout)
  say(await lab.expectCleanAudit())
}

const STRANGE = 'table=0,priority=9999,in_port=4242,actions=normal'

async function killed({ lab, say }: StepContext): Promise<void> {
  const pinger = startPinger(lab.fd(lab.netns('shop/u1')), await addressOf(lab, 'bank/u3', 4))
  await Bun.sleep(500)
  lab.restart('node1-agent')
  await isBack(lab)
  await Bun.sleep(1_000)
  const tally = await pinger.stop()
  say(describeTally(tally))
  equal(tally.lost, 0)
  await expectGuarded(lab)
}

async function forwardingKilled({ lab, say }: StepContext): Promise<void> {
  const [own, victim] = [await place(lab, 'shop/u1'), await place(lab, 'shop/u2')]
  const ear = capture(lab.fd(lab.netns('shop/u2')))
  const wire = wireOf(lab, 'shop/u1')
  const forgery = ethernet(own.mac, victim.mac, ETH.ipv4, datagram({ from: '172.18.0.1', to: victim.four }))
  const clock = setInterval(() => wire.send(forgery), 5)
  lab.kill('node1-ovs-vswitchd')
  await lab.restartForwarding(1)
  await isBack(lab)
  await expectGuarded(lab)
  clearInterval(clock)
  say(`${ear.frames.filter(isMarked).length} forged frames, sent every 5 ms, passed before the flows were written`)
  ear.close()
  wire.close()
  await eventually('the pods answer again', () => answers(lab, 'shop/u1', 'bank/u3', 4))
  await expectGuarded(lab)
  say('guarded again')
}

async function over({ lab, say }: StepContext): Promise<void> {
  for (const name of NAMES) await remove(lab, name)
  for (const index of lab.nodes())
    await eventually('only the uplink is left', async () => {
      const ports = (await lab.ovs(lab.node(index), 'ovs-vsctl', 'list-ports', 'br1')).trim()
      return ports === 'eth1'
    })
  say(await lab.expectCleanAudit())
}

/** A forged datagram does not arrive, and an honest one does. */
async function expectGuarded(lab: Lab): Promise<void> {
  const [own, victim] = [await place(lab, 'shop/u1'), await place(lab, 'shop/u2')]
  const wire = wireOf(lab, 'shop/u1')
  await eventually('a forged frame does not arrive', async () => {
    const ear = capture(lab.fd(lab.netns('shop/u2')))
    wire.send(ethernet(own.mac, victim.mac, ETH.ipv4, datagram({ from: '172.18.0.1', to: victim.four })))
    await Bun.sleep(200)
    ear.close()
    return !ear.frames.some(isMarked)
  })
  await hears(lab, wire, own, victim)
  wire.close()
}

/** An honest frame from the same socket arrives. */
async function hears(lab: Lab, wire: ReturnType<typeof wireOf>, own: Place, victim: Place): Promise<void> {
  const ear = capture(lab.fd(lab.netns('shop/u2')))
  await eventually('an honest frame arrives', () => {
    const addresses = { from: own.four, to: victim.four }
    wire.send(ethernet(own.mac, victim.mac, ETH.ipv4, ipv4(addresses, UDP, udp(addresses, NINE, HONEST))))
    return ear.frames.some((frame) => Buffer.from(frame).includes(HONEST))
  })
  ear.close()
}

async function isBack(lab: Lab): Promise<void> {
  await eventually('the agent is ready', async () =>
    lab
      .agent(1)
      .status()
      .then(
        ({ ready }) => ready,
        () => false,
      ),
  )
}

async function policy(lab: Lab, namespace: string, name: string, spec: object): Promise<void> {
  await lab.api().create(NETWORK_POLICIES, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace, name },
    spec,
  } as KubeObject)
}

/** In both families. */
async function becomes(lab: Lab, from: Wired, to: Wired, isOpen: boolean, port = PORT): Promise<void> {
  for (const family of FAMILIES)
    await eventually(
      `${from} ${isOpen ? 'reaches' : 'does not reach'} ${to} port ${port} over IPv${family}`,
      async () => (await answers(lab, from, to, family, isOpen, port)) === isOpen,
    )
}

async function expectReach(lab: Lab, from: Wired, to: Wired, isOpen: boolean): Promise<void> {
  if (isOpen) return becomes(lab, from, to, true)
  for (const family of FAMILIES) ok(!(await answers(lab, from, to, family, false)), `${from} reaches ${to}`)
}

async function answers(lab: Lab, from: Wired, to: Wired, family: Family, isOpen = true, port = PORT): Promise<boolean> {
  const path = `/run/netns/${lab.netns(from)}`
  return (await call(path, await addressOf(lab, to, family), port, isOpen ? 'answer' : 'none')) !== undefined
}

/** Says who it is and whom it sees, as the playground's servers do. */
function listen(lab: Lab, name: Wired): void {
  const fd = lab.fd(lab.netns(name))
  for (const port of [PORT, OTHER_PORT])
    withNetns(fd, () =>
      Bun.listen({
        hostname: '::',
        port,
        socket: {
          open: (socket) => void socket.end(`${name} ${socket.remoteAddress.replace('::ffff:', '')}\n`),
          data: () => undefined,
          error: () => undefined,
        },
      }),
    )
}

function wireOf(lab: Lab, pod: Wired) {
  const fd = lab.fd(lab.netns(pod))
  using rtnl = openRtnl({ nsFd: fd })
  return openPacketSocket({ link: linkFind(rtnl, 'eth0')?.index ?? 0, nsFd: fd })
}

async function place(lab: Lab, pod: Wired): Promise<Place> {
  using rtnl = openRtnl({ nsFd: lab.fd(lab.netns(pod)) })
  const mac = linkFind(rtnl, 'eth0')?.mac ?? ''
  return { mac, four: await addressOf(lab, pod, 4), six: await addressOf(lab, pod, 6) }
}

function isMarked(frame: Uint8Array): boolean {
  return Buffer.from(frame).includes(MARK)
}

function isFrom(frame: Uint8Array, mac: string): boolean {
  return Buffer.from(frame)
    .subarray(6, 12)
    .equals(Buffer.from(macBytes(mac)))
}

async function add(lab: Lab, name: Wired, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const [namespace = '', pod = ''] = name.split('/')
  const { node, vlan } = WIRED[name]
  const annotations = {
    'v1.multus-cni.io/default-network': `kube-system/wire${vlan}`,
    'ipam.spidernet.io/ippool': JSON.stringify({ ipv4: ['four'], ipv6: ['six'] }),
    ...more,
  }
  await lab.api().create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: pod, annotations, labels: { app: pod } },
    spec: { nodeName: `node${node}`, containers: [{ name: 'main', image: 'none' }] },
  } as KubeObject)
  await eventually(`${name} has its addresses`, async () => (await addresses(lab, name)).length === 2)
}

async function remove(lab: Lab, name: Wired): Promise<void> {
  const [namespace = '', pod = ''] = name.split('/')
  await lab.api().delete(PODS, { namespace, name: pod }, { gracePeriodSeconds: 0 })
  await eventually(`${name} is gone`, async () => (await lab.api().get(PODS, { namespace, name: pod })) === undefined)
}

async function addresses(lab: Lab, name: Wired): Promise<readonly Ip[]> {
  const [namespace = '', pod = ''] = name.split('/')
  const found = await lab.api().get(PODS, { namespace, name: pod })
  const { podIPs = [] } = (found?.['status'] ?? {}) as { readonly podIPs?: readonly { readonly ip: string }[] }
  return podIPs.map((one) => ip(one.ip))
}

async function addressOf(lab: Lab, name: Wired, family: Family): Promise<Ip> {
  const found = (await addresses(lab, name)).find((one) => familyOf(one) === family)
  if (found === undefined) throw new Error(`${name} has no IPv${family} address`)
  return found
}

if (import.meta.main) await runScenario(guardedBridge)
