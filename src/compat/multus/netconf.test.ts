import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CniError, type JsonObject } from '../../cni/index.ts'
import { sanitize } from '../../cni/json.ts'
import { mayName, multusNetconf } from './netconf.ts'

const cluster = { clusterNetwork: 'kube-system/ovs-conf' }

test('what the seed’s Multus has', () => {
  const config = {
    cniVersion: '0.3.1',
    name: 'multus-cni-network',
    type: 'multus',
    ...cluster,
    multusNamespace: 'kube-system',
    namespaceIsolation: false,
    systemNamespaces: [],
    capabilities: { portMappings: true, bandwidth: true },
    logLevel: 'debug',
    kubeconfig: '/etc/cni/net.d/multus.d/multus.kubeconfig',
  }
  expect<unknown>(multusNetconf(config)).toEqual({
    networks: { kind: 'named', clusterNetwork: 'kube-system/ovs-conf', defaultNetworks: [] },
    confDir: '/etc/cni/multus/net.d',
    binDir: '/opt/cni/bin',
    systemNamespaces: [],
    multusNamespace: 'kube-system',
  })
})

test('everything there is', () => {
  const config = {
    delegates: [
      { type: 'x', name: 'a' },
      { name: 'b', cniVersion: '1.0.0', plugins: [{ type: 'y' }, { type: 'z' }] },
    ],
    confDir: '/c',
    binDir: '/b',
    namespaceIsolation: true,
    globalNamespaces: 'infra, shared',
    readinessindicatorfile: '/r',
    multusNamespace: 'multus',
  }
  expect<unknown>(multusNetconf(config)).toMatchObject({
    networks: {
      kind: 'delegates',
      delegates: [
        { name: 'a', version: '0.1.0', plugins: [{ type: 'x' }] },
        { name: 'b', version: '1.0.0', plugins: [{ type: 'y' }, { type: 'z' }] },
      ],
    },
    confDir: '/c',
    binDir: '/b',
    isolation: { globalNamespaces: new Set(['infra', 'shared']) },
    systemNamespaces: ['kube-system'],
    multusNamespace: 'multus',
    readinessFile: '/r',
  })
})

test.each<[object, string]>([
  [{}, 'clusterNetwork: is missing, and so is delegates'],
  [{ delegates: [] }, 'clusterNetwork: is missing'],
  [{ ...cluster, delegates: [{ type: 'x', name: 'a' }] }, 'delegates: cannot be given together with clusterNetwork'],
  [{ delegates: [{ name: 'a' }] }, 'delegates[0]: plugins: must name at least one plugin'],
  [{ delegates: [{ type: 'x' }] }, 'delegates[0]: name: must begin'],
  [{ delegates: [{ type: '../x', name: 'a' }] }, 'delegates[0]: type: must be'],
  [{ delegates: {} }, 'delegates: must be a list'],
  [{ clusterNetwork: 7 }, 'clusterNetwork: must be a string'],
  [{ ...cluster, defaultNetworks: [7] }, 'defaultNetworks[0]: must be a string'],
  [{ ...cluster, namespaceIsolation: 'yes' }, 'namespaceIsolation: must be true or false'],
  [{ ...cluster, systemNamespaces: 'kube-system' }, 'systemNamespaces: must be a list'],
  [{ ...cluster, multusNamespace: 'A' }, 'multusNamespace: must be a namespace name'],
])('%j is refused', (config, words) => {
  expect(refusal(config as JsonObject)).toContain(`invalid network configuration: ${words}`)
})

describe('namespaces', () => {
  test.each<[string, object, string, boolean]>([
    ['without isolation', {}, 'other', true],
    ['the own', { namespaceIsolation: true }, 'pods', true],
    ['another', { namespaceIsolation: true }, 'other', false],
    ['default, unless others are named', { namespaceIsolation: true }, 'default', true],
    ['a named one', { namespaceIsolation: true, globalNamespaces: 'a,other' }, 'other', true],
    ['default, where others are named', { namespaceIsolation: true, globalNamespaces: 'a,other' }, 'default', false],
  ])('%s', (_, config, namespace, allowed) => {
    expect(mayName(multusNetconf({ ...cluster, ...config }), 'pods', namespace)).toBe(allowed)
  })
})

test('a chain beside the cluster network is refused', () => {
  expect(refusal({ ...cluster, auxiliaryCNIChainName: 'aux' })).toContain('auxiliaryCNIChainName = aux')
  expect(multusNetconf({ ...cluster, auxiliaryCNIChainName: '' }).networks.kind).toBe('named')
})

test('whatever is written is read or refused in words', () => {
  const value = fc.oneof(fc.jsonValue(), fc.boolean(), fc.array(fc.string()))
  const key = fc.constantFrom('delegates', 'clusterNetwork', 'defaultNetworks', 'namespaceIsolation', 'confDir', 'type')
  fc.assert(
    fc.property(fc.dictionary(key, value), (config) => {
      try {
        multusNetconf(sanitize(config) as JsonObject)
      } catch (error) {
        expect(error).toBeInstanceOf(CniError)
      }
    }),
  )
})

function refusal(config: JsonObject): string {
  try {
    multusNetconf(config)
  } catch (error) {
    if (error instanceof CniError) return error.message
    throw error
  }
  throw new Error('nothing was refused')
}
