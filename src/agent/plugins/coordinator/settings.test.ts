import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeJsonObject } from '../../../cni/json.ts'
import { cidr, ip } from '../../../network/model/address.ts'
import type { Coordinator } from '../../../network/model/definition.ts'
import { coordinatorSettings, hostTableOf } from './settings.ts'
import { COORDINATOR } from './testing/rig.ts'

test.each<readonly [string, object, object]>([
  ['nothing is the SpiderCoordinator’s', {}, { mode: 'auto', hostRuleTable: 500, vethMtu: 1500, tunePodRoutes: true }],
  ['the plugin’s word for off', { mode: 'disable' }, { mode: 'disabled', hijack: [] }],
  [
    'as Spiderpool writes it',
    { podDefaultRouteNic: 'net1', txQueueLen: 5 },
    { defaultRouteNic: 'net1', txQueueLength: 5 },
  ],
  [
    'as the object has it',
    { podDefaultRouteNIC: 'net2', podMACPrefix: '0A-1b' },
    { defaultRouteNic: 'net2', macPrefix: '0a:1b' },
  ],
  [
    'zero and empty say nothing',
    { vethMTU: 0, hostRuleTable: 0, mode: '', podMACPrefix: '' },
    { vethMtu: 1500, hostRuleTable: 500 },
  ],
  [
    'bits behind a prefix go',
    { hijackCIDR: ['10.1.2.3/8', '192.0.2.7'] },
    {
      hijack: [
        cidr('10.233.64.0/18'),
        cidr('fd00:233:64::/64'),
        cidr('10.233.0.0/18'),
        cidr('fd00:233::/108'),
        cidr('10.0.0.0/8'),
        cidr('192.0.2.7/32'),
      ],
    },
  ],
  [
    'ranges of its own',
    { overlayPodCIDR: [], serviceCIDR: ['10.0.0.0/16'], hijackCIDR: [] },
    { hijack: [cidr('10.0.0.0/16')] },
  ],
  [
    'routes',
    { policyRoutes: [{ dst: '10.0.0.0/8', gw: '10.7.0.1' }] },
    { policyRoutes: [{ destination: cidr('10.0.0.0/8'), gateway: ip('10.7.0.1') }] },
  ],
])('%s', (_, config, expected) => {
  expect(coordinatorSettings(json(config), COORDINATOR)).toMatchObject(expected)
})

test.each<readonly [string, object]>([
  ['mode', { mode: 'sideways' }],
  ['tunePodRoutes', { tunePodRoutes: 'yes' }],
  ['hostRuleTable', { hostRuleTable: 255 }],
  ['hostRuleTable', { hostRuleTable: 0x5700_0001 }],
  ['podRPFilter', { podRPFilter: 3 }],
  ['vethMTU', { vethMTU: -1 }],
  ['podMACPrefix', { podMACPrefix: '01:00' }],
  ['podDefaultRouteNic', { podDefaultRouteNic: 'a/b' }],
  ['vethLinkAddress', { vethLinkAddress: 'fe80::1' }],
  ['hijackCIDR[1]', { hijackCIDR: ['10.0.0.0/8', '10.0.0.0/33'] }],
  ['serviceCIDR', { serviceCIDR: '10.0.0.0/8' }],
  ['policyRoutes[0].gw', { policyRoutes: [{ dst: '10.0.0.0/8' }] }],
  ['policyRoutes[0].dst', { policyRoutes: [{ dst: 'x', gw: '10.7.0.1' }] }],
])('%s that is wrong is named', (field, config) => {
  expect(() => coordinatorSettings(json(config), COORDINATOR)).toThrow(`: ${field}: `)
})

test.each<readonly [string, Coordinator | undefined, string]>([
  [
    'NotReady',
    { ...COORDINATOR, status: { phase: 'NotReady', reason: 'no kube-controller-manager' } },
    'no kube-controller-manager',
  ],
  ['nobody has looked', unlooked(), 'nobody has looked for them yet'],
  ['none', undefined, 'there is no SpiderCoordinator'],
])('while ranges are not known (%s) the reason is told, and what to create', (_, coordinator, reason) => {
  const failed = (): unknown => coordinatorSettings(json({}), coordinator)
  expect(failed).toThrow(reason)
  expect(failed).toThrow(
    expect.objectContaining({ code: 11, remedy: expect.stringContaining('ConfigMap kubeadm-config') }),
  )
  expect(coordinatorSettings(json({ overlayPodCIDR: [], serviceCIDR: [] }), coordinator).mode).toBe('auto')
})

test('whatever the configuration, DEL has a table to look in, and no reader fails otherwise than by a name', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('mode', 'hostRuleTable', 'hijackCIDR', 'policyRoutes', 'podMACPrefix'),
        fc.jsonValue(),
      ),
      (config) => {
        expect(hostTableOf(json(config), undefined)).toBeGreaterThan(0)
        try {
          coordinatorSettings(json(config), COORDINATOR)
        } catch (error) {
          expect(error).toMatchObject({ id: 'config-invalid' })
        }
      },
    ),
  )
})

function unlooked(): Coordinator {
  const { status, ...rest } = COORDINATOR
  return status === undefined ? COORDINATOR : rest
}

function json(value: object) {
  return decodeJsonObject(new TextEncoder().encode(JSON.stringify(value)))
}
