/**
 * Machines outside that learn of the cluster by BGP: they call services, and pods, and pods call them, with their own addresses.
 */
import { equal, ok } from 'node:assert/strict'
import type { BirdKeeper } from '../../src/bird/keeper.ts'
import { BGP_CONFIGURATIONS, BGP_FILTERS, BGP_PEERS } from '../../src/compat/calico/bgp/resources.ts'
import { CALICO_IP_POOLS } from '../../src/compat/spiderpool/coordinator-sources.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { NETWORK_POLICIES, SERVICES } from '../../src/kube/resources.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import { netnsPath, outsideAddress } from '../../src/playground/layout.ts'
import { type Answer, call, callTimes } from '../lab/calls.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { BEHIND, ROUTER_AS, startRouter } from '../lab/router.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { addService, clusterIps, label, ready } from '../lab/services.ts'

const CALICO = 'crd.projectcalico.org/v1'
const FAMILIES = [4, 6] as const
const HTTP = 80
/** Where pods answer themselves. */
const POD_PORT = 8080
const EXTERNAL = ip('198.51.100.7')
const BALANCED = ip('192.0.2.40')

let router: BirdKeeper | undefined

export const bgpOutside: Scenario = {
  name: 'bgp-outside',
  lab: { fabric: 'bgp', nodes: 2 },
  steps: [
    { title: 'a router outside learns of services and pods', run: setUp },
    { title: 'it calls services by their own addresses', run: ownAddresses },
    { title: 'of a service under Local it is told by the nodes with endpoints, who see who calls', run: local },
    { title: 'external addresses and those of load balancers answer, also pods; nobody else takes them', run: others },
    { title: 'policies hold for what comes for a service', run: judged },
    { title: 'pods and machines outside call each other, and see each other’s own addresses', run: bothWays },
    { title: 'nobody outside is a pod or a node', run: spoofed },
    { title: 'a router that falls silent is left at once, where it is watched by BFD', run: watched },
    { title: 'without the router pods have their node’s address, and nobody outside calls them', run: gone },
    { title: 'where an IPPool says so pods keep their addresses, and everybody may call them', run: untranslated },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function setUp({ lab, say }: StepContext): Promise<void> {
  const api = lab.api()
  for (const family of FAMILIES) {
    const spec = { peerIP: outsideAddress(family), asNumber: ROUTER_AS, filters: ['outside'] }
    await api.create(BGP_PEERS, object('BGPPeer', `router${family}`, spec))
  }
  const accept = (family: 4 | 6) => [{ action: 'Accept', matchOperator: 'In', cidr: BEHIND[family].network }]
  await api.create(BGP_FILTERS, object('BGPFilter', 'outside', { importV4: accept(4), importV6: accept(6) }))
  const spec = {
    serviceClusterIPs: [{ cidr: '172.30.0.0/16' }, { cidr: 'fd00:172:30::/112' }],
    serviceExternalIPs: [{ cidr: '198.51.100.0/24' }],
    serviceLoadBalancerIPs: [{ cidr: '192.0.2.32/27' }],
  }
  await api.create(BGP_CONFIGURATIONS, object('BGPConfiguration', 'default', spec))
  router = await startRouter(lab)
  await label(lab, 'shop/web', { front: 'yes', alone: 'yes' })
  await label(lab, 'shop/db', { front: 'yes' })
  const http = { name: 'http', protocol: 'TCP', port: HTTP, targetPort: POD_PORT }
  await addService(lab, 'shop/front', { selector: { front: 'yes' }, ports: [http], externalIPs: [EXTERNAL] })
  await addService(lab, 'shop/alone', {
    type: 'LoadBalancer',
    selector: { alone: 'yes' },
    externalTrafficPolicy: 'Local',
    ports: [http],
  })
  const ingress = [{ ip: BALANCED }]
  const place = { namespace: 'shop', name: 'alone' }
  await api.patch(SERVICES, place, 'merge', { status: { loadBalancer: { ingress } } }, 'status')
  await ready(lab, 'shop/front', 2)
  await ready(lab, 'shop/alone', 1)
  for (const family of FAMILIES) {
    const networks =
      family === 4 ? ['10.128.', '172.30.0.0/16', '198.51.100.0/24', '192.0.2.32/27'] : ['fd00:172:30::/112']
    await eventually(`the router knows IPv${family} networks`, async () => {
      const routes = await routesOf(lab, family)
      return networks.every((network) => routes.includes(network))
    })
  }
  say((await routesOf(lab, 4)).trimEnd())
  say((await routesOf(lab, 6)).trimEnd())
  equal((await routesOf(lab, 4)).match(/172\.30\.0\.0\/16[^\n]*\n(?:\tnexthop[^\n]*\n){2}/g)?.length, 1)
}

async function ownAddresses({ lab, say }: StepContext): Promise<void> {
  for (const address of await clusterIps(lab, 'shop/front')) {
    const answers = await callTimes(outside(lab), address, HTTP, 6)
    say(`outside → ${address}: ${tally(answers)}`)
    for (const { server } of answers) ok(['shop/web', 'shop/db'].includes(server), server)
    // Whichever node it came by: an endpoint of another one has to answer by that.
    for (const { client } of answers)
      ok(/^(?:10\.1(?:28|29)\.\d+\.1|fd00:10:128:.*::1|fd00:10:128:.*1)$/.test(client), client)
  }
  const [address] = await clusterIps(lab, 'shop/front')
  equal(await call(outside(lab), address ?? EXTERNAL, 81, 'none'), undefined)
}

async function local({ lab, say }: StepContext): Promise<void> {
  const own = [...(await clusterIps(lab, 'shop/alone')), BALANCED]
  for (const address of own) {
    const node1 = lab.node(1).addresses[familyOf(address) === 4 ? 0 : 1]
    await eventually(`${address} is told by its node alone`, async () =>
      (await routesOf(lab, familyOf(address))).includes(`${address} via ${node1} `),
    )
    const answers = await callTimes(outside(lab), address, HTTP, 3)
    for (const answer of answers)
      equal(`${answer.server} ${answer.client}`, `shop/web ${outsideAddress(familyOf(address))}`)
    say(`outside → ${address}: ${tally(answers)}`)
  }
  await label(lab, 'shop/web', { alone: null })
  await eventually('nobody tells of it', async () => !(await routesOf(lab, 4)).includes(`${BALANCED} `))
  await label(lab, 'shop/web', { alone: 'yes' })
  await eventually('its node tells of it', async () => (await routesOf(lab, 4)).includes(`${BALANCED} `))
}

async function others({ lab, say }: StepContext): Promise<void> {
  const http = { name: 'http', protocol: 'TCP', port: HTTP, targetPort: POD_PORT }
  await addService(lab, 'bank/thief', { selector: { app: 'x' }, ports: [http], externalIPs: [BALANCED] })
  for (const address of [EXTERNAL, BALANCED]) {
    for (const from of [outside(lab), netnsPath(lab.netns('shop/db')), netnsPath(lab.node(2).netns)])
      say(`${from.split('/').at(-1)} → ${address}: ${tally(await callTimes(from, address, HTTP, 2))}`)
    equal(await call(netnsPath(lab.netns('bank/ledger')), address, HTTP, 'none'), undefined)
  }
  await addService(lab, 'bank/rival', { selector: { app: 'x' }, ports: [http], externalIPs: [EXTERNAL] })
  await eventually('of two that claim it neither has it', async () => {
    return (await call(outside(lab), EXTERNAL, HTTP, 'none')) === undefined
  })
  await lab.api().delete(SERVICES, { namespace: 'bank', name: 'rival' })
  await eventually('it is there again', async () => (await call(outside(lab), EXTERNAL, HTTP, 'none')) !== undefined)
}

async function judged({ lab, say }: StepContext): Promise<void> {
  const metadata = { name: 'nobody', namespace: 'shop' }
  const spec = { podSelector: {}, policyTypes: ['Ingress'] }
  await lab
    .api()
    .create(NETWORK_POLICIES, { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec })
  const [own = EXTERNAL] = await clusterIps(lab, 'shop/front')
  for (const address of [own, EXTERNAL, BALANCED])
    await eventually(
      `${address} does not answer`,
      async () => (await call(outside(lab), address, HTTP, 'none')) === undefined,
    )
  const pod = lab.address('shop/web')
  equal(await call(outside(lab), pod, POD_PORT, 'none'), undefined)
  // Endpoints of both nodes, chosen anew each time.
  for (let i = 0; i < 6; i += 1) equal(await call(outside(lab), own, HTTP, 'none'), undefined)
  await lab.api().delete(NETWORK_POLICIES, metadata)
  await eventually('it answers again', async () => (await call(outside(lab), own, HTTP, 'none')) !== undefined)
  say('what a policy forbids stays forbidden, by whichever node it comes')
}

async function bothWays({ lab, say }: StepContext): Promise<void> {
  for (const family of FAMILIES) {
    for (const pod of ['shop/web', 'shop/db']) {
      const own = lab.address(pod, family)
      const from = netnsPath(lab.netns(pod))
      const behind = ip(BEHIND[family].address)
      const [answer] = await callTimes(outside(lab), own, POD_PORT, 1)
      equal(`${answer?.server} ${answer?.client}`, `${pod} ${outsideAddress(family)}`)
      for (const to of [behind, outsideAddress(family)]) {
        await eventually(
          `${pod} is seen as itself by ${to}`,
          async () => (await call(from, to, POD_PORT))?.client === own,
        )
      }
      const pinged = await lab.inside(
        lab.layout.outsideNetns,
        'ping',
        '-n',
        '-c',
        '2',
        '-i',
        '0.2',
        '-W',
        '2',
        '-I',
        behind,
        own,
      )
      equal(pinged.code, 0, pinged.stdout)
      say(`${behind} ↔ ${own}: each sees the other’s own address`)
    }
  }
}

async function spoofed({ lab, say }: StepContext): Promise<void> {
  const netns = lab.layout.outsideNetns
  for (const family of FAMILIES) {
    const target = lab.address('shop/web', family)
    const [, node2] = [1, 2].map((index) => lab.node(index).addresses[family === 4 ? 0 : 1])
    // Of the same node: whose segment it is on may say that it is another node's pod (docs/security.md).
    const pod = family === 4 ? '10.128.1.77' : target.replace(/[^:]*$/, '7777')
    const beyond = family === 4 ? '192.0.2.99' : '2001:db8:99::9'
    const bits = family === 4 ? 32 : 128
    for (const source of [pod, node2 ?? '', beyond]) {
      const before = await heard(lab, source)
      await lab.inside(netns, 'ip', 'address', 'add', `${source}/${bits}`, 'dev', 'lo', 'nodad')
      await lab.inside(netns, 'ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '-I', source, target)
      await lab.inside(netns, 'ip', 'address', 'del', `${source}/${bits}`, 'dev', 'lo')
      equal(await heard(lab, source), before)
      say(`${source} → ${target}: nobody hears it`)
    }
  }
}

/** Echo requests that a pod's stack has counted. */
async function heard(lab: Lab, source: string): Promise<string> {
  const family = source.includes(':') ? 6 : 4
  const netns = lab.netns('shop/web')
  const { stdout } = await lab.inside(netns, 'cat', family === 4 ? '/proc/net/snmp' : '/proc/net/snmp6')
  if (family === 6) return /Icmp6InEchos\s+(\d+)/.exec(stdout)?.[1] ?? ''
  const [names = [], values = []] = stdout
    .split('\n')
    .filter((line) => line.startsWith('Icmp:'))
    .map((line) => line.split(' '))
  return values[names.indexOf('InEchos')] ?? ''
}

async function watched({ lab, say }: StepContext): Promise<void> {
  const annotations = { 'weft.dev/bfd': 'on' }
  for (const family of FAMILIES)
    await lab.api().patch(BGP_PEERS, { name: `router${family}` }, 'merge', { metadata: { annotations } })
  await router?.end()
  router = await startRouter(lab, { bfd: true })
  const shown = async (): Promise<string> => (await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)).stdout
  await eventually('every node watches the router', async () => (await shown()).match(/BFD up/g)?.length === 4)
  say(/.*BFD up.*/.exec(await shown())?.[0] ?? '')
  const { netns } = lab.node(1)
  const rules = (await lab.inside(netns, 'nft', 'list', 'table', 'inet', 'weft')).stdout
  ok(/udp dport \{ 3784, 4784 \} ip saddr != @watched4/.test(rules), rules)
  const known = async (): Promise<boolean> =>
    (await lab.inside(netns, 'ip', 'route', 'show', 'table', '22356')).stdout.includes(BEHIND[4].network)
  await eventually('it is known what is behind the router', known)
  const silence =
    'add table inet silence; add chain inet silence out { type filter hook output priority 0; policy drop; }'
  await lab.inside(lab.layout.outsideNetns, 'nft', silence)
  const start = performance.now()
  await eventually('the router is left', async () => !(await known()), 15_000)
  say(`a silent router’s routes went after ${Math.round(performance.now() - start)} ms`)
  await lab.inside(lab.layout.outsideNetns, 'nft', 'delete table inet silence')
  await eventually('it is known again', known, 60_000)
}

async function untranslated({ lab, say }: StepContext): Promise<void> {
  const [pod, own] = ['shop/web', lab.address('shop/web')]
  const spec = { cidr: '10.128.0.0/14', natOutgoing: false }
  await lab.api().create(CALICO_IP_POOLS, object('IPPool', 'pods', spec))
  await eventually(`${pod} has its own address outside`, async () => {
    return (await call(netnsPath(lab.netns(pod)), outsideAddress(4), POD_PORT))?.client === own
  })
  const [answer] = await callTimes(outside(lab), own, POD_PORT, 1)
  equal(`${answer?.server} ${answer?.client}`, `${pod} ${outsideAddress(4)}`)
  await lab.api().delete(CALICO_IP_POOLS, { name: 'pods' })
  await eventually(
    'nobody outside calls it',
    async () => (await call(outside(lab), own, POD_PORT, 'none')) === undefined,
  )
  say(`${outsideAddress(4)} ↔ ${own}, without BGP`)
}

async function gone({ lab, say }: StepContext): Promise<void> {
  await router?.end()
  const pod = lab.address('shop/web')
  await eventually('pods have their node’s address', async () => {
    const answer = await call(netnsPath(lab.netns('shop/web')), outsideAddress(4), POD_PORT)
    return answer?.client === lab.node(1).addresses[0]
  })
  await lab.inside(lab.layout.outsideNetns, 'ip', 'route', 'replace', '10.128.0.0/14', 'via', lab.node(1).addresses[0])
  equal(await call(outside(lab), pod, POD_PORT, 'none'), undefined)
  say(`${outsideAddress(4)} → ${pod}: nobody answers`)
  const { netns } = lab.node(1)
  equal((await lab.inside(netns, 'ip', 'route', 'show', 'table', '22356', 'proto', 'bird')).stdout, '')
}

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: CALICO, kind, metadata: { name }, spec }
}

function outside(lab: Lab): string {
  return netnsPath(lab.layout.outsideNetns)
}

/** What the router's kernel learned. */
async function routesOf(lab: Lab, family: 4 | 6): Promise<string> {
  return (await lab.inside(lab.layout.outsideNetns, 'ip', `-${family}`, 'route', 'show', 'proto', 'bird')).stdout
}

function tally(answers: readonly Answer[]): string {
  return answers
    .map(({ server, client }: { readonly server: string; readonly client: Ip }) => `${server} saw ${client}`)
    .join(', ')
}

if (import.meta.main) await runScenario(bgpOutside)
