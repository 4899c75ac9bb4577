import { expect, test } from 'bun:test'
import { weftBindings } from '../../compat/bindings.ts'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../compat/multus/attachment-definition.ts'
import { SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { KubeRegistry } from '../../kube/registry.ts'
import { PODS } from '../../kube/resources.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { PLAIN } from '../../text/look.ts'
import { explainChoice, isServed } from './explain.ts'
import { gatherIpam } from './gather.ts'
import { printChoice } from './print.ts'

const SETTINGS = { installNamespace: 'kube-system', families: new Set([4, 6] as const), hasSubnets: true }

async function cluster(annotations: Readonly<Record<string, string>>): Promise<MemoryApi> {
  const api = new MemoryApi()
  const pool = async (name: string, spec: object) => {
    const apiVersion = 'spiderpool.spidernet.io/v2beta1'
    await api.create(SPIDER_IP_POOLS, { apiVersion, kind: 'SpiderIPPool', metadata: { name }, spec })
  }
  await pool('front', {
    subnet: '172.18.0.0/16',
    ips: ['172.18.30.131-172.18.30.140'],
    multusName: ['kube-system/ovs-conf'],
  })
  await pool('elsewhere', { subnet: '172.18.0.0/16', ips: ['172.18.31.1'], nodeName: ['n2'] })
  await pool('off', { subnet: '172.18.0.0/16', ips: ['172.18.32.1'], disable: true })
  await api.create(NETWORK_ATTACHMENT_DEFINITIONS, {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { name: 'ovs-conf', namespace: 'kube-system' },
    spec: {
      config: JSON.stringify({
        cniVersion: '0.3.1',
        name: 'ovs-conf',
        plugins: [
          { type: 'ovs', bridge: 'br1', ipam: { type: 'spiderpool', default_ipv4_ippool: ['off', 'front'] } },
          { type: 'coordinator' },
        ],
      }),
    },
  })
  await api.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'shop', annotations },
    spec: { nodeName: 'n1' },
  })
  return api
}

async function explained(annotations: Readonly<Record<string, string>>, ifname = 'eth0') {
  const api = await cluster(annotations)
  const choice = await explainChoice(
    new KubeRegistry(api, weftBindings),
    await gatherIpam(api),
    'shop/web-1',
    ifname,
    SETTINGS,
  )
  return { choice, text: printChoice(choice, PLAIN).join('\n') }
}

const DEFAULT_NETWORK = { 'v1.multus-cni.io/default-network': 'kube-system/ovs-conf' }

test('what the pod names, and why some of it is not taken from', async () => {
  const named = { 'ipam.spidernet.io/ippool': '{"ipv4":["elsewhere","off","front","nowhere"]}' }
  const { choice, text } = await explained({ ...named, ...DEFAULT_NETWORK })
  expect(isServed(choice)).toBe(true)
  expect(text).toContain('shop/web-1, interface eth0, on node n1, network kube-system/ovs-conf')
  expect(text).toContain('annotation ipam.spidernet.io/ippool of the pod')
  expect(text).toContain('✔ front: 10 free')
  expect(text).toContain('✘ elsewhere: is not for node n1 (spec.nodeName)')
  expect(text).toContain('✘ off: is disabled (spec.disable)')
  expect(text).toContain('✘ nowhere: does not exist')
  expect(text).toContain('It has no address of a pool.')
})

test('what the network’s configuration names', async () => {
  const { choice, text } = await explained(DEFAULT_NETWORK)
  expect(text).toContain('Pools are named by: network configuration')
  expect(choice.families[0]?.candidates).toEqual([{ pool: 'front', free: 10n }])
})

test('another interface', async () => {
  const { choice } = await explained({ 'k8s.v1.cni.cncf.io/networks': 'kube-system/ovs-conf' }, 'net1')
  expect([choice.network, isServed(choice)]).toEqual(['kube-system/ovs-conf', true])
})

test('a pool that is for a network that nothing names', async () => {
  const { choice, text } = await explained({ 'ipam.spidernet.io/ippool': '{"ipv4":["front"]}' })
  expect(isServed(choice)).toBe(false)
  expect(text).toContain('front: is for named networks only (spec.multusName)')
})

test('an annotation that nobody understands', async () => {
  const { choice, text } = await explained({ 'ipam.spidernet.io/ippool': '{"ipv4":"front"}' })
  expect(isServed(choice)).toBe(false)
  expect(text).toContain('annotation ipam.spidernet.io/ippool of the pod: ipv4')
})

test('nothing names a pool', async () => {
  const { text } = await explained({})
  expect(text).toContain('Nothing names a pool')
})

test('a pod that is not there', async () => {
  const api = await cluster({})
  const asked = explainChoice(new KubeRegistry(api, weftBindings), await gatherIpam(api), 'shop/none', 'eth0', SETTINGS)
  await expect(asked).rejects.toThrow('there is no pod shop/none')
})
