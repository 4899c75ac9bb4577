/** Who may ask for what: every refusal, and the grant that lifts it. */
import { expect, test } from 'bun:test'
import { CniError, type JsonObject } from '../../cni/index.ts'
import { parseNetworks } from '../../compat/multus/networks.ts'
import type { Grants, Origin } from '../../network/model/grants.ts'
import { checkPlugins, checkSelection } from './refusals.ts'

const grants: Grants = {
  trustedNamespaces: new Set(['kube-system']),
  types: new Set(['ovs', 'spiderpool', 'coordinator']),
  bridges: [],
}
const TENANT: Origin = { kind: 'definition', namespace: 'shop', name: 'net' }
const TRUSTED: Origin = { kind: 'definition', namespace: 'kube-system', name: 'net' }
const NODE: Origin = { kind: 'node' }

const ovs = (more: JsonObject): JsonObject => ({ type: 'ovs', bridge: 'br1', vlan: 5, ...more })

test.each<[string, JsonObject, string]>([
  ['a plugin that was not granted', { type: 'bridge' }, 'type'],
  ['one whose name has another case', { type: 'OVS' }, 'type'],
  ['an IPAM plugin that was not granted', ovs({ ipam: { type: 'host-local' } }), 'ipam.type'],
  ['a socket', ovs({ socket_file: 'unix:/tmp/mine' }), 'socket_file'],
  ['a file', ovs({ configuration_path: '/etc/shadow' }), 'configuration_path'],
  ['an account', ovs({ kubeconfig: '/etc/kubernetes/admin.conf' }), 'kubeconfig'],
  ['a folder of addresses', ovs({ ipam: { type: 'spiderpool', dataDir: '/etc' } }), 'ipam.dataDir'],
  ['a log', ovs({ ipam: { type: 'spiderpool', log_file_path: '/etc/passwd' } }), 'ipam.log_file_path'],
  ['a device', ovs({ deviceID: '0000:00:1f.6' }), 'deviceID'],
  ['a table of routes of the node', { type: 'coordinator', hostRuleTable: 254 }, 'hostRuleTable'],
  ['a folder of configurations', { type: 'ovs', confDir: '/etc' }, 'confDir'],
  ['a folder of programs', { type: 'ovs', binDir: '/tmp' }, 'binDir'],
  ['a folder of states', { type: 'ovs', cniDir: '/etc' }, 'cniDir'],
  ['another’s socket', ovs({ ipam: { type: 'spiderpool', daemonSocketDir: '/run' } }), 'ipam.daemonSocketDir'],
  [
    'the socket of an agent',
    ovs({ ipam: { type: 'spiderpool', ipam_unix_socket_path: '/run/x' } }),
    'ipam.ipam_unix_socket_path',
  ],
  ['a file of name servers', ovs({ ipam: { type: 'spiderpool', resolvConf: '/etc/shadow' } }), 'ipam.resolvConf'],
  ['what only a runtime says', ovs({ args: { cni: { mac: '02:00:00:00:00:01' } } }), 'args'],
  ['a plugin that Go’s programs would read in place of the granted one', ovs({ Type: 'bridge' }), 'Type'],
  ['an IPAM plugin in their spelling', ovs({ IPAM: { tYPE: 'host-local' } }), 'IPAM.tYPE'],
  ['a second IPAM plugin', ovs({ ipam: { type: 'spiderpool', Type: 'host-local' } }), 'ipam.Type'],
  ['a folder in their spelling', ovs({ ipam: { type: 'spiderpool', DATADIR: '/etc' } }), 'ipam.DATADIR'],
  ['a file in letters that they fold', ovs({ 're\u017folvConf': '/etc/shadow' }), 're\u017folvConf'],
  ['an account in letters that they fold', ovs({ '\u212aubeconfig': '/x' }), '\u212aubeconfig'],
  ['a file deep inside', ovs({ a: [{ b: { logFile: '/x' } }] }), 'a.b.logFile'],
])('%s is refused in a tenant’s definition, by its field', (_, plugin, field) => {
  expect(refusal(() => checkPlugins(grants, TENANT, [plugin]))).toContain(`shop/net asks for ${field}:`)
  // The administrator's own words count.
  checkPlugins(grants, TRUSTED, [plugin])
  checkPlugins(grants, NODE, [plugin])
})

test('in a list the plugin is named', () => {
  const plugins = [ovs({}), { type: 'tuning' }]
  expect(refusal(() => checkPlugins(grants, TENANT, plugins))).toContain('plugins[1].type')
  checkPlugins({ ...grants, types: new Set(['ovs', 'tuning']) }, TENANT, plugins)
})

test('empty words ask for nothing', () => {
  checkPlugins(grants, TENANT, [ovs({ socket_file: '', deviceID: '', configuration_path: null })])
})

test.each<[string, string, string]>([
  ['a definition of another namespace', 'bank/vault', 'bank/vault'],
  ['a MAC address', '[{"name":"a","mac":"02:00:00:00:00:01"}]', '[0].mac'],
  ['addresses', '[{"name":"a","ips":["172.18.0.1"]}]', '[0].ips'],
  ['a device', '[{"name":"a","deviceID":"x"}]', '[0].deviceID'],
  ['a GUID', '[{"name":"a","infiniband-guid":"c2:11:22:33:44:55:66:77"}]', '[0].infiniband-guid'],
  ['words for plugins', '[{"name":"a"},{"name":"a","cni-args":{"mac":"02:00:00:00:00:01"}}]', '[1].cni-args'],
])('a pod of a tenant that asks for %s is refused, by the field', (_, text, field) => {
  const selections = parseNetworks(text, 'shop')
  const check = (pod: string, one: Grants = grants) => {
    for (const selection of selections) checkSelection(one, pod, selection)
  }
  expect(refusal(() => check('shop'))).toContain(`k8s.v1.cni.cncf.io/networks asks for ${field}:`)
  check('shop', { ...grants, trustedNamespaces: new Set(['shop', 'bank']) })
})

test('a pod may name definitions of its own namespace, and an administrator’s', () => {
  for (const selection of parseNetworks('a,shop/b,kube-system/c', 'shop')) checkSelection(grants, 'shop', selection)
})

/** What a call is refused with: message, remedy. */
function refusal(call: () => void): string {
  try {
    call()
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    const isOfType = /asks for \S*type:/i.test(error.message)
    expect(error.id).toBe(isOfType ? 'choice-refused' : 'request-refused')
    return `${error.message}; ${error.remedy}`
  }
  throw new Error('it was not refused')
}
