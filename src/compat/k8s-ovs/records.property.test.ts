import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Kinds } from '../../registry/registry.ts'
import { parseGoObject } from './go-object.ts'
import type { OvsKind, RecordBinding } from './record.ts'
import { RECORDS } from './store.ts'
import { subnetKeyOf } from './subnet-record.ts'
import { FOLDERS, LAYOUT, read, reading } from './testing/reading.ts'

describe('what is written reads as it was meant', () => {
  const others = fc.dictionary(
    fc.oneof(fc.constantFrom('hostip', 'NETID', '__proto__', 'Other'), fc.string()),
    fc.json().map((text) => JSON.parse(text) as unknown),
  )
  const before = fc.option(
    others.map((object) => JSON.parse(JSON.stringify(object)) as object),
    { nil: undefined },
  )
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,12}[a-z0-9])?$/)

  test('machines', () => {
    const network: fc.Arbitrary<unknown> = fc.record(
      {
        node: label,
        machine: fc.oneof(
          fc.record({ kind: fc.constant('node'), uid: fc.stringMatching(/^[!-~]{1,30}$/) }),
          fc.record({ kind: fc.constant('external'), vni: fc.nat(0xffffff) }),
        ),
        addresses: fc.shuffledSubarray([ip('192.0.2.1'), ip('2001:db8::1'), ip('192.0.2.2')]),
        ranges: fc.shuffledSubarray([cidr('10.128.0.0/23'), cidr('fd01:0:0:1::/64')]),
        problem: fc.string({ minLength: 1 }),
        silence: fc.string({ minLength: 1 }),
      },
      { requiredKeys: ['node', 'machine', 'addresses', 'ranges'] },
    )
    const key = (value: unknown) => subnetKeyOf(value as NodeNetwork, FOLDERS)
    fc.assert(fc.property(network, before, (value, old) => survives('NodeNetwork', key(value), value as never, old)))
  })

  test('tenants', () => {
    const id = fc.string({ minLength: 1, maxLength: 60 })
    const word = fc.string({ maxLength: 40 })
    const value: fc.Arbitrary<unknown> = fc.record(
      {
        namespace: fc.constant('shop'),
        vni: fc.nat(0xffffff),
        uid: fc.stringMatching(/^[!-~]{1,30}$/),
        request: fc.oneof(
          fc.record({ id, action: fc.constant('join'), target: fc.oneof(label, word) }),
          fc.record({ id, action: fc.constantFrom('isolate', 'global') }),
          fc
            .record({ id, action: fc.constant('unknown'), text: fc.string({ minLength: 1, maxLength: 40 }) })
            .filter(({ text }) => !['global', 'isolate', 'join'].includes(text) && !text.startsWith('join:')),
        ),
        outcome: fc.oneof(
          fc.record({ id, accepted: fc.constant(true) }),
          fc.record({ id, accepted: fc.constant(false), code: id, message: word, remedy: word }),
        ),
      },
      { requiredKeys: ['namespace', 'vni'] },
    )
    fc.assert(
      fc.property(value, before, (tenant, old) =>
        survives('Tenant', `${FOLDERS.netNamespaces}shop`, tenant as never, old),
      ),
    )
  })
})

test('nothing that somebody writes breaks a reader', () => {
  const names = ['Host', 'HostIP', 'Subnet', 'Subnets', 'Addresses', 'Status', 'NodeUID', 'VNI', 'NetName', 'NetID']
  const more = ['Action', 'Namespace', 'Outcome', 'Network', 'MoreNetworks', 'PluginName', 'HostSubnetLength', 'MTU']
  const object = fc.dictionary(fc.constantFrom(...names, ...more, '__proto__', 'constructor'), fc.jsonValue())
  const text = fc.oneof(
    fc.json(),
    fc.string(),
    object.map((one) => JSON.stringify(one)),
  )
  const keys = {
    Cluster: LAYOUT.config,
    NodeNetwork: `${FOLDERS.subnets}192.0.2.1`,
    Tenant: `${FOLDERS.netNamespaces}a`,
  }
  fc.assert(
    fc.property(fc.constantFrom<OvsKind>('Cluster', 'NodeNetwork', 'Tenant'), text, (kind, value) => {
      const { object: found, problem } = reading(kind, keys[kind], value)
      expect(found === undefined).toBe(problem !== undefined)
    }),
  )
  for (const deep of ['['.repeat(200_000), '{"a":'.repeat(100_000)]) expect(parseGoObject(deep)).toBeUndefined()
})

/** Written anew, and over an older record in which others keep things of theirs. */
function survives<K extends OvsKind>(kind: K, key: string, value: Kinds[K], before: object | undefined): void {
  const binding: RecordBinding<K> = RECORDS[kind]
  const text = binding.write(value, before as never)
  expect(read(kind, key, text)).toEqual(value)
  expect(binding.write(value, parseGoObject(text))).toBe(text)
  if (before !== undefined && Object.hasOwn(before, 'Other')) {
    expect(parseGoObject(text)?.['Other']).toEqual((before as Record<string, unknown>)['Other'] as never)
  }
}
