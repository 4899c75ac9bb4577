import { expect, test } from 'bun:test'
import { CniError, formatArgs, type JsonObject, networkListOf, parseArgs } from '../../cni/index.ts'
import { delegateArgs, delegateConfigs } from './delegate-request.ts'
import { parseNetworks } from './networks.ts'
import type { NetworkSelection } from './selection.ts'

function listOf(...plugins: readonly object[]) {
  return networkListOf(JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins }), 'unused')
}

function selectionOf(fields: object): NetworkSelection {
  const [selection] = parseNetworks(JSON.stringify([{ name: 'a', ...fields }]), 'pods')
  if (selection === undefined) throw new Error('nothing was asked for')
  return selection
}

const head = { name: 'net', cniVersion: '1.0.0' }

test('each plugin gets what it declares, under the name and version of the list', () => {
  const list = listOf(
    { type: 'macvlan', master: 'eth0', capabilities: { ips: true, mac: false } },
    { type: 'tuning', capabilities: { mac: true, bandwidth: true } },
    { type: 'portmap' },
  )
  const selection = selectionOf({ mac: '02:00:00:00:00:01', ips: ['10.0.0.5/24'] })
  expect<unknown>(delegateConfigs(list, { selection })).toEqual([
    { type: 'macvlan', master: 'eth0', ...head, runtimeConfig: { ips: ['10.0.0.5/24'] } },
    { type: 'tuning', ...head, runtimeConfig: { mac: '02:00:00:00:00:01' } },
    { type: 'portmap', ...head },
  ])
})

test('what only a runtime may say is not taken from the author of a network', () => {
  const list = listOf({
    type: 'x',
    runtimeConfig: { mac: '02:00:00:00:00:01' },
    prevResult: {},
    'cni.dev/valid-attachments': [],
    args: { cni: { a: 1 } },
  })
  expect<unknown>(delegateConfigs(list, {})).toEqual([{ type: 'x', ...head, args: { cni: { a: 1 } } }])
})

test('the first network gets what the runtime asks for; what it does not declare is left out', () => {
  const list = listOf({ type: 'x', capabilities: { bandwidth: true, mac: true } })
  const runtimeConfig: JsonObject = { bandwidth: { ingressRate: 1 }, portMappings: [], mac: '02:00:00:00:00:01' }
  expect<unknown>(delegateConfigs(list, { runtimeConfig })[0]).toMatchObject({
    runtimeConfig: { bandwidth: { ingressRate: 1 }, mac: '02:00:00:00:00:01' },
  })
  const selection = selectionOf({ mac: '02:00:00:00:00:02' })
  expect<unknown>(delegateConfigs(list, { runtimeConfig, selection })[0]).toMatchObject({
    runtimeConfig: { bandwidth: { ingressRate: 1 }, mac: '02:00:00:00:00:02' },
  })
})

test.each<[string, object, string]>([
  ['mac', { mac: '02:00:00:00:00:01' }, 'mac'],
  ['ips', { ips: ['10.0.0.5'] }, 'ips'],
  ['bandwidth', { bandwidth: { ingressRate: 1 } }, 'bandwidth'],
  ['portMappings', { portMappings: [{ hostPort: 1, containerPort: 2 }] }, 'portMappings'],
  ['infiniband-guid', { 'infiniband-guid': 'c2:11:22:33:44:55:66:77' }, 'infinibandGUID'],
  ['deviceID', { deviceID: '0000:03:02.1' }, 'deviceID'],
])('%s that no plugin declares is refused, and is not where one does', (field, fields, capability) => {
  const selection = selectionOf(fields)
  const silent = listOf({ type: 'x', capabilities: { [capability]: false } }, { type: 'y' })
  const words = `annotation k8s.v1.cni.cncf.io/networks of the pod: [0].${field}: cannot be asked for: no plugin of the network declares the capability ${capability}`
  expect(refusal(() => delegateConfigs(silent, { selection }))).toBe(words)
  const declaring = listOf({ type: 'x' }, { type: 'y', capabilities: { [capability]: true } })
  expect(delegateConfigs(declaring, { selection })).toHaveLength(2)
})

test.each<[string, object, object]>([
  ['ovs', { type: 'ovs' }, { mac: '02:00:00:00:00:01' }],
  ['macvlan', { type: 'macvlan' }, { mac: '02:00:00:00:00:01' }],
  ['bridge', { type: 'bridge' }, { mac: '02:00:00:00:00:01' }],
  ['static', { type: 'x', ipam: { type: 'static' } }, { ips: ['10.0.0.5/24'] }],
  ['host-local', { type: 'x', ipam: { type: 'host-local' } }, { ips: ['10.0.0.5'] }],
])('%s reads its word from CNI_ARGS without declaring it', (_, plugin, fields) => {
  expect(delegateConfigs(listOf(plugin), { selection: selectionOf(fields) })).toHaveLength(1)
  expect(refusal(() => delegateConfigs(listOf(plugin), { selection: selectionOf({ deviceID: 'x' }) }))).toContain(
    'deviceID',
  )
})

test('cni-args are merged into args.cni of every plugin, in place of equal keys', () => {
  const list = listOf({ type: 'x', args: { other: 1, cni: { kept: 1, changed: 1 } } }, { type: 'y' })
  const selection = selectionOf({ 'cni-args': { changed: 2, added: { deep: true } } })
  expect<unknown>(delegateConfigs(list, { selection })).toEqual([
    { type: 'x', ...head, args: { other: 1, cni: { kept: 1, changed: 2, added: { deep: true } } } },
    { type: 'y', ...head, args: { cni: { changed: 2, added: { deep: true } } } },
  ])
})

test('cni-args that cannot be merged are refused by the name of the network', () => {
  const selection = selectionOf({ 'cni-args': { a: 1 } })
  expect(refusal(() => delegateConfigs(listOf({ type: 'x', args: 'text' }), { selection }))).toBe(
    'invalid network configuration: net: args: must be an object',
  )
})

test('CNI_ARGS name the pod; what the runtime wishes by them is for its first network', () => {
  const args = parseArgs('IgnoreUnknown=1;K8S_POD_NAMESPACE=pods;K8S_POD_NAME=p;MAC=02:00:00:00:00:01;IP=10.0.0.1;X=y')
  const first = delegateArgs(args, { runtimeConfig: {} })
  expect(formatArgs(first)).toBe(
    'IgnoreUnknown=1;K8S_POD_NAMESPACE=pods;K8S_POD_NAME=p;MAC=02:00:00:00:00:01;IP=10.0.0.1;X=y',
  )
  expect(first.pod?.name).toBe('p')
  const further = delegateArgs(args, { selection: selectionOf({ ips: ['10.0.0.5/24', 'fd00::5'] }) })
  expect(formatArgs(further)).toBe('IgnoreUnknown=1;K8S_POD_NAMESPACE=pods;K8S_POD_NAME=p;X=y;IP=10.0.0.5/24,fd00::5')
})

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof CniError) return error.message
    throw error
  }
  throw new Error('nothing was refused')
}
