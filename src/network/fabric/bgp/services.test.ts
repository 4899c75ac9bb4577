import { expect, test } from 'bun:test'
import { cidr, ip } from '../../model/address.ts'
import type { EndpointSlice, Service } from '../../model/service.ts'
import { CLOSED, type Outside } from '../../outside.ts'
import { Catalogue } from '../../service/catalogue.ts'
import { announcedServices } from './services.ts'

const OPEN: Outside = {
  ...CLOSED,
  clusterIps: [cidr('172.30.0.0/16')],
  externalIps: [cidr('198.51.100.0/24'), cidr('203.0.113.7/32')],
  loadBalancerIps: [cidr('192.0.2.32/27')],
}
const NETWORKS = ['172.30.0.0/16', '192.0.2.32/27', '198.51.100.0/24']
const LOCAL = { externalPolicy: 'Local' } as const

type Where = readonly (readonly [node: string, isReady: boolean])[]

function told(service: Partial<Service>, where: Where, outside: Outside = OPEN): readonly string[] {
  const whole: Service = {
    namespace: 'shop',
    name: 'front',
    clusterIps: [ip('172.30.0.9')],
    ports: [{ name: '', protocol: 'TCP', port: 80 }],
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    ...service,
  }
  const slice: EndpointSlice = {
    namespace: 'shop',
    name: 'front-1',
    service: 'front',
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    endpoints: where.map(([node, ready], i) => ({
      address: ip(`10.128.0.${2 + i}`),
      ready,
      serving: ready,
      terminating: false,
      node,
    })),
  }
  const known = new Catalogue()
  known.putService(whole)
  known.putSlice(slice)
  return announcedServices(outside, known, 'n1').map(String)
}

const HERE: Where = [['n1', true]]
const THERE: Where = [['n2', true]]

test.each<[string, Partial<Service>, Where, readonly string[]]>([
  ['networks by every node, and nothing of a service whose endpoints may be anywhere', {}, HERE, []],
  ['under Local its own address, by nodes with an endpoint', LOCAL, HERE, ['172.30.0.9/32']],
  ['by nobody else', LOCAL, THERE, []],
  ['not while the endpoint is not ready', LOCAL, [['n1', false]], []],
  ['also where endpoints of the caller’s node alone serve', { internalPolicy: 'Local' }, HERE, ['172.30.0.9/32']],
  [
    'external addresses under Local',
    { ...LOCAL, externalIps: [ip('198.51.100.5')] },
    HERE,
    ['172.30.0.9/32', '198.51.100.5/32'],
  ],
  ['none that is in no network that is told', { ...LOCAL, externalIps: [ip('8.8.8.8')] }, HERE, ['172.30.0.9/32']],
  [
    'a network of one address where it leads somewhere',
    { externalIps: [ip('203.0.113.7')] },
    THERE,
    ['203.0.113.7/32'],
  ],
  ['and not where it does not', { externalIps: [ip('203.0.113.7')] }, [], []],
  [
    'under Local where it leads to one here',
    { ...LOCAL, clusterIps: [ip('10.9.9.9')], externalIps: [ip('203.0.113.7')] },
    THERE,
    [],
  ],
  ['no headless ones', { ...LOCAL, clusterIps: [], externalIps: [ip('198.51.100.5')] }, HERE, []],
  [
    'addresses of load balancers under Local',
    { ...LOCAL, clusterIps: [ip('10.9.9.9')], loadBalancerIps: [ip('192.0.2.40')] },
    HERE,
    ['192.0.2.40/32'],
  ],
])('%s', (_, service, where, more) => {
  expect(told(service, where)).toEqual([...NETWORKS, ...more].toSorted())
})

test('each address of a load balancer that leads somewhere, instead of their networks', () => {
  const each = { ...OPEN, tellsEachLoadBalancer: true }
  const balanced = { loadBalancerIps: [ip('192.0.2.40')] }
  const networks = NETWORKS.filter((network) => network !== '192.0.2.32/27')
  expect(told(balanced, THERE, each)).toEqual([...networks, '192.0.2.40/32'].toSorted())
  expect(told(balanced, [], each)).toEqual(networks)
})

test('nothing where nothing is open', () => {
  expect(told(LOCAL, HERE, CLOSED)).toEqual([])
})
