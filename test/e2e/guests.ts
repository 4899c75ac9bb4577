/**
 * Pods on the physical network and the overlay: what they reach by way of their node, in whose name, and what stays closed.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { presentHijacked } from '../../src/agent/node/hijacked.ts'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import { SPIDER_COORDINATORS, SPIDER_IP_POOLS } from '../../src/compat/spiderpool/resources.ts'
import { NETWORK_POLICIES, PODS } from '../../src/kube/resources.ts'
import { applyRuleset, openRtnl, ping, routeList, ruleList } from '../../src/linux/index.ts'
import { vniOfTable } from '../../src/network/guests.ts'
import { GATEWAY } from '../../src/network/host.ts'
import { type Family, familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import { formatIpRange } from '../../src/network/model/ip-range.ts'
import { ECHO_PORT, outsideAddress } from '../../src/playground/layout.ts'
import { call } from '../lab/calls.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { isReady } from '../lab/limits.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { addService, addSlice, clusterIps, translateBy } from '../lab/services.ts'

const FAMILIES: readonly Family[] = [4, 6]
/** One tenant's on each node, and their addresses on the wire. */
const GUESTS = {
  'shop/u1': { node: 1, 4: ip('172.18.30.131'), 6: ip('fd00:18::131') },
  'bank/u2': { node: 2, 4: ip('172.18.30.132'), 6: ip('fd00:18::132') },
} as const
type GuestName = keyof typeof GUESTS
const NAMES = Object.keys(GUESTS) as readonly GuestName[]
/** Of services; pods themselves listen on {@link ECHO_PORT}. */
const SERVICE_PORT = 80

export const guests: Scenario = {
  name: 'guests',
  lab: { nodes: 2, physical: '172.18.0.0/16,fd00:18::/64' },
  steps: [
    { title: 'pods of two tenants come to the physical network', run: apply },
    { title: 'they reach each other, their gateway and their node, and their node them', run: wire },
    { title: 'they reach pods of their tenant and of the global one, on every node, and no others', run: pods },
    { title: 'they reach services whose endpoints they may reach, and no others', run: services },
    { title: 'services lead them outside, but not to pods of other tenants', run: byHand },
    { title: 'an endpoint sees their node’s address, and policies judge them as strangers', run: strangers },
    { title: 'they follow their tenant, at once', run: follow },
    { title: 'their node leads them nowhere else, unless an administrator does', run: detour },
    { title: 'an agent that was killed takes nothing away from them', run: killed },
    { title: 'where a kube-proxy translates, the same is open and the same is closed', run: byKubeProxy },
    { title: 'nothing is left of them', run: gone },
  ],
}

async function apply({ lab, say }: StepContext): Promise<void> {
  const pool = (name: string, ips: string, subnet: string, gateway: string) => ({
    apiVersion: 'spiderpool.spidernet.io/v2beta1',
    kind: 'SpiderIPPool',
    metadata: { name },
    spec: { ips: [ips], subnet, gateway },
  })
  await lab.api().create(SPIDER_IP_POOLS, pool('four', '172.18.30.131-172.18.30.140', '172.18.0.0/16', '172.18.0.1'))
  await lab.api().create(SPIDER_IP_POOLS, pool('six', 'fd00:18::131-fd00:18::140', 'fd00:18::/64', 'fd00:18::1'))
  const plugins = [{ type: 'ovs', bridge: 'br1', ipam: { type: 'spiderpool' } }, { type: 'coordinator' }]
  await lab.api().create(NETWORK_ATTACHMENT_DEFINITIONS, {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { namespace: 'kube-system', name: 'wire' },
    spec: { config: JSON.stringify({ cniVersion: '0.3.1', name: 'wire', plugins }) },
  })
  for (const name of NAMES) {
    await addGuest(lab, name)
    await eventually(`${name} has its addresses`, async () => (await addresses(lab, name)).length === 2)
    deepEqual(await addresses(lab, name), [GUESTS[name][4], GUESTS[name][6]])
    say(`${name} on node${GUESTS[name].node}: ${(await addresses(lab, name)).join(', ')}`)
  }
}

async function wire({ lab }: StepContext): Promise<void> {
  for (const family of FAMILIES) {
    const [u1, u2] = [GUESTS['shop/u1'][family], GUESTS['bank/u2'][family]]
    const gateway = ip(family === 4 ? '172.18.0.1' : 'fd00:18::1')
    for (const address of [u2, gateway, gatewayOf(lab, 1, family)]) ok(await reaches(lab, 'shop/u1', address), address)
    const [first, second] = [1, 2].map((index) => lab.fd(lab.node(index).netns))
    for (const [nsFd, address] of [
      [first, u1],
      [second, u2],
    ] as const)
      ok((await ping({ address, nsFd: nsFd ?? -1, timeoutMs: 2_000 })).reached, `a node to ${address}`)
  }
}

async function pods({ lab, say }: StepContext): Promise<void> {
  await table(lab, say, [
    ['shop/u1', ['shop/web', 'shop/cart', 'shop/db', 'default/monitor'], ['bank/vault', 'bank/teller']],
    ['bank/u2', ['bank/vault', 'bank/teller', 'default/monitor'], ['shop/web', 'shop/db']],
  ])
}

async function table(
  lab: Lab,
  say: (line: string) => void,
  rows: readonly (readonly [GuestName, readonly string[], readonly string[]])[],
): Promise<void> {
  for (const [guest, friends, strangersOf] of rows) {
    for (const family of FAMILIES) {
      for (const pod of friends) ok(await answers(lab, guest, lab.address(pod, family)), `${guest} to ${pod}`)
      for (const pod of strangersOf)
        ok(!(await answers(lab, guest, lab.address(pod, family), 'none')), `${guest} to ${pod}`)
    }
    say(`${guest} reaches ${friends.join(', ')}, not ${strangersOf.join(', ')}`)
  }
}

async function services({ lab, say }: StepContext): Promise<void> {
  const rows = [
    ['shop/u1', 'shop/shop', true],
    ['shop/u1', 'bank/bank', false],
    ['shop/u1', 'default/monitor', true],
    ['bank/u2', 'shop/shop', false],
    ['bank/u2', 'bank/bank', true],
    ['bank/u2', 'default/monitor', true],
  ] as const
  for (const [guest, service, isOpen] of rows) {
    for (const address of await clusterIps(lab, service))
      equal(
        await answers(lab, guest, address, isOpen ? 'answer' : 'none', SERVICE_PORT),
        isOpen,
        `${guest} to ${service} ${address}`,
      )
    say(`${guest} → ${service}: ${isOpen ? 'answers' : 'closed'}`)
  }
}

/** Tenants write slices: what is in one opens nothing. */
async function byHand({ lab, say }: StepContext): Promise<void> {
  const ports = [{ name: 'http', protocol: 'TCP', port: SERVICE_PORT }]
  for (const [service, endpoint] of [
    ['bank/away', outsideAddress(4)],
    ['bank/pivot', lab.address('shop/db')],
  ] as const) {
    await addService(lab, service, { ports })
    await addSlice(lab, service, endpoint, ECHO_PORT)
  }
  const [away, pivot] = await Promise.all(['bank/away', 'bank/pivot'].map((name) => firstIp(lab, name)))
  if (away === undefined || pivot === undefined) throw new Error('services have addresses')
  await eventually('an endpoint outside answers', () => answers(lab, 'bank/u2', away, 'answer', SERVICE_PORT))
  ok(!(await answers(lab, 'bank/u2', pivot, 'none', SERVICE_PORT)), 'another tenant’s pod does not')
  say(`bank/u2 → bank/away ${away}: answers; → bank/pivot ${pivot}: closed`)
}

async function firstIp(lab: Lab, service: string): Promise<Ip | undefined> {
  return (await clusterIps(lab, service)).find((each) => familyOf(each) === 4)
}

async function strangers({ lab, say }: StepContext): Promise<void> {
  const answer = await call(path(lab, 'shop/u1'), lab.address('shop/web'), ECHO_PORT)
  equal(answer?.client, gatewayOf(lab, 1, 4))
  say(`shop/web sees ${answer?.client}`)
  const place = { namespace: 'shop', name: 'only-shop' }
  await lab.api().create(NETWORK_POLICIES, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: place,
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
  })
  await eventually(
    'the guest is shut out, though it comes by the node of the pod',
    async () => !(await answers(lab, 'shop/u1', lab.address('shop/web'), 'none')),
  )
  const node = await call(`/run/netns/${lab.node(1).netns}`, lab.address('shop/web'), ECHO_PORT)
  ok(node !== undefined, 'the node probes its pod')
  await lab.api().delete(NETWORK_POLICIES, place)
  await eventually('it is let in again', () => answers(lab, 'shop/u1', lab.address('shop/web')))
}

async function follow({ lab, say }: StepContext): Promise<void> {
  equal((await lab.tenant('join', 'bank', '--to', 'shop')).code, 0)
  await eventually('the joined guest is let in', () => answers(lab, 'bank/u2', lab.address('shop/db')))
  equal((await lab.tenant('isolate', 'bank')).code, 0)
  await eventually(
    'the isolated guest is shut out',
    async () => !(await answers(lab, 'bank/u2', lab.address('shop/db'), 'none')),
  )
  await pods({ lab, say })
}

/** A pod’s own route by its node to what is on the node’s network. */
async function detour({ lab, say }: StepContext): Promise<void> {
  const netns = lab.netns('shop/u1')
  const nodes = lab.node(1).netns
  const { stdout } = await lab.inside(netns, 'ip', '-j', 'neigh', 'show', 'dev', 'veth0')
  const [{ lladdr = '' } = {}] = JSON.parse(stdout) as readonly { readonly lladdr?: string }[]
  for (const family of FAMILIES) {
    const to = outsideAddress(family)
    const length = family === 4 ? 32 : 128
    await lab.inside(netns, 'ip', 'neigh', 'replace', to, 'lladdr', lladdr, 'dev', 'veth0')
    await lab.inside(netns, 'ip', 'route', 'replace', `${to}/${length}`, 'dev', 'veth0')
    ok(!(await reaches(lab, 'shop/u1', to)), `${to} by the node`)
  }
  say('shop/u1 → the node’s network, by a route of its own: closed')
  const hijackCIDR = ['169.254.0.0/16', ...FAMILIES.map(outsideAddress)]
  await lab.api().patch(SPIDER_COORDINATORS, { name: 'default' }, 'merge', { spec: { hijackCIDR } })
  for (const family of FAMILIES)
    await eventually('what an administrator hijacks is open', () => reaches(lab, 'shop/u1', outsideAddress(family)))
  lab.restart('node1-agent')
  for (const family of FAMILIES) ok(await reaches(lab, 'shop/u1', outsideAddress(family)))
  await eventually('the agent is ready again', () => isReady(lab, 1), 60_000)
  for (const family of FAMILIES) ok(await reaches(lab, 'shop/u1', outsideAddress(family)))
  say(`hijacked on node1: ${(await presentHijacked({ netns: nodes })).map(formatIpRange).join(', ')}`)
  await lab.api().patch(SPIDER_COORDINATORS, { name: 'default' }, 'merge', { spec: { hijackCIDR: ['169.254.0.0/16'] } })
  await eventually('it is closed again', async () => !(await reaches(lab, 'shop/u1', outsideAddress(4))))
  for (const family of FAMILIES) {
    const to = outsideAddress(family)
    await lab.inside(netns, 'ip', 'route', 'del', `${to}/${family === 4 ? 32 : 128}`, 'dev', 'veth0')
    await lab.inside(netns, 'ip', 'neigh', 'del', to, 'dev', 'veth0')
  }
}

async function killed({ lab }: StepContext): Promise<void> {
  const before = rules(lab, 1)
  ok(before.length > 0)
  lab.restart('node1-agent')
  ok(await answers(lab, 'shop/u1', lab.address('shop/db')))
  await eventually('it is ready again', () => isReady(lab, 1), 60_000)
  deepEqual(rules(lab, 1), before)
  ok(await answers(lab, 'shop/u1', lab.address('shop/db')))
}

/** The rules of a kube-proxy for one service, in the node's own stack. */
async function byKubeProxy({ lab, say }: StepContext): Promise<void> {
  await translateBy(lab, 'kube-proxy')
  const service = ip('172.30.99.99')
  for (const [endpoint, isOpen] of [
    ['shop/db', true],
    ['shop/web', true],
    ['default/monitor', true],
    ['bank/vault', false],
    ['bank/teller', false],
  ] as const) {
    const lines = [
      'table ip kubeproxy',
      'delete table ip kubeproxy',
      'table ip kubeproxy {',
      'chain services {',
      'type nat hook prerouting priority -100',
      `ip daddr ${service} tcp dport ${SERVICE_PORT} dnat to ${lab.address(endpoint)}:${ECHO_PORT}`,
      '}',
      '}',
      '',
    ]
    await applyRuleset(lines.join('\n'), { netns: lab.node(1).netns })
    const found = await answers(lab, 'shop/u1', service, isOpen ? 'answer' : 'none', SERVICE_PORT)
    equal(found, isOpen, `shop/u1 to ${endpoint} by kube-proxy`)
    say(`shop/u1 → service in front of ${endpoint}: ${isOpen ? 'answers' : 'closed'}`)
  }
  await translateBy(lab, 'weft')
}

async function gone({ lab }: StepContext): Promise<void> {
  for (const name of NAMES) await lab.api().delete(PODS, place(name), { gracePeriodSeconds: 0 })
  for (const index of [1, 2])
    await eventually('nothing is left', () => {
      using rtnl = openRtnl({ nsFd: lab.fd(lab.node(index).netns) })
      return rules(lab, index).length === 0 && routeList(rtnl, { table: 500 }).length === 0
    })
}

/** Rules for guests on a node. */
function rules(lab: Lab, index: number): readonly string[] {
  using rtnl = openRtnl({ nsFd: lab.fd(lab.node(index).netns) })
  return ruleList(rtnl)
    .filter((rule) => vniOfTable(rule.table) !== undefined)
    .map((rule) => JSON.stringify(rule))
    .sort()
}

async function addGuest(lab: Lab, name: GuestName): Promise<void> {
  const annotations = {
    'v1.multus-cni.io/default-network': 'kube-system/wire',
    'ipam.spidernet.io/ippool': JSON.stringify({ ipv4: ['four'], ipv6: ['six'] }),
  }
  await lab.api().create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...place(name), annotations },
    spec: { nodeName: `node${GUESTS[name].node}`, containers: [{ name: 'main', image: 'none' }] },
  })
}

async function addresses(lab: Lab, name: GuestName): Promise<readonly string[]> {
  const pod = await lab.api().get(PODS, place(name))
  const { podIPs = [] } = (pod?.['status'] ?? {}) as { readonly podIPs?: readonly { readonly ip: string }[] }
  return podIPs.map((one) => one.ip)
}

async function reaches(lab: Lab, guest: GuestName, address: Ip): Promise<boolean> {
  return (await ping({ address, nsFd: lab.fd(lab.netns(guest)), timeoutMs: 2_000 })).reached
}

async function answers(
  lab: Lab,
  guest: GuestName,
  address: Ip,
  expected: 'none' | 'answer' = 'answer',
  port: number = ECHO_PORT,
): Promise<boolean> {
  return (await call(path(lab, guest), address, port, expected)) !== undefined
}

function path(lab: Lab, guest: GuestName): string {
  return `/run/netns/${lab.netns(guest)}`
}

/** The node's address in its pod range. */
function gatewayOf(lab: Lab, index: number, family: Family): Ip {
  using rtnl = openRtnl({ nsFd: lab.fd(lab.node(index).netns) })
  const found = routeList(rtnl, { table: 254 }).find(
    ({ source, family: of }) =>
      of === family &&
      source !== undefined &&
      familyOf(ip(source)) === family &&
      source.startsWith(family === 4 ? '10.' : 'fd00:10:'),
  )
  if (found?.source === undefined) throw new Error(`node${index} has no address on ${GATEWAY}`)
  return ip(found.source)
}

function place(name: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', pod = ''] = name.split('/')
  return { namespace, name: pod }
}

if (import.meta.main) await runScenario(guests)
