import { expect, test } from 'bun:test'
import fc from 'fast-check'
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

test('others are named when what they have is another, and only then', () => {
  const claims = new Claims()
  expect(claims.put(service(['a/x', 'owner']))).toEqual([])
  expect(claims.put(service(['a/y', 'owner', [HTTPS]]))).toEqual([])
  expect(claims.put(service(['b/x', 'owner', [HTTPS]])).toSorted()).toEqual(['a/x', 'a/y'])
  expect([claims.has('a/x', ADDRESS, HTTP), claims.has('a/y', ADDRESS, HTTPS)]).toEqual([false, false])
  expect(claims.remove('b/x').toSorted()).toEqual(['a/x', 'a/y'])
  expect([claims.has('a/x', ADDRESS, HTTP), claims.has('a/y', ADDRESS, HTTPS)]).toEqual([true, true])
  expect(claims.put(service(['a/w', 'owner']))).toEqual(['a/x'])
  expect(claims.put(service(['a/w', 'owner']))).toEqual([])
  expect(claims.put(service(['z/x', 'balancer']))).toEqual(expect.arrayContaining(['a/w', 'a/y']))
})

/** By the rules, as they are written in docs/bgp.md, of all claims at once. */
function winner(all: readonly Claiming[], port: typeof HTTP | typeof HTTPS): string | undefined {
  const balanced = all.filter(([, by]) => by === 'balancer')
  const counted = balanced.length > 0 ? balanced : all
  const rivals = counted.filter(([, , ports = [HTTP]]) => ports.includes(port)).map(([key]) => key)
  const disputed = balanced.length > 0 ? rivals : counted.map(([key]) => key)
  if (new Set(disputed.map((key) => key.split('/')[0])).size > 1) return undefined
  return rivals.toSorted()[0]
}

test('whatever comes and goes: who has it is as of all claims at once, and whose answer is another is named', () => {
  const claiming = fc.tuple(
    fc.constantFrom('a/x', 'a/y', 'b/x', 'b/y', 'c/x'),
    fc.constantFrom('balancer' as const, 'owner' as const),
    fc.constantFrom([HTTP], [HTTPS], [HTTP, HTTPS], []),
  )
  const step = fc.oneof(claiming, fc.constantFrom('a/x', 'a/y', 'b/x', 'b/y', 'c/x'))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const claims = new Claims()
      const all = new Map<string, Claiming>()
      let before = new Map<string, string>()
      for (const one of steps) {
        const key = typeof one === 'string' ? one : one[0]
        const named = typeof one === 'string' ? claims.remove(one) : claims.put(service(one))
        if (typeof one === 'string') all.delete(one)
        else all.set(key, one)
        const now = new Map([...all.keys()].map((name) => [name, portsOf(name, claims, [...all.values()])]))
        const another = [...now.keys()].filter((name) => name !== key && before.get(name) !== now.get(name))
        expect(named.toSorted()).toEqual(another.toSorted())
        before = now
      }
    }),
  )
})

/** The ports that a service has the address for, of which all must say the same. */
function portsOf(name: string, claims: Claims, all: readonly Claiming[]): string {
  const held = [HTTP, HTTPS].filter((port) => claims.has(name, ADDRESS, port))
  expect(held).toEqual([HTTP, HTTPS].filter((port) => winner(all, port) === name))
  return held.map(({ port }) => port).join()
}

test('many that share an address cost what each changes', () => {
  const claims = new Claims()
  let named = 0
  for (let number = 0; number < 2_000; number += 1) {
    const one = {
      ...service([`a/s${number}`, 'owner']),
      ports: [{ protocol: 'TCP', port: number + 1, name: '' } as const],
    }
    named += claims.put(one).length
    expect(claims.has(`a/s${number}`, ADDRESS, { protocol: 'TCP', port: number + 1 })).toBe(true)
  }
  expect(named).toBe(0)
})
