import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../kube/object.ts'
import { cidr, ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import { POLICY_KINDS } from '../network/model/policy.ts'
import type { Tenant } from '../network/model/tenant.ts'
import { decodeValue, KINDS } from '../registry/codec.ts'
import { examples } from '../registry/conformance-tools.ts'
import type { Kind, Kinds } from '../registry/registry.ts'
import { weftBindings } from './bindings.ts'
import { mergePatched } from './testing/merge-patch.ts'

const word = fc.string({ maxLength: 40 })
const id = fc.string({ minLength: 1, maxLength: 60 })
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,12}[a-z0-9])?$/)
const uid = fc.stringMatching(/^[!-~]{1,30}$/)

const request = fc.oneof(
  fc.record({ id, action: fc.constant('join' as const), target: fc.oneof(label, word) }),
  fc.record({ id, action: fc.constantFrom('isolate' as const, 'global' as const) }),
  fc
    .record({ id, action: fc.constant('unknown' as const), text: fc.oneof(word, fc.constant('leave')) })
    .filter(({ text }) => !['global', 'isolate'].includes(text) && !text.startsWith('join:')),
)
const outcome = fc.oneof(
  fc.record({ id, accepted: fc.constant(true as const) }),
  fc.record({ id, accepted: fc.constant(false as const), code: id, message: word, remedy: word }),
)
const tenant: fc.Arbitrary<Tenant> = optionals(
  fc.record({ namespace: label, vni: fc.nat(0xffffff), uid, request, outcome }, { requiredKeys: ['namespace', 'vni'] }),
)
const cluster: fc.Arbitrary<Cluster> = optionals(
  fc.record(
    {
      networks: fc.constantFrom(
        [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
        [{ cidr: cidr('fd01::/48'), hostBits: 64 }],
        [
          { cidr: cidr('fd01::/48'), hostBits: 64 },
          { cidr: cidr('10.128.0.0/14'), hostBits: 9 },
        ],
      ),
      serviceNetworks: fc.subarray([cidr('172.30.0.0/16'), cidr('fd02::/112')]),
      tenancy: fc.constantFrom('multitenant' as const, 'subnet' as const),
      encapsulation: fc.oneof(
        fc.record({
          type: fc.constantFrom('vxlan' as const, 'geneve' as const),
          port: fc.integer({ min: 1, max: 65535 }),
        }),
        fc.constant({ type: 'gre' as const }),
      ),
      underlay: fc.constantFrom(4 as const, 6 as const),
      services: fc.constantFrom('weft' as const, 'kube-proxy' as const),
      mtu: fc.integer({ min: 1280, max: 65535 }),
    },
    { requiredKeys: ['networks', 'serviceNetworks', 'tenancy', 'encapsulation', 'underlay', 'services'] },
  ),
)
const status = fc.record(
  {
    ready: fc.boolean(),
    reason: fc.string({ minLength: 1 }),
    uplinkMtu: fc.nat(65535),
    datapath: fc.constantFrom('system' as const, 'netdev' as const),
    beat: fc.nat(),
  },
  { requiredKeys: ['ready', 'uplinkMtu', 'datapath'] },
)
const nodeNetwork: fc.Arbitrary<NodeNetwork> = optionals(
  fc.record(
    {
      node: label,
      machine: fc.oneof(
        fc.record({ kind: fc.constant('node' as const), uid }),
        fc.record({ kind: fc.constant('external' as const), vni: fc.nat(0xffffff) }),
      ),
      addresses: fc.subarray([ip('192.0.2.1'), ip('2001:db8::1')]),
      ranges: fc.subarray([cidr('10.128.0.0/23'), cidr('fd01:0:0:1::/64')]),
      problem: fc.string({ minLength: 1 }),
      silence: fc.string({ minLength: 1 }),
      status,
    },
    { requiredKeys: ['node', 'machine', 'addresses', 'ranges'] },
  ),
)

describe('what is written reads as it was meant', () => {
  test('tenants', () => fc.assert(fc.property(tenant, tenant, (a, b) => survives('Tenant', a, b, b.namespace))))
  test('the cluster', () => fc.assert(fc.property(cluster, cluster, (a, b) => survives('Cluster', a, b, 'default'))))
  test('nodes’ networks', () =>
    fc.assert(fc.property(nodeNetwork, nodeNetwork, (a, b) => survives('NodeNetwork', a, b, b.node))))

  test.each(KINDS)('%s, as far as the API server lets its clients write it', (kind) => {
    const { name, value } = examples[kind]
    const served = asServed(weftBindings[kind].encode(value as never), value)
    expect(weftBindings[kind].nameOf(served)).toBe(name)
    expect(decodeValue(kind, name, weftBindings[kind].decode(served))).toEqual(value as never)
  })
})

/** Written anew, and over an older object of the same name in which others keep things of theirs. */
function survives<K extends Kind>(kind: K, before: Kinds[K], value: Kinds[K], name: string): void {
  const binding = weftBindings[kind]
  const isSame = (object: KubeObject): void =>
    expect(decodeValue(kind, name, binding.decode(JSON.parse(JSON.stringify(object))))).toEqual(value)
  expect(binding.nameOf(binding.encode(value))).toBe(name)
  isSame(binding.encode(value))
  const others = { labels: { theirs: 'x' }, annotations: { theirs: 'y' } }
  const old = mergePatched(mergePatched(binding.encode(before), { metadata: { ...others, name } }), {
    egressIPs: ['z'],
  })
  const patched = mergePatched(old, binding.patch(value)) as unknown as KubeObject
  isSame(patched)
  expect(patched.metadata).toMatchObject(others)
  expect(patched['egressIPs']).toEqual(['z'])
  // A write that changes nothing changes nothing.
  expect(mergePatched(patched, binding.patch(value))).toEqual(patched)
}

test('garbage is for the validators to refuse, whatever it is', () => {
  const anything = fc.anything({ withNullPrototype: true, withBigInt: true })
  const odd = fc.oneof(anything, fc.record({ metadata: anything, spec: anything, status: anything, weft: anything }))
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), odd, (kind, garbage) => {
      const { nameOf, decode } = weftBindings[kind]
      nameOf(garbage as KubeObject)
      try {
        decodeValue(kind, 'x', decode(garbage as KubeObject))
      } catch (error) {
        expect(error).toMatchObject({ code: 'REGISTRY_INVALID' })
      }
    }),
  )
})

test('a policy is there whatever it says: what nobody understands fails closed', () => {
  const anything = fc.jsonValue({ maxDepth: 5 })
  const peers = fc.array(fc.oneof(anything, fc.record({ podSelector: anything }), fc.record({ networks: anything })))
  const rule = fc.record({
    action: fc.constantFrom('Allow', 'Deny', 'Accept'),
    from: peers,
    to: peers,
    ports: anything,
  })
  const rules = fc.oneof(anything, fc.array(fc.oneof(anything, rule)))
  const fields = { subject: anything, podSelector: anything, priority: anything, ingress: rules, egress: rules }
  const spec = fc.oneof(anything, fc.record(fields, { requiredKeys: [] }))
  fc.assert(
    fc.property(fc.constantFrom(...POLICY_KINDS), spec, (kind, spec) => {
      const object = { metadata: { name: 'default', namespace: 'shop', uid: 'u' }, spec } as unknown as KubeObject
      const { nameOf, decode } = weftBindings[kind]
      const name = nameOf(object) ?? ''
      const policy = decodeValue(kind, name, decode(object))
      for (const { action, peers, ports } of [...(policy.ingress ?? []), ...(policy.egress ?? [])]) {
        // Only what names somebody, or restricts nothing in an object that says so, allows.
        if (action === 'allow' && peers === undefined && ports === undefined) expect(kind).toBe('NetworkPolicy')
      }
    }),
  )
})

test('a deep, wide or self-referring object is read as any other', () => {
  const loop: Record<string, unknown> = { name: 'x' }
  loop['annotations'] = loop
  for (const kind of KINDS) weftBindings[kind].decode({ metadata: loop, spec: loop, status: loop } as never)
})

function asServed(object: KubeObject, value: object): KubeObject {
  const uid = 'uid' in value ? { uid: String(value.uid) } : {}
  const time = 'createdAt' in value ? { creationTimestamp: String(value.createdAt) } : {}
  return { ...object, metadata: { ...object.metadata, ...uid, ...time } }
}

/** Absent fields are absent, not undefined. */
function optionals<T>(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<T> {
  return arbitrary as fc.Arbitrary<T>
}
