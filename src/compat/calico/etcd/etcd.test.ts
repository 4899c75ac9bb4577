/** Calico's keys and values in etcd, without one. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeNode } from '../../../network/model/validate-node.ts'
import { CALICO_KINDS, CalicoLayout } from './layout.ts'
import { calicoNodeIn } from './node.ts'
import { readRecord } from './record.ts'

const layout = CalicoLayout.of('/calico')
if (layout === undefined) throw new Error('no layout')
const ROOT = '/calico/resources/v3/projectcalico.org'

describe('keys', () => {
  test.each([
    ['BgpPeering', `${ROOT}/bgppeers/rack-a`, { name: 'rack-a' }],
    ['BgpConfiguration', `${ROOT}/bgpconfigurations/default`, { name: 'default' }],
    ['BgpFilter', `${ROOT}/bgpfilters/a`, { name: 'a' }],
    ['BgpRange', `${ROOT}/ippools/default-ipv4-ippool`, { name: 'default-ipv4-ippool' }],
    ['CalicoNetworkPolicy', `${ROOT}/networkpolicies/shop/default.p`, { namespace: 'shop', name: 'default.p' }],
    ['GlobalNetworkPolicy', `${ROOT}/globalnetworkpolicies/default.p`, { name: 'default.p' }],
    ['NetworkSet', `${ROOT}/networksets/shop/s`, { namespace: 'shop', name: 's' }],
    ['GlobalNetworkSet', `${ROOT}/globalnetworksets/s`, { name: 's' }],
  ] as const)('%s is at %s', (kind, key, named) => {
    const name = 'namespace' in named ? `${named.namespace}/${named.name}` : named.name
    expect(layout.keyOf(kind, name)).toBe(key)
    expect(layout.named(kind, key)).toEqual(named)
  })

  test.each([
    ['BgpPeering', `${ROOT}/bgppeers/`],
    ['BgpPeering', `${ROOT}/bgppeers/a/b`],
    ['BgpPeering', '/elsewhere/bgppeers/a'],
    ['CalicoNetworkPolicy', `${ROOT}/networkpolicies/shop`],
    ['CalicoNetworkPolicy', `${ROOT}/networkpolicies/shop/a/b`],
    ['CalicoNetworkPolicy', `${ROOT}/networkpolicies//a`],
    // Kubernetes says it itself.
    ['CalicoNetworkPolicy', `${ROOT}/networkpolicies/shop/knp.default.web`],
  ] as const)('of %s, %s is none', (kind, key) => expect(layout.named(kind, key)).toBeUndefined())

  test.each(['', '/', 'a//b', '/a/../b', '/a b'])('no prefix: %j', (prefix) => {
    expect(CalicoLayout.of(prefix)).toBeUndefined()
  })
})

test('whatever a value is, it is read, closed, or nothing, and says why', () => {
  const values = fc.oneof(
    fc.string(),
    fc.json(),
    fc.object().map((spec) => JSON.stringify({ spec })),
  )
  fc.assert(
    fc.property(fc.constantFrom(...CALICO_KINDS), values, (kind, text) => {
      const isNamespaced = kind === 'CalicoNetworkPolicy' || kind === 'NetworkSet'
      const record = readRecord(kind, { name: 'a', ...(isNamespaced ? { namespace: 'shop' } : {}) }, text)
      expect(record.name).toBe(isNamespaced ? 'shop/a' : 'a')
      if (record.problem !== undefined) expect(record.problem).not.toBe('')
    }),
    { numRuns: 500 },
  )
})

test('what cannot be read denies, where it is a policy, and is not whole, where it is a network set', () => {
  const policy = readRecord('CalicoNetworkPolicy', { namespace: 'shop', name: 'p' }, '{')
  expect(policy).toMatchObject({
    problem: 'it is not a JSON object',
    closed: { subject: { namespaces: { name: 'shop' }, pods: [] }, ingress: [{ action: 'deny' }] },
  })
  expect(readRecord('GlobalNetworkSet', { name: 's' }, '7')).toMatchObject({
    closed: { nets: [], problems: [{ field: 'spec' }] },
  })
  expect(readRecord('BgpPeering', { name: 'p' }, '[]')).toMatchObject({ closed: undefined })
})

test.each(['BgpPeering', 'BgpConfiguration', 'BgpFilter', 'BgpRange'] as const)(
  '%s that cannot be read is absent: a filter without rules would let everything pass',
  (kind) => {
    const text = JSON.stringify({
      spec: { importV4: [{ action: 'Accept', matchOperator: 'In', cidr: '10.0.0.0/33' }] },
    })
    for (const value of [text, 'x', '{"spec":7}']) {
      const record = readRecord(kind, { name: 'default' }, value)
      if (record.problem !== undefined) expect(record.closed).toBeUndefined()
    }
    expect(readRecord('BgpFilter', { name: 'f' }, text).problem).toBeDefined()
  },
)

test('the key says what an object is called', () => {
  const text = JSON.stringify({ metadata: { name: 'other', namespace: 'bank' }, spec: { selector: 'all()' } })
  expect(readRecord('CalicoNetworkPolicy', { namespace: 'shop', name: 'p' }, text)).toMatchObject({
    name: 'shop/p',
    value: { namespace: 'shop', name: 'p' },
  })
})

test('a node: what concerns BGP, whatever else it is', () => {
  const node = {
    metadata: { labels: { a: 'b', c: 1 } },
    spec: { bgp: { asNumber: '64600', ipv4Address: '192.0.2.1/24' } },
  }
  expect(calicoNodeIn(JSON.stringify(node))).toEqual({
    bgp: { addresses: [{ address: '192.0.2.1' as never, length: 24 }], asNumber: 64_600, isRecorded: true },
    labels: { a: 'b' },
  })
  expect(calicoNodeIn('{}')).toEqual({ labels: {} })
  expect(calicoNodeIn('[]')).toBeUndefined()
  fc.assert(
    fc.property(fc.object({ key: fc.constantFrom('bgp', 'spec', 'asNumber', 'ipv4Address', 'x') }), (spec) => {
      const said = calicoNodeIn(JSON.stringify({ spec }))
      if (said?.bgp === undefined) return
      expect(decodeNode({ name: 'n', uid: 'u', addresses: ['192.0.2.1'], bgp: said.bgp }).ok).toBe(true)
    }),
  )
})

test('what is wrong with a node is told by the fields of its record', () => {
  const spec = { bgp: { asNumber: 'x', ipv4Address: '192.0.2.1/40' } }
  expect(calicoNodeIn(JSON.stringify({ spec }))?.bgp?.problem).toBe(
    'spec.bgp.ipv4Address: "192.0.2.1/40" is no IPv4 address; spec.bgp.asNumber: "x" is no AS number',
  )
})
