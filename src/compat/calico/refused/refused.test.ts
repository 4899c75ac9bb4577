/** What of Calico is not done here, and in which words that is said. */
import { describe, expect, test } from 'bun:test'
import { KubeError } from '../../../kube/errors.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../../../kube/object.ts'
import { NODES } from '../../../kube/resources.ts'
import { MemoryApi } from '../../../kube/testing/memory-api.ts'
import { CALICO_IP_POOLS } from '../../spiderpool/coordinator-sources.ts'
import {
  FELIX_CONFIGURATIONS,
  HOST_ENDPOINTS,
  REFUSED_KINDS,
  STAGED_GLOBAL_NETWORK_POLICIES,
  STAGED_KUBERNETES_NETWORK_POLICIES,
  STAGED_NETWORK_POLICIES,
  TIERS,
} from './kinds.ts'
import { refusedInKubernetes, refusedNow } from './source.ts'
import { refusedLines } from './words.ts'

const NAMESPACED: ReadonlySet<Resource> = new Set([STAGED_NETWORK_POLICIES, STAGED_KUBERNETES_NETWORK_POLICIES])
const KEY = { 'projectcalico.org/WireguardPublicKey': 'jlkVyQYooZYzI2wFfNhSZez5eWh44yfq1wKVjLvSXgY=' }

function object(resource: Resource, name: string, spec?: object, annotations?: Record<string, string>): KubeObject {
  const where = NAMESPACED.has(resource) ? { name, namespace: 'shop' } : { name }
  const metadata = annotations === undefined ? where : { ...where, annotations }
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...(spec === undefined ? {} : { spec }) }
}

async function linesOf(...objects: readonly (readonly [Resource, KubeObject])[]): Promise<readonly string[]> {
  const api = new MemoryApi()
  for (const [resource, one] of objects) await api.create(resource, one)
  return refusedLines(await refusedNow([refusedInKubernetes(api)], REFUSED_KINDS))
}

describe('each has a sentence that says what is not done, and what to do', () => {
  test.each<readonly [string, Resource, object, readonly RegExp[]]>([
    ['a host endpoint', HOST_ENDPOINTS, { node: 'n1' }, [/^HostEndpoint it: no policy is enforced.* → guard hosts/]],
    [
      'a staged policy',
      STAGED_NETWORK_POLICIES,
      {},
      [/^StagedNetworkPolicy shop\/it: it is not enforced.* → see that/],
    ],
    ['one of the cluster', STAGED_GLOBAL_NETWORK_POLICIES, {}, [/^StagedGlobalNetworkPolicy it: it is not enforced/]],
    [
      'one of Kubernetes',
      STAGED_KUBERNETES_NETWORK_POLICIES,
      {},
      [/^StagedKubernetesNetworkPolicy shop\/it: it is not enforced/],
    ],
    [
      'a tier',
      TIERS,
      { order: 10 },
      [/^Tier it: there is no tier here but default.* → give its policies tier default/],
    ],
    [
      'WireGuard',
      FELIX_CONFIGURATIONS,
      { wireguardEnabled: true },
      [/^FelixConfiguration it: spec.wireguardEnabled: Weft does not encrypt.* → set it to false/],
    ],
    [
      'WireGuard by IPv6',
      FELIX_CONFIGURATIONS,
      { wireguardEnabledV6: true },
      [/spec.wireguardEnabledV6: Weft does not/],
    ],
    ['ipip of Felix', FELIX_CONFIGURATIONS, { ipipEnabled: true }, [/spec.ipipEnabled: there are no ipip tunnels/]],
    [
      'settings of Felix',
      FELIX_CONFIGURATIONS,
      { bpfEnabled: true, wireguardEnabled: true },
      [/spec.wireguardEnabled/, /^FelixConfiguration it: Felix does not run here.* → weft.yaml/],
    ],
    [
      'ipip',
      CALICO_IP_POOLS,
      { ipipMode: 'Always' },
      [/^IPPool it: spec.ipipMode: there are no ipip tunnels.* → set it/],
    ],
    ['ipip between segments', CALICO_IP_POOLS, { ipipMode: 'CrossSubnet' }, [/^IPPool it: spec.ipipMode/]],
    ['nothing: no ipip', CALICO_IP_POOLS, { ipipMode: 'Never', vxlanMode: 'Always' }, []],
    ['nothing: a pool', CALICO_IP_POOLS, {}, []],
    ['nothing: what is off', FELIX_CONFIGURATIONS, { wireguardEnabled: false, ipipEnabled: false }, []],
  ])('%s', async (_, resource, spec, wanted) => {
    const lines = await linesOf([resource, object(resource, 'it', spec)])
    expect(lines.length).toBe(wanted.length)
    for (const [at, pattern] of wanted.entries()) expect(lines[at]).toMatch(pattern)
  })

  test('tiers that Calico makes by itself ask for nothing, unless default is to pass on', async () => {
    const own = ['default', 'kube-admin', 'kube-baseline', 'adminnetworkpolicy', 'baselineadminnetworkpolicy']
    expect(await linesOf(...own.map((name) => [TIERS, object(TIERS, name)] as const))).toEqual([])
    expect(await linesOf([TIERS, object(TIERS, 'default', { defaultAction: 'Deny' })])).toEqual([])
    const [line, ...others] = await linesOf([TIERS, object(TIERS, 'default', { defaultAction: 'Pass' })])
    expect(line).toMatch(/^Tier default: spec.defaultAction: whom a policy .* → set it to Deny/)
    expect(others).toEqual([])
  })

  test('a node with a key of WireGuard, where Felix has a configuration', async () => {
    const node = [NODES, object(NODES, 'n1', {}, KEY)] as const
    const felix = [FELIX_CONFIGURATIONS, object(FELIX_CONFIGURATIONS, 'default', { wireguardEnabled: true })] as const
    expect(await linesOf(node)).toEqual([])
    expect((await linesOf(node, felix)).filter((line) => line.startsWith('Node '))).toEqual([
      expect.stringMatching(/^Node n1: projectcalico.org\/WireguardPublicKey: .*they go in the clear → protect/),
    ])
    expect((await linesOf(felix, [NODES, object(NODES, 'n2')])).filter((line) => line.startsWith('Node '))).toEqual([])
  })
})

test('of many the same is said once', async () => {
  const many = Array.from({ length: 40 }, (_, n) => [HOST_ENDPOINTS, object(HOST_ENDPOINTS, `n${n + 10}`)] as const)
  const lines = await linesOf(...many)
  expect(lines.length).toBe(1)
  expect(lines[0]).toStartWith('HostEndpoint n10, n11, n12, n13, n14 and 35 more: no policy is enforced')
})

test('kinds that are not served, and those that nobody may list, are none; of the others it is said', async () => {
  const api = new MemoryApi()
  await api.create(HOST_ENDPOINTS, object(HOST_ENDPOINTS, 'a'))
  const asked: string[] = []
  api.before = (verb, { plural }) => {
    asked.push(`${verb} ${plural}`)
    if (plural === 'tiers') throw new KubeError('KUBE_NOT_FOUND', 'it is not served', 'install it')
    if (plural.startsWith('staged')) throw new KubeError('KUBE_FORBIDDEN', 'you may not', 'ask')
  }
  const lines = refusedLines(await refusedNow([refusedInKubernetes(api)], REFUSED_KINDS))
  expect(lines).toEqual([expect.stringMatching(/^HostEndpoint a: /)])
  // Nodes are many: nobody asks for them without a reason.
  expect(asked).not.toContain('list nodes')
  expect(asked.length).toBe(REFUSED_KINDS.length - 1)
})
