/**
 * What SpiderMultusConfigs become is what our plugins read: the same fields, to the same effect.
 */
import { expect, test } from 'bun:test'
import { coordinatorSettings } from '../src/agent/plugins/coordinator/settings.ts'
import { parseChildNetconf } from '../src/agent/plugins/links/netconf.ts'
import { decodeJsonObject, type JsonObject } from '../src/cni/json.ts'
import { parseOvsNetconf } from '../src/compat/ovs-cni/netconf.ts'
import { readMultusConfig } from '../src/compat/spiderpool/multus-config/read.ts'
import { definitionOf } from '../src/compat/spiderpool/multus-config/render.ts'
import { multusConfig } from '../src/compat/spiderpool/multus-config/testing/objects.ts'

const OVS = { bridge: 'br1' }
const ETH = { master: ['eth0'] }

function stepsOf(spec: unknown): readonly JsonObject[] {
  const object = multusConfig(spec)
  const reading = readMultusConfig(object)
  if (reading.is === 'refused') throw new Error(JSON.stringify(reading.problems))
  const { config } = Object(definitionOf(object, reading.config)['spec'])
  return decodeJsonObject(new TextEncoder().encode(config))['plugins'] as unknown as readonly JsonObject[]
}

test.each<[string, object, unknown]>([
  ['nothing about VLANs: untagged, no trunk of all', OVS, { mode: 'access', tag: 0 }],
  ['a VLAN', { ...OVS, vlan: 100 }, { mode: 'access', tag: 100 }],
  ['a trunk', { ...OVS, trunk: [{ id: 5 }, { minID: 10, maxID: 12 }] }, { mode: 'trunk', trunks: [5, 10, 11, 12] }],
  [
    'a VLAN and a range in one item',
    { ...OVS, trunk: [{ id: 5, minID: 10, maxID: 11 }] },
    { mode: 'trunk', trunks: [5, 10, 11] },
  ],
  [
    'a trunk and a VLAN, which means nothing then',
    { ...OVS, vlan: 7, trunk: [{ id: 0 }] },
    { mode: 'trunk', trunks: [0] },
  ],
])('ovs: %s', (_, ovs, membership) => {
  const [step] = stepsOf({ cniType: 'ovs', ovs })
  expect<unknown>(parseOvsNetconf(step ?? {})).toMatchObject({ bridge: 'br1', membership, ipam: 'spiderpool' })
})

test.each([
  ['macvlan', { ...ETH, mtu: 1400 }, { master: 'eth0', mtu: 1400, traits: { kind: 'macvlan', mode: 'bridge' } }],
  ['ipvlan', ETH, { master: 'eth0', traits: { kind: 'ipvlan', mode: 'l2' } }],
  ['vlan', { ...ETH, vlanID: 100 }, { master: 'eth0', traits: { kind: 'vlan', id: 100 } }],
] as const)('%s', (cniType, block, wanted) => {
  const [step] = stepsOf({ cniType, [cniType]: block })
  const args = { pairs: new Map() } as never
  expect<unknown>(parseChildNetconf(cniType, { config: step ?? {}, args })).toMatchObject({
    ...wanted,
    ipam: 'spiderpool',
  })
})

test('a coordinator’s words are the plugin’s', () => {
  const coordinator = {
    mode: 'underlay',
    hijackCIDR: ['10.0.0.7', '10.1.2.3/16'],
    policyRoutes: [{ dst: '10.3.0.0/16', gw: '10.3.0.1' }],
    podMACPrefix: '0A:1b',
    podDefaultRouteNIC: 'net1',
    vethLinkAddress: '169.254.100.1',
    vethMTU: 1400,
    tunePodRoutes: false,
    txQueueLen: 10,
    podRPFilter: -9,
  }
  const step = stepsOf({ cniType: 'ovs', ovs: OVS, coordinator }).at(-1)
  const ranges = { overlayPodCIDR: [], serviceCIDR: [] }
  expect<unknown>(coordinatorSettings({ ...step, ...ranges }, undefined)).toEqual({
    mode: 'underlay',
    hijack: ['10.0.0.7/32', '10.1.0.0/16'],
    policyRoutes: [{ destination: '10.3.0.0/16', gateway: '10.3.0.1' }],
    macPrefix: '0a:1b',
    tunePodRoutes: false,
    defaultRouteNic: 'net1',
    hostRuleTable: 500,
    podRpFilter: -1,
    txQueueLength: 10,
    vethLinkAddress: '169.254.100.1',
    vethMtu: 1400,
  })
})
