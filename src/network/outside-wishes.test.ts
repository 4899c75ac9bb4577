import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER } from '../../test/tables/sample-node.ts'
import { cidr, ip } from './model/address.ts'
import type { BgpConfiguration } from './model/bgp.ts'
import { CLOSED } from './outside.ts'
import { outsideOf } from './outside-wishes.ts'

const CLUSTER = { ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } } as const
const MACHINES = [ip('192.0.2.11'), ip('2001:db8::11')]

function problems(wish: Partial<BgpConfiguration>): readonly string[] {
  const outside = outsideOf(CLUSTER, MACHINES, { configuration: { name: 'default', ...wish }, ranges: [] })
  const { clusterIps, externalIps, loadBalancerIps } = outside
  expect([...clusterIps, ...externalIps, ...loadBalancerIps]).toHaveLength(outside.problems.length === 0 ? 1 : 0)
  return outside.problems.map(({ field, reason }) => `${field.replace(/^.*spec\./, '')}: ${reason}`)
}

test.each<[Partial<BgpConfiguration>, string | undefined]>([
  [{ clusterIps: [cidr('172.30.0.0/16')] }, undefined],
  [{ externalIps: [cidr('203.0.113.0/24')] }, undefined],
  [{ loadBalancerIps: [cidr('2001:db8:5::/64')] }, undefined],
  [{ externalIps: [cidr('192.0.2.0/24')] }, 'externalIPs: 192.0.2.0/24 has the address 192.0.2.11 of a node in it'],
  [{ loadBalancerIps: [cidr('0.0.0.0/0')] }, 'loadBalancerIPs: 0.0.0.0/0 has the address 192.0.2.11 of a node in it'],
  [{ clusterIps: [cidr('10.0.0.0/8')] }, 'clusterIPs: 10.0.0.0/8 and the pod network 10.128.0.0/14 overlap'],
  [
    { externalIps: [cidr('172.30.5.0/24')] },
    'externalIPs: 172.30.5.0/24 and the service network 172.30.0.0/16 overlap',
  ],
  [{ externalIps: [cidr('127.0.0.0/24')] }, 'externalIPs: 127.0.0.0/24 can be no network of services'],
  [{ loadBalancerIps: [cidr('fe80::/64')] }, 'loadBalancerIPs: fe80::/64 can be no network of services'],
])('%j', (wish, reason) => {
  const found = problems(wish).map((one) => one.replace(/^service(\w)/, (_, first: string) => first.toLowerCase()))
  expect(found).toEqual(reason === undefined ? [] : [reason.replace(/^clusterIPs/, 'clusterIPs')])
})

test('only pools that say so keep their pods’ addresses', () => {
  const range = (name: string, isTranslated?: boolean) => ({
    name,
    cidr: cidr(`10.128.${name}.0/24`),
    ...(isTranslated === undefined ? {} : { isTranslated }),
  })
  const ranges = [range('1'), range('2', true), range('3', false)]
  expect(outsideOf(CLUSTER, MACHINES, { ranges }).untranslated).toEqual([cidr('10.128.3.0/24')])
})

test('nothing is open in a fabric without BGP', () => {
  const configuration = { name: 'default', clusterIps: [cidr('172.30.0.0/16')] }
  expect(outsideOf(SAMPLE_CLUSTER, MACHINES, { configuration, ranges: [] })).toEqual(CLOSED)
})
