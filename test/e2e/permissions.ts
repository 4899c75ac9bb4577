/**
 * What agent and controller ask the API server for is what their roles allow: nothing is missing, and what agents may do
 * they do. What the controller may do beside that, a real API server shows (test/kube/permissions.test.ts).
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import { covers } from '../../src/compat/permission.ts'
import { PERMISSIONS, REFUSED } from '../../src/compat/permissions.ts'
import { SPIDER_IP_POOLS } from '../../src/compat/spiderpool/resources.ts'
import { NODE_REPORTS } from '../../src/compat/weft/node-report.ts'
import { callOf, type KubeCall, type RequestLine } from '../../src/kube/call.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { PODS } from '../../src/kube/resources.ts'
import { cidr, ip, type Mac } from '../../src/network/model/address.ts'
import { type ApiProxy, throughProxies } from '../lab/api-proxy.ts'
import { setFabric } from '../lab/fabric.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { Container } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const permissions: Scenario = {
  name: 'permissions',
  lab: { nodes: 1, physical: '172.18.0.0/16' },
  steps: [
    { title: 'agent and controller do what they ever do', run: everything },
    { title: 'what agents ask for is allowed to them', run: (context) => allowed(context, 'agent') },
    { title: 'what controllers ask for is allowed to them', run: (context) => allowed(context, 'controller') },
    { title: 'what agents are allowed, they ask for', run: used },
  ],
}

const ROLES = { agent: 'node1-agent', controller: 'controller' } as const
type Daemon = keyof typeof ROLES
const MAC = 'fa:16:3e:00:00:01' as Mac
const BGP_KINDS = ['bgpconfigurations', 'bgpfilters', 'bgppeers', 'ippools']
let proxies: ReadonlyMap<string, ApiProxy>

async function everything(context: StepContext): Promise<void> {
  const { lab } = context
  proxies = await throughProxies(lab, Object.values(ROLES))
  await eventually('the agent is ready', async () => (await lab.agent(1).status()).ready)
  await lab.change('namespace', 'add', 'new')
  await lab.change('pod', 'add', 'new/one', '--node', 'node1')
  await lab.tenant('join', 'new', '--to', 'shop')
  await lab.tenant('join', 'new', '--to', 'nowhere')
  await lab.api().patch(PODS, { namespace: 'new', name: 'one' }, 'merge', {
    metadata: { annotations: { 'kubernetes.io/ingress-bandwidth': 'much' } },
  })
  await eventually('the pod’s wish was refused', () => hasDone('agent', 'create', 'events'))
  // A namespace that does not come: the agent asks why.
  const container = new Container(lab, 'stranger').create()
  try {
    equal((await container.call('ADD', { namespace: 'nobody' })).code, 1)
  } finally {
    container.remove()
  }
  await lab.change('pod', 'delete', 'new/one')
  await lab.change('namespace', 'delete', 'new')
  await onTheWire(lab)
  // Who speaks BGP with whom is asked only where the fabric is that.
  await setFabric(lab, { way: 'bgp', otherwise: 'tunnel' })
  for (const kind of BGP_KINDS) await eventually(`the agent reads ${kind}`, () => hasDone('agent', 'watch', kind))
  await setFabric(lab, { way: 'tunnel', otherwise: 'tunnel' })
  await portsOfOpenStack(lab)
  // An agent makes its report when there is none.
  await lab.api().delete(NODE_REPORTS, { name: 'node1' })
  lab.restart(ROLES.agent)
  await eventually('the agent reports', () => hasDone('agent', 'create', 'nodereports'))
  await eventually('the namespace is gone', () => hasDone('controller', 'delete', 'netnamespaces'))
}

/** A pod with a fixed address comes and goes, and another asks for a network that is not there. */
async function onTheWire(lab: Lab): Promise<void> {
  const api = lab.api()
  await api.create(SPIDER_IP_POOLS, {
    apiVersion: 'spiderpool.spidernet.io/v2beta1',
    kind: 'SpiderIPPool',
    metadata: { name: 'fixed' },
    spec: { subnet: '172.18.0.0/16', ips: ['172.18.30.1-172.18.30.9'], default: true },
  } as KubeObject)
  const plugins = [{ type: 'ovs', bridge: 'br1', vlan: 0, ipam: { type: 'spiderpool' } }]
  await api.create(NETWORK_ATTACHMENT_DEFINITIONS, {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { name: 'wire', namespace: 'kube-system' },
    spec: { config: JSON.stringify({ cniVersion: '1.0.0', name: 'wire', plugins }) },
  } as KubeObject)
  for (const network of ['wire', 'none']) {
    await api.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: network,
        namespace: 'shop',
        annotations: { 'v1.multus-cni.io/default-network': `kube-system/${network}` },
      },
      spec: { nodeName: 'node1', containers: [{ name: 'c', image: 'none' }] },
    } as KubeObject)
  }
  await eventually('the pod was told its networks', () => hasDone('agent', 'patch', 'pods', 'status'))
  await eventually('a network was looked for', () => hasDone('agent', 'get', 'network-attachment-definitions'))
  await lab.ovs(lab.node(1), 'ovs-vsctl', '--timeout=15', 'add-br', 'another')
  await eventually('the node has another bridge', () => hasDone('agent', 'patch', 'nodes', 'status'))
  for (const name of ['wire', 'none']) await api.delete(PODS, { namespace: 'shop', name })
  await eventually('the address was given back', () => hasDone('agent', 'delete', 'addressclaims'))
}

/** Ports are prepared for the node, and wanted back. */
async function portsOfOpenStack(lab: Lab): Promise<void> {
  const registry = lab.registry()
  const pools = (withdrawn: { withdrawn?: true }) => [
    {
      ...{ network: 'pods', networkId: 'n', mode: 'pair' as const, mtu: 1442, groups: [] },
      parent: { portId: 'p', mac: MAC },
      subnets: [{ id: 's', cidr: cidr('10.244.1.0/24'), routes: [], nameservers: [] }],
      ports: [{ id: 'a', mac: MAC, addresses: [{ address: ip('10.244.1.5'), subnetId: 's' }], ...withdrawn }],
    },
  ]
  const made = await registry.create('NodePorts', 'node1', { node: 'node1', pools: pools({}), problems: [] })
  await eventually('the agent says what it does with its ports', () => hasDone('agent', 'create', 'portuses'))
  const withdrawn = { node: 'node1', pools: pools({ withdrawn: true }), problems: [] }
  await registry.update('NodePorts', 'node1', withdrawn, made.revision)
  await eventually('the agent gives a port back', () => hasDone('agent', 'patch', 'portuses'))
}

function allowed(context: StepContext, account: Daemon): void {
  const calls = callsOf(account)
  ok(calls.length > 10)
  const missing = calls.filter((call) => !PERMISSIONS[account].some((one) => covers(one, call)))
  deepEqual(missing.map(describe), [])
  context.say(`${account}: ${calls.length} kinds of call`)
}

/** Writing the same event again, and two who want one address or one who comes again for its own, need time or luck. */
const RARE: ReadonlySet<string> = new Set([
  ...['patch events', 'get addressclaims', 'patch addressclaims'],
  // Whoever asks `weft status` in an agent's pod does this in its name.
  ...REFUSED.map(({ plural }) => `list ${plural}`),
])

function used(): void {
  const calls = callsOf('agent')
  const unused = PERMISSIONS.agent.flatMap((one) =>
    one.verbs
      .filter((verb) => !calls.some((call) => covers({ ...one, verbs: [verb] }, call)))
      .map((verb) => `${verb} ${one.resource.plural}`),
  )
  deepEqual(
    unused.filter((one) => !RARE.has(one)),
    [],
  )
}

function hasDone(account: Daemon, verb: string, resource: string, subresource?: string): boolean {
  return callsOf(account).some(
    (call) => call.verb === verb && call.resource === resource && call.subresource === subresource,
  )
}

/** Each kind of call once. */
function callsOf(account: Daemon): readonly KubeCall[] {
  const lines = proxies.get(ROLES[account])?.passages.map(({ line }) => line) ?? []
  const calls = new Map(
    lines
      .flatMap((line) => requestOf(line) ?? [])
      .flatMap((request) => {
        const call = callOf(request)
        return call === undefined ? [] : [[describe(call), call] as const]
      }),
  )
  return [...calls.values()]
}

function requestOf(line: string): RequestLine | undefined {
  const [method = '', address = ''] = line.split(' ')
  const { pathname, searchParams } = new URL(address, 'http://server')
  return { method: method as RequestLine['method'], path: pathname, query: Object.fromEntries(searchParams) }
}

function describe({ verb, group, resource, subresource, namespace, name }: KubeCall): string {
  const what = [resource, subresource].filter((part) => part !== undefined).join('/')
  return [verb, `${what}.${group}`, namespace, name].filter((part) => part !== undefined).join(' ')
}

if (import.meta.main) await runScenario(permissions)
