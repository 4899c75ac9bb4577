import { expect, test } from 'bun:test'
import { type CniResult, EMPTY_RESULT } from '../../cni/index.ts'
import { type DelegateResult, networkStatusOf } from './network-status.ts'

const overlay: DelegateResult = {
  name: 'cbr0',
  ifname: 'eth0',
  isFirst: true,
  result: {
    ...EMPTY_RESULT,
    interfaces: [
      { name: 'veth0a', mac: '02:00:00:00:00:01' },
      { name: 'eth0', mac: '02:00:00:00:00:02', mtu: 1450, sandbox: '/run/netns/x' },
    ],
    ips: [{ address: '10.1.2.3/24', gateway: '10.1.2.1', interface: 1 }],
    routes: [
      { dst: '0.0.0.0/0', gw: '10.1.2.1' },
      { dst: '10.0.0.0/8', gw: '10.1.2.1' },
    ],
  },
}

test('is laid out as Multus does it', () => {
  const further: DelegateResult = { name: 'pods/a', ifname: 'net1', isFirst: false, result: EMPTY_RESULT }
  expect(networkStatusOf([overlay, further])).toBe(`[{
    "name": "cbr0",
    "interface": "eth0",
    "ips": [
        "10.1.2.3"
    ],
    "mac": "02:00:00:00:00:02",
    "mtu": 1450,
    "default": true,
    "dns": {},
    "gateway": [
        "10.1.2.1"
    ]
},{
    "name": "pods/a",
    "interface": "net1",
    "dns": {}
}]`)
})

function entries(delegate: Partial<DelegateResult>, result: Partial<CniResult>): unknown {
  return JSON.parse(networkStatusOf([{ ...overlay, ...delegate, result: { ...EMPTY_RESULT, ...result } }]))
}

const inside = (name: string) => ({ name, mac: '02:00:00:00:00:03', sandbox: '/run/netns/x' })

test('one entry for each interface in the pod; addresses without an interface are of the last', () => {
  const result: Partial<CniResult> = {
    interfaces: [inside('eth0'), { name: 'host' }, inside('veth0')],
    ips: [
      { address: '10.1.2.3/24', interface: 2, gateway: '10.1.2.1' },
      { address: 'fd00::3/64' },
      { address: '10.9.9.9/8', interface: 1 },
    ],
    routes: [{ dst: '::/0', gw: 'fd00::1' }, { dst: '0.0.0.0/0' }, { dst: '0.0.0.0/0', gw: '10.0.0.1', table: 100 }],
    dns: { nameservers: ['10.0.0.10'], search: ['a.b'], options: [], domain: 'd' },
  }
  const dns = { nameservers: ['10.0.0.10'], domain: 'd', search: ['a.b'] }
  const shared = { name: 'cbr0', mac: '02:00:00:00:00:03', dns, gateway: ['fd00::1'] }
  expect(entries({}, result)).toEqual([
    { ...shared, interface: 'eth0' },
    { ...shared, interface: 'veth0', ips: ['10.1.2.3', 'fd00::3'], default: true },
  ])
  expect(entries({ isFirst: false }, result)).toEqual([
    { ...shared, interface: 'eth0' },
    { ...shared, interface: 'veth0', ips: ['10.1.2.3', 'fd00::3'] },
  ])
})

test('without a gateway the first interface is the default', () => {
  expect(entries({}, { interfaces: [inside('a'), inside('b')] })).toMatchObject([{ default: true }, { interface: 'b' }])
})

test('a result of an old version, without interfaces', () => {
  expect(entries({}, { ips: [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }] })).toEqual([
    { name: 'cbr0', interface: 'eth0', ips: ['10.1.2.3'], default: true, dns: {} },
  ])
})
