/**
 * Services of the own tenant, of another one and of a global one, from pods, nodes and outside; affinity; endpoints that
 * leave under load; datagrams; and all of it once more with nftables in kube-proxy's place.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import { netnsPath, outsideAddress } from '../../src/playground/layout.ts'
import { type Answer, call, callSteadily, callTimes, UdpCaller } from '../lab/calls.ts'
import { run } from '../lab/command.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { addService, addSlice, clusterIps, label, ready, translateBy } from '../lab/services.ts'

const FAMILIES = [4, 6] as const
const HTTP = 80
const NODE_PORT = { cluster: 30080, local: 30081 }
const SHOP = ['shop/web', 'shop/cart', 'shop/db']
/** Where a pod seems to be called from by itself. */
const TURNED: readonly Ip[] = [ip('169.254.77.2'), ip('fd77:6566:7400::2')]

export const services: Scenario = {
  name: 'services',
  lab: {},
  steps: [
    { title: 'services get addresses, and endpoints as their pods are ready', run: setUp },
    { title: 'a tenant’s service answers its own pods, on every node, and sees their addresses', run: ownTenant },
    { title: 'other tenants do not reach it, the global tenant and nodes do', run: otherTenants },
    { title: 'a global service answers everybody', run: globalService },
    {
      title: 'node ports answer nodes, outsiders and the own tenant, and keep the client’s address under Local',
      run: nodePorts,
    },
    { title: 'no tenant’s own services and slices lead into another tenant', run: forgedEndpoints },
    { title: 'a service without endpoints refuses at once', run: empty },
    { title: 'affinity keeps a client at its endpoint; without it calls are spread', run: affinity },
    { title: 'an endpoint leaves under load, and no call fails', run: leaveUnderLoad },
    { title: 'datagrams, whole and in fragments, find their way there and back', run: datagrams },
    { title: 'a UDP client whose endpoint is gone is led to another', run: udpEndpointLeaves },
    { title: 'with nftables in kube-proxy’s place endpoints see the client’s own address too', run: kubeProxy },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function setUp({ lab, say }: StepContext): Promise<void> {
  for (const pod of SHOP) await label(lab, pod, { front: 'yes' })
  await label(lab, 'shop/web', { alone: 'yes' })
  await label(lab, 'default/monitor', { watch: 'yes' })
  const http = { name: 'http', protocol: 'TCP', port: HTTP, targetPort: 8080 }
  await addService(lab, 'shop/front', {
    type: 'NodePort',
    selector: { front: 'yes' },
    ports: [{ ...http, nodePort: NODE_PORT.cluster }],
  })
  await addService(lab, 'shop/alone', {
    type: 'NodePort',
    selector: { alone: 'yes' },
    externalTrafficPolicy: 'Local',
    ports: [{ ...http, nodePort: NODE_PORT.local }],
  })
  await addService(lab, 'shop/sticky', { selector: { front: 'yes' }, sessionAffinity: 'ClientIP', ports: [http] })
  await addService(lab, 'shop/empty', { selector: { front: 'nobody' }, ports: [http] })
  await addService(lab, 'shop/log', {
    selector: { front: 'yes' },
    ports: [{ name: 'log', protocol: 'UDP', port: 514, targetPort: 8080 }],
  })
  await addService(lab, 'default/watch', { selector: { watch: 'yes' }, ports: [http] })
  await ready(lab, 'shop/front', SHOP.length)
  await ready(lab, 'shop/log', SHOP.length)
  await ready(lab, 'shop/alone', 1)
  await ready(lab, 'default/watch', 1)
  for (const name of ['shop/front', 'shop/alone', 'default/watch']) {
    say(`${name}: ${(await clusterIps(lab, name)).join(', ')}`)
  }
  await known(lab)
}

/** Every agent has heard of the last service. */
function known(lab: Lab, atLeast = 6): Promise<void> {
  return eventually('every agent knows the services', async () => {
    const counts = await Promise.all([1, 2, 3].map(async (n) => (await lab.agent(n).status()).services))
    return counts.every((count) => count === Math.max(...counts) && count >= atLeast)
  })
}

async function ownTenant({ lab, say }: StepContext): Promise<void> {
  for (const client of ['shop/web', 'shop/db']) {
    for (const address of await clusterIps(lab, 'shop/front')) {
      const answers = await callTimes(place(lab, client), address, HTTP, 12)
      for (const { server, client: seen } of answers) {
        ok(SHOP.includes(server), `${server} answered`)
        const own = lab.address(client, familyOf(address))
        const expected = server === client ? TURNED : [own]
        ok(expected.includes(seen), `${server} saw ${seen} instead of ${own}`)
      }
      say(`${client} → ${address}: ${tally(answers)}`)
    }
  }
}

async function otherTenants({ lab, say }: StepContext): Promise<void> {
  for (const address of await clusterIps(lab, 'shop/front')) {
    for (const client of ['bank/ledger', 'bank/teller']) {
      equal(await call(place(lab, client), address, HTTP, 'none'), undefined, `${client} reached ${address}`)
      say(`${client} → ${address}: nobody answers`)
    }
    for (const client of ['default/monitor', 'node1', 'node3']) {
      const answers = await callTimes(place(lab, client), address, HTTP, 6)
      if (client.includes('/')) sees(answers, lab.address(client, familyOf(address)))
      say(`${client} → ${address}: ${tally(answers)}`)
    }
  }
}

async function globalService({ lab, say }: StepContext): Promise<void> {
  for (const address of await clusterIps(lab, 'default/watch')) {
    for (const client of ['shop/web', 'shop/db', 'bank/ledger', 'bank/vault', 'node2']) {
      const answers = await callTimes(place(lab, client), address, HTTP, 3)
      deepEqual([...new Set(answers.map(({ server }) => server))], ['default/monitor'])
      if (client.includes('/')) sees(answers, lab.address(client, familyOf(address)))
      say(`${client} → ${address}: ${tally(answers)}`)
    }
  }
}

async function nodePorts({ lab, say }: StepContext): Promise<void> {
  for (const family of FAMILIES) {
    const node1 = nodeAddress(lab, 1, family)
    const node2 = nodeAddress(lab, 2, family)
    for (const client of ['shop/db', 'node3', 'outside', 'default/monitor']) {
      const answers = await callTimes(place(lab, client), node2, NODE_PORT.cluster, 6)
      say(`${client} → ${node2} port ${NODE_PORT.cluster}: ${tally(answers)}`)
    }
    for (const client of ['bank/ledger', 'bank/teller']) {
      equal(await call(place(lab, client), node1, NODE_PORT.cluster, 'none'), undefined, `${client} reached ${node1}`)
    }
    say(`bank/ledger, bank/teller → ${node1} port ${NODE_PORT.cluster}: nobody answers`)
    const local = await callTimes(place(lab, 'outside'), node1, NODE_PORT.local, 3)
    sees(local, outsideAddress(family))
    say(`outside → ${node1} port ${NODE_PORT.local} (Local): ${tally(local)}`)
    equal(
      await call(place(lab, 'outside'), node2, NODE_PORT.local, 'none'),
      undefined,
      'a node without endpoint answered',
    )
    say(`outside → ${node2} port ${NODE_PORT.local} (Local, no endpoint there): refused`)
  }
}

/** Tenants may write services and slices. Every way a packet has been seen to take by them is walked once. */
async function forgedEndpoints({ lab, say }: StepContext): Promise<void> {
  const node2 = nodeAddress(lab, 2, 4)
  const http = { name: 'http', protocol: 'TCP', port: HTTP }
  await addService(lab, 'bank/pivot', { type: 'NodePort', ports: [{ ...http, nodePort: 30092 }] })
  await addSlice(lab, 'bank/pivot', lab.address('shop/db'), 8080)
  for (const [name, port] of [
    ['bank/by-own-port', 30092],
    ['bank/by-their-port', NODE_PORT.cluster],
  ] as const) {
    await addService(lab, name, { ports: [http] })
    await addSlice(lab, name, node2, port)
  }
  await addService(lab, 'shop/published', {
    type: 'NodePort',
    selector: { front: 'yes' },
    ports: [{ name: 'udp', protocol: 'UDP', port: 514, targetPort: 8080, nodePort: 30514 }],
  })
  await known(lab, 10)
  const second = ip('198.18.77.112')
  await lab.inside(lab.node(2).netns, 'ip', 'address', 'add', `${second}/24`, 'dev', 'br-phy')
  const pivot = await firstIp(lab, 'bank/pivot')
  const byOwn = await firstIp(lab, 'bank/by-own-port')
  const byTheirs = await firstIp(lab, 'bank/by-their-port')
  const ways: readonly (readonly [from: string, to: Ip, port: number])[] = [
    ['bank/ledger', pivot, HTTP],
    ['bank/ledger', byOwn, HTTP],
    ['bank/ledger', byTheirs, HTTP],
    ['bank/ledger', second, NODE_PORT.cluster],
    ['outside', nodeAddress(lab, 1, 4), 30092],
    ['node1', pivot, HTTP],
  ]
  for (const [from, to, port] of ways) {
    equal(await call(place(lab, from), to, port, 'none'), undefined, `${from} → ${to} port ${port}`)
    say(`${from} → ${to} port ${port}: nobody answers`)
  }
  for (const bytes of [100, 4000]) {
    const caller = new UdpCaller(place(lab, 'bank/ledger'), node2, 30514)
    equal(await caller.ask(bytes, 800), undefined, `${bytes} bytes`)
    caller.close()
    say(`bank/ledger → ${node2} port 30514, ${bytes} bytes: nobody answers`)
  }
  await lab.inside(lab.node(2).netns, 'ip', 'address', 'del', `${second}/24`, 'dev', 'br-phy')
  const [own] = await callTimes(place(lab, 'outside'), node2, NODE_PORT.cluster, 1)
  say(`outside → ${node2} port ${NODE_PORT.cluster}, as it should: ${own?.server} answers`)
}

async function firstIp(lab: Lab, service: string): Promise<Ip> {
  const address = (await clusterIps(lab, service)).find((each) => familyOf(each) === 4)
  if (address === undefined) throw new Error(`${service} has no IPv4 address`)
  return address
}

async function empty({ lab, say }: StepContext): Promise<void> {
  for (const address of await clusterIps(lab, 'shop/empty')) {
    const start = performance.now()
    equal(await call(place(lab, 'shop/web'), address, HTTP), undefined)
    const took = Math.round(performance.now() - start)
    // Without an answer the call would have been given up after three seconds.
    ok(took < 2000, `refused after ${took} ms`)
    say(`${address}: refused after ${took} ms`)
  }
}

async function affinity({ lab, say }: StepContext): Promise<void> {
  for (const address of await clusterIps(lab, 'shop/sticky')) {
    for (const client of ['shop/web', 'shop/cart', 'shop/db', 'default/monitor', 'node2']) {
      const answers = await callTimes(place(lab, client), address, HTTP, 10)
      equal(new Set(answers.map(({ server }) => server)).size, 1, `${client}: ${tally(answers)}`)
      say(`${client} → ${address}: ${tally(answers)}`)
    }
  }
  const [free] = await clusterIps(lab, 'shop/front')
  if (free === undefined) throw new Error('shop/front has no address')
  const spread = await callTimes(place(lab, 'default/monitor'), free, HTTP, 40)
  equal(new Set(spread.map(({ server }) => server)).size, SHOP.length, tally(spread))
  say(`without affinity, default/monitor → ${free}: ${tally(spread)}`)
}

async function leaveUnderLoad({ lab, say }: StepContext): Promise<void> {
  const [address] = await clusterIps(lab, 'shop/front')
  if (address === undefined) throw new Error('shop/front has no address')
  const loads = ['default/monitor', 'shop/db', 'node2'].map((client) => ({
    client,
    load: callSteadily(place(lab, client), address, HTTP, 4),
  }))
  await Bun.sleep(700)
  await label(lab, 'shop/cart', { front: null })
  await ready(lab, 'shop/front', SHOP.length - 1)
  await Bun.sleep(700)
  const before = loads.map(({ load }) => load.answers.get('shop/cart') ?? 0)
  await Bun.sleep(700)
  for (const [i, { client, load }] of loads.entries()) {
    await load.stop()
    const all = [...load.answers].sort().map(([server, count]) => `${server} ${count}`)
    say(`${client}: ${all.join(', ')}; ${load.failures} failed`)
    equal(load.failures, 0)
    ok((load.answers.get('shop/cart') ?? 0) > 0, 'the endpoint that left was never called')
    equal(load.answers.get('shop/cart') ?? 0, before[i], 'the endpoint that left is called still')
  }
  await label(lab, 'shop/cart', { front: 'yes' })
  await ready(lab, 'shop/front', SHOP.length)
}

async function datagrams({ lab, say }: StepContext): Promise<void> {
  for (const address of await clusterIps(lab, 'shop/log')) {
    for (const client of ['shop/web', 'shop/db', 'default/monitor', 'node1', 'node3']) {
      for (const bytes of [100, 4000]) {
        const caller = new UdpCaller(place(lab, client), address, 514)
        const answer = await caller.ask(bytes)
        caller.close()
        equal(answer?.bytes, bytes, `${client} → ${address}: ${bytes} bytes`)
        say(`${client} → ${address}, ${bytes} bytes: ${answer?.server} saw ${answer?.client}`)
      }
    }
    const stranger = new UdpCaller(place(lab, 'bank/ledger'), address, 514)
    equal(await stranger.ask(100, 600), undefined)
    stranger.close()
  }
}

async function udpEndpointLeaves({ lab, say }: StepContext): Promise<void> {
  const [address] = await clusterIps(lab, 'shop/log')
  if (address === undefined) throw new Error('shop/log has no address')
  const caller = new UdpCaller(place(lab, 'default/monitor'), address, 514)
  const first = await caller.ask(10)
  ok(first !== undefined, 'no answer')
  await label(lab, first.server, { front: null })
  // The pod is there and would answer: only the service does not lead to it any more.
  await eventually('another endpoint answers the same port', async () => {
    const next = await caller.ask(10)
    return next !== undefined && next.server !== first.server
  })
  say(`${first.server} left; the same source port is answered by ${(await caller.ask(10))?.server}`)
  caller.close()
  await label(lab, first.server, { front: 'yes' })
  await ready(lab, 'shop/log', SHOP.length)
}

async function kubeProxy({ lab, say }: StepContext): Promise<void> {
  await translateBy(lab, 'kube-proxy')
  try {
    for (const index of [1, 2, 3]) await standInForKubeProxy(lab, index, await clusterIps(lab, 'shop/front'))
    for (const address of await clusterIps(lab, 'shop/front')) {
      for (const client of ['shop/web', 'shop/db', 'default/monitor']) {
        const answers = await callTimes(place(lab, client), address, HTTP, 9)
        const others = answers.filter(({ server }) => server !== client)
        sees(others, lab.address(client, familyOf(address)))
        equal(new Set(answers.map(({ server }) => server)).size, SHOP.length)
        say(`${client} → ${address}: ${tally(answers)}`)
      }
      const fromNode = await callTimes(place(lab, 'node3'), address, HTTP, 6)
      say(`node3 → ${address}: ${tally(fromNode)}`)
      equal(await call(place(lab, 'bank/ledger'), address, HTTP, 'none'), undefined)
      say(`bank/ledger → ${address}: nobody answers`)
    }
  } finally {
    for (const index of [1, 2, 3]) await lab.inside(lab.node(index).netns, 'nft', 'delete', 'table', 'inet', 'stand-in')
    await translateBy(lab, 'weft')
  }
  const [address] = await clusterIps(lab, 'shop/front')
  if (address !== undefined)
    say(`back in the switch: ${tally(await callTimes(place(lab, 'shop/db'), address, HTTP, 6))}`)
}

/** What kube-proxy does for one service, by its rules: a random endpoint, and the node's address for its own calls. */
async function standInForKubeProxy(lab: Lab, index: number, addresses: readonly Ip[]): Promise<void> {
  const rules = addresses.map((address) => {
    const family = familyOf(address)
    const kind = family === 4 ? 'ip' : 'ip6'
    const endpoints = SHOP.map((pod, i) => `${i} : ${lab.address(pod, family)} . 8080`).join(', ')
    return `${kind} daddr ${address} tcp dport ${HTTP} dnat ${kind} to numgen inc mod ${SHOP.length} map { ${endpoints} }`
  })
  const masquerade = [
    ...SHOP.flatMap((pod) => FAMILIES.map((family) => [family === 4 ? 'ip' : 'ip6', lab.address(pod, family)])).map(
      ([kind, address]) => `ct status dnat ${kind} saddr ${address} ${kind} daddr ${address} masquerade`,
    ),
    'ct status dnat ip saddr != 10.128.0.0/14 masquerade',
    'ct status dnat ip6 saddr != fd00:10:128::/48 masquerade',
  ]
  const ruleset = `table inet stand-in {
  chain arriving { type nat hook prerouting priority -100;
    ${rules.join('\n    ')}
  }
  chain own { type nat hook output priority -100;
    ${rules.join('\n    ')}
  }
  chain leaving { type nat hook postrouting priority 90;
    ${masquerade.join('\n    ')}
  }
}
`
  const { netns } = lab.node(index)
  const { code, stderr } = await run(['ip', 'netns', 'exec', netns, 'nft', '-f', '-'], { input: ruleset })
  equal(code, 0, stderr)
  // A node has a default route, or its own calls to services would not even reach nftables.
  for (const family of FAMILIES) {
    await lab.inside(netns, 'ip', `-${family}`, 'route', 'replace', 'default', 'via', outsideAddress(family))
  }
}

/** The network namespace of `namespace/pod`, a node, or `outside`. */
function place(lab: Lab, name: string): string {
  if (name === 'outside') return netnsPath(lab.layout.outsideNetns)
  const node = /^node(\d+)$/.exec(name)?.[1]
  return netnsPath(node === undefined ? lab.netns(name) : lab.node(Number(node)).netns)
}

function nodeAddress(lab: Lab, index: number, family: 4 | 6): Ip {
  return lab.node(index).addresses[family === 4 ? 0 : 1]
}

function sees(answers: readonly Answer[], client: Ip): void {
  for (const answer of answers) equal(answer.client, client, `${answer.server} saw ${answer.client}`)
}

/** `shop/web saw 10.128.0.2 ×4, …` */
function tally(answers: readonly Answer[]): string {
  const counts = new Map<string, number>()
  for (const { server, client } of answers) {
    const key = `${server} saw ${client}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .sort()
    .map(([key, count]) => `${key} ×${count}`)
    .join(', ')
}

if (import.meta.main) await runScenario(services)
