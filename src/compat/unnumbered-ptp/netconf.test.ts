/** The keys of the plugin of cni-ipvlan-vpc-k8s, their defaults, and ours. */
import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../cni/index.ts'
import { parsePtpNetconf } from './netconf.ts'

const LEAST: JsonObject = { hostInterface: 'eth0', containerInterface: 'veth0' }

test('the least that the original takes, with its defaults', () => {
  expect(parsePtpNetconf(LEAST)).toEqual({
    hostInterface: 'eth0',
    containerInterface: 'veth0',
    ipMasq: false,
    routeTableStart: 256,
    nodePorts: [30_000, 32_767],
    nodePortMark: 0x2000,
  })
})

test('everything that it takes, and our ranges', () => {
  const all = { ipMasq: true, mtu: 9001, routeTableStart: 1000, nodePorts: '31000:31999', nodePortMark: 4096 }
  const byLeg = { serviceCIDR: ['10.96.0.1/12', 'fd00:96::/108'], hijackCIDR: '169.254.20.10/32' }
  expect(parsePtpNetconf({ ...LEAST, ...all, ...byLeg, type: 'unnumbered-ptp', other: {} }) as object).toEqual({
    ...LEAST,
    ...all,
    nodePorts: [31_000, 31_999],
    byLeg: ['10.96.0.0/12', 'fd00:96::/108', '169.254.20.10/32'],
  })
})

test('nought and an empty text are what is not said', () => {
  const zero = { mtu: 0, routeTableStart: 0, nodePortMark: 0, nodePorts: '', ipMasq: null }
  expect(parsePtpNetconf({ ...LEAST, ...zero })).toEqual(parsePtpNetconf(LEAST))
})

test('whoever makes the interface too knows its link', () => {
  const defaults = { hostInterface: 'ens3', containerInterface: 'veth0' }
  expect(parsePtpNetconf({}, defaults)).toEqual(expect.objectContaining(defaults))
  expect(parsePtpNetconf({ hostInterface: 'eth1' }, defaults).hostInterface).toBe('eth1')
})

describe('refused is', () => {
  const cases: readonly (readonly [what: string, config: JsonObject, field: string])[] = [
    ['no host interface', { hostInterface: '' }, 'hostInterface'],
    ['no container interface', { containerInterface: null }, 'containerInterface'],
    ['a number for a link', { hostInterface: 7 }, 'hostInterface'],
    ['a path for a link', { hostInterface: '../lo' }, 'hostInterface'],
    ['a link of sixteen characters', { containerInterface: 'veth567890123456' }, 'containerInterface'],
    ['all for a link', { containerInterface: 'all' }, 'containerInterface'],
    ['a word for a flag', { ipMasq: 'yes' }, 'ipMasq'],
    ['an MTU below IPv4’s least', { mtu: 67 }, 'mtu'],
    ['an MTU that is a text', { mtu: '1500' }, 'mtu'],
    ['a table below 1', { routeTableStart: -1 }, 'routeTableStart'],
    ['half a mark', { nodePortMark: 0.5 }, 'nodePortMark'],
    ['a mark of 33 bits', { nodePortMark: 2 ** 32 }, 'nodePortMark'],
    ['ports in the wrong order', { nodePorts: '32767:30000' }, 'nodePorts'],
    ['ports with a dash', { nodePorts: '30000-32767' }, 'nodePorts'],
    ['a port above the last', { nodePorts: '1:65536' }, 'nodePorts'],
    ['an address for a range', { serviceCIDR: '10.96.0.1' }, 'serviceCIDR[0]'],
    ['a number among ranges', { hijackCIDR: ['10.0.0.0/8', 7] }, 'hijackCIDR[1]'],
    ['an object for ranges', { serviceCIDR: {} }, 'serviceCIDR'],
  ]
  test.each(cases)('%s', (_, config, field) => {
    expect(() => parsePtpNetconf({ ...LEAST, ...config })).toThrow(expect.objectContaining({ path: field }))
  })
})
