import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonObject, parseArgs } from '../../cni/index.ts'
import { checkReadiness, planCall } from './plan-call.ts'
import { addCall, resolvingBy } from './testing/call.ts'

const RESOLVING = resolvingBy({}, { clusterNetwork: 'mine', configDir: '/mine' })
const MULTUS = { cniVersion: '0.3.1', name: 'multus-cni-network', clusterNetwork: 'kube-system/ovs-conf' }

test('by our own name the node’s settings say what a pod gets', () => {
  expect(planCall('weft', { name: 'weft' }, RESOLVING)).toEqual({ kind: 'networks', resolving: RESOLVING, path: [] })
})

test.each(['multus', 'multus-shim'])('as %s its configuration does', (program) => {
  const config = {
    ...MULTUS,
    defaultNetworks: ['d'],
    confDir: '/c',
    binDir: '/b',
    multusNamespace: 'm',
    namespaceIsolation: true,
  }
  expect<unknown>(planCall(program, config, RESOLVING)).toMatchObject({
    kind: 'networks',
    path: ['/b'],
    resolving: {
      grants: RESOLVING.grants,
      defaults: {
        clusterNetwork: 'kube-system/ovs-conf',
        defaultNetworks: ['d'],
        namespace: 'm',
        configDir: '/c',
        systemNamespaces: ['kube-system'],
        isolation: { globalNamespaces: new Set(['default']) },
      },
    },
  })
})

test('networks in full are taken as they are', () => {
  const delegates = [
    { cniVersion: '1.0.0', name: 'a', type: 'x' },
    { cniVersion: '1.0.0', name: 'b', plugins: [{ type: 'y' }] },
  ]
  expect<unknown>(planCall('multus', { name: 'n', delegates }, RESOLVING)).toMatchObject({
    resolving: { defaults: { clusterNetwork: 'a', defaultNetworks: ['b'], delegates: [{ name: 'a' }, { name: 'b' }] } },
  })
})

test('nothing is attached before the file is there that says so', () => {
  const waiting = planCall('multus', { ...MULTUS, readinessindicatorfile: '/nonexistent/ready' }, RESOLVING)
  expect(() => checkReadiness(waiting)).toThrow('/nonexistent/ready is not there yet')
  checkReadiness(planCall('multus', { ...MULTUS, readinessindicatorfile: import.meta.path }, RESOLVING))
  checkReadiness(planCall('multus', MULTUS, RESOLVING))
})

test('what is wrong with it is refused', () => {
  expect(() => planCall('multus', { name: 'n' }, RESOLVING)).toThrow('clusterNetwork: is missing')
})

test('one plugin for itself', () => {
  expect(planCall('ifacer', { name: 'n', type: 'ifacer', prevResult: {} }, RESOLVING)).toMatchObject({
    kind: 'plugin',
    plugin: { name: 'n', type: 'ifacer' },
  })
})

test('what is about a Multus’s own files and its retries changes nothing', () => {
  const more = { cniDir: '/mine', retryDeleteOnError: true, logFile: '/x', logLevel: 'debug', kubeconfig: '/k' }
  expect(planCall('multus', { ...MULTUS, ...more }, RESOLVING)).toEqual(planCall('multus', MULTUS, RESOLVING))
})

describe('one plugin’s configuration is an administrator’s where a file of the node has it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-networks-files-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const ovs = { type: 'ovs', bridge: 'br1', vlan: 7, ipam: { type: 'spiderpool' } }
  const list = { cniVersion: '1.0.0', name: 'wire', plugins: [{ type: 'other' }, ovs] }
  writeFileSync(join(folder, '00-broken.conf'), '{')
  writeFileSync(join(folder, '05-nothing.json'), 'null')
  writeFileSync(join(folder, '10-wire.conflist'), JSON.stringify(list))
  writeFileSync(join(folder, '20-single.conf'), JSON.stringify({ ...ovs, name: 'single', bridge: 'br2' }))
  writeFileSync(join(folder, '30-note.txt'), JSON.stringify({ ...ovs, name: 'note' }))

  const runtime = {
    cniVersion: '1.0.0',
    runtimeConfig: { portMappings: [], bandwidth: {} },
    prevResult: {},
  }
  test.each<[string, JsonObject, 'node' | 'caller']>([
    ['a plugin of a list', { ...ovs, name: 'wire' }, 'node'],
    ['a single one', { ...ovs, name: 'single', bridge: 'br2' }, 'node'],
    [
      'with its keys in another order',
      { vlan: 7, ipam: { type: 'spiderpool' }, name: 'wire', bridge: 'br1', type: 'ovs' },
      'node',
    ],
    ['with what a runtime adds', { ...ovs, name: 'wire', ...runtime }, 'node'],
    [
      'with a MAC address that the pod chose',
      { ...ovs, name: 'wire', runtimeConfig: { mac: '02:00:00:00:00:01' } },
      'caller',
    ],
    ['with addresses that the pod chose', { ...ovs, name: 'wire', runtimeConfig: { ips: [] } }, 'caller'],
    ['with words of the pod', { ...ovs, name: 'wire', args: { cni: { mac: 'x' } } }, 'caller'],
    ['on another bridge', { ...ovs, name: 'wire', bridge: 'br2' }, 'caller'],
    ['with a key more', { ...ovs, name: 'wire', mtu: 9000 }, 'caller'],
    ['with a key less', { type: 'ovs', name: 'wire', bridge: 'br1', vlan: 7 }, 'caller'],
    ['with another key inside', { ...ovs, name: 'wire', ipam: { type: 'spiderpool', clean_gateway: true } }, 'caller'],
    ['of another network', { ...ovs, name: 'other' }, 'caller'],
    ['without a name', ovs, 'caller'],
    ['of a file that is no configuration', { ...ovs, name: 'note' }, 'caller'],
  ])('%s', (_, config, kind) => {
    const plan = planCall('ovs', config, RESOLVING, folder)
    if (plan.kind !== 'plugin') throw new Error('it is about one plugin')
    expect(plan.wanted(addCall({ ...config, cniVersion: '1.0.0', name: 'wire' })).origin).toEqual({ kind })
  })

  test.each<[string, JsonObject, string, 'node' | 'caller']>([
    ['of a pod', {}, ';K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart;mac=02:00:00:00:00:01', 'caller'],
    ['of a pod for OVN', {}, ';K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart;OvnPort=p', 'caller'],
    // Whoever runs containers without Kubernetes is an administrator.
    ['of no pod', {}, ';MAC=02:00:00:00:00:01', 'node'],
    ['of no pod, in the configuration', { runtimeConfig: { mac: 'x' }, args: { cni: {} } }, '', 'node'],
  ])('words in CNI_ARGS %s', (_, more, args, kind) => {
    const plan = planCall('ovs', { ...ovs, name: 'wire', ...more }, RESOLVING, folder)
    if (plan.kind !== 'plugin') throw new Error('it is about one plugin')
    expect(plan.wanted({ ...addCall(), args: parseArgs(`IgnoreUnknown=1${args}`) }).origin).toEqual({ kind })
  })

  test('without the folder it is nobody’s', () => {
    const plan = planCall('ovs', { ...ovs, name: 'wire' }, RESOLVING, join(folder, 'none'))
    if (plan.kind !== 'plugin') throw new Error('it is about one plugin')
    expect(plan.wanted(addCall()).origin).toEqual({ kind: 'caller' })
  })
})
