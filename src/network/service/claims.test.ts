import { expect, test } from 'bun:test'
import { ip } from '../model/address.ts'
import type { Service } from '../model/service.ts'
import { Claims } from './claims.ts'

const ADDRESS = ip('203.0.113.7')
const HTTP = { protocol: 'TCP', port: 80 } as const
const HTTPS = { protocol: 'TCP', port: 443 } as const

type Claiming = readonly [key: string, by: 'balancer' | 'owner', ports?: readonly (typeof HTTP | typeof HTTPS)[]]

function service([key, by, ports = [HTTP]]: Claiming): Service {
  const [namespace = '', name = ''] = key.split('/')
  return {
    namespace,
    name,
    clusterIps: [ip('172.30.0.7')],
    ports: ports.map((port) => ({ ...port, name: '' })),
    ...(by === 'owner' ? { externalIps: [ADDRESS] } : { loadBalancerIps: [ADDRESS] }),
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
  }
}

test.each<[string, readonly Claiming[], string | undefined]>([
  ['one that claims it', [['a/x', 'owner']], 'a/x'],
  [
    'who has it of its load balancer, before one that claims it',
    [
      ['z/x', 'balancer'],
      ['a/x', 'owner'],
    ],
    'z/x',
  ],
  [
    'nobody, where two namespaces claim it',
    [
      ['a/x', 'owner'],
      ['b/x', 'owner'],
    ],
    undefined,
  ],
  [
    'nobody, also where the other wants another port',
    [
      ['a/x', 'owner'],
      ['b/x', 'owner', [HTTPS]],
    ],
    undefined,
  ],
  [
    'nobody at a port that only a claim has',
    [
      ['z/x', 'balancer', [HTTPS]],
      ['a/x', 'owner'],
    ],
    undefined,
  ],
  [
    'the first by name of one namespace',
    [
      ['a/y', 'owner'],
      ['a/x', 'owner'],
    ],
    'a/x',
  ],
  [
    'each of two that share it by their ports',
    [
      ['a/x', 'balancer'],
      ['b/x', 'balancer', [HTTPS]],
    ],
    'a/x',
  ],
  [
    'nobody of two namespaces that a load balancer gave it',
    [
      ['a/x', 'balancer'],
      ['b/x', 'balancer'],
    ],
    undefined,
  ],
])('%s', (_, claiming, holder) => {
  for (const order of [claiming, claiming.toReversed()]) {
    const claims = new Claims()
    for (const one of order) claims.put(service(one))
    expect(claiming.map(([key]) => key).filter((key) => claims.has(key, ADDRESS, HTTP))).toEqual(
      holder === undefined ? [] : [holder],
    )
  }
})

test('whoever shares an address is told when another comes, changes and goes', () => {
  const claims = new Claims()
  expect(claims.put(service(['a/x', 'owner']))).toEqual([])
  expect(claims.put(service(['b/x', 'owner']))).toEqual(['a/x'])
  const { externalIps: _, ...without } = service(['b/x', 'owner'])
  expect(claims.put(without)).toEqual(['a/x'])
  expect(claims.has('a/x', ADDRESS, HTTP)).toBe(true)
  claims.put(service(['b/x', 'balancer']))
  expect(claims.remove('b/x')).toEqual(['a/x'])
  expect(claims.remove('a/x')).toEqual([])
})
