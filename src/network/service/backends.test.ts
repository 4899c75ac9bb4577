import { describe, expect, test } from 'bun:test'
import { ip } from '../model/address.ts'
import type { EndpointSlice, ServiceEndpoint } from '../model/service.ts'
import { backendsOf, type Scope, shareOf } from './backends.ts'
import { bucketIds } from './bucket-ids.ts'

const HTTP = { name: 'http', protocol: 'TCP' } as const

function endpoint(n: number, state: string, node = 'here'): ServiceEndpoint {
  const [ready, serving, terminating] = [state.includes('r'), state.includes('s'), state.includes('t')]
  return { address: ip(`10.128.0.${n}`), ready, serving, terminating, node }
}

function slice(...endpoints: readonly ServiceEndpoint[]): EndpointSlice {
  const ports = [{ ...HTTP, port: 8080 }]
  return { namespace: 'shop', name: 'web-1', service: 'web', ports, endpoints }
}

describe('endpoints that may serve', () => {
  test.each([
    ['ready ones', [endpoint(1, 'rs'), endpoint(2, 's')], 'Cluster', [1]],
    [
      'ending ones that serve, where none is ready',
      [endpoint(1, 'st'), endpoint(2, 't'), endpoint(3, '')],
      'Cluster',
      [1],
    ],
    ['never one that is neither ready nor ending', [endpoint(1, 's')], 'Cluster', []],
    [
      'ready ones, though others that serve are nearer',
      [endpoint(1, 'st'), endpoint(2, 'rs', 'there')],
      'Cluster',
      [2],
    ],
    ['of this node under policy Local', [endpoint(1, 'rs'), endpoint(2, 'rs', 'there')], 'Local', [1]],
    ['of this node, though ending, under policy Local', [endpoint(1, 'st'), endpoint(2, 'rs', 'there')], 'Local', [1]],
    ['none under policy Local where all are elsewhere', [endpoint(2, 'rs', 'there')], 'Local', []],
    ['each once', [endpoint(1, 'rs'), endpoint(1, 'rs')], 'Cluster', [1]],
  ] as const)('%s', (_, endpoints, scope: Scope, expected) => {
    const backends = backendsOf([slice(...endpoints)], HTTP, 4, scope, 'here')
    expect(backends.map(({ address }) => Number(address.split('.')[3]))).toEqual([...expected])
    expect(backends.every(({ port }) => port === 8080)).toBe(true)
  })

  test.each([
    ['another family', HTTP, 6],
    ['another port name', { ...HTTP, name: 'metrics' }, 4],
    ['another protocol', { ...HTTP, protocol: 'UDP' }, 4],
  ] as const)('none of %s', (_, port, family) => {
    expect(backendsOf([slice(endpoint(1, 'rs'))], port, family, 'Cluster', 'here')).toEqual([])
  })
})

test('buckets have numbers of their own, which do not depend on who else is there', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `10.128.${i >> 8}.${i & 255} 8080`)
  const all = bucketIds(names)
  expect(new Set(all).size).toBe(names.length)
  const without = bucketIds(names.slice(1))
  expect(without).toEqual(all.slice(1))
})

test('where there are too many, nodes share them: each has so many, together they have all', () => {
  const many = Array.from({ length: 1200 }, (_, i) => ({ address: ip(`10.128.${i >> 8}.${i & 255}`), port: 80 }))
  const shares = Array.from({ length: 20 }, (_, n) => shareOf(many, `node${n}`, 500))
  expect(shares.every((share) => share.length === 500)).toBe(true)
  expect(new Set(shares.flat().map(({ address }) => address)).size).toBe(many.length)
  expect(shareOf(many, 'node1', 1200)).toEqual(many)
  // One that leaves moves one.
  const [gone] = shares[1] ?? []
  const after = shareOf(
    many.filter((each) => each !== gone),
    'node1',
    500,
  )
  expect(after.filter((each) => !shares[1]?.includes(each))).toHaveLength(1)
})
