import { expect, test } from 'bun:test'
import { weftBindings } from '../bindings.ts'

const { decode, encode, patch } = weftBindings.NetworkPolicy

function policy(annotations: Readonly<Record<string, unknown>> | undefined, spec: unknown = { podSelector: {} }) {
  return { metadata: { namespace: 'shop', name: 'web', uid: 'u', annotations }, spec } as never
}

test.each([
  [undefined, undefined],
  [{}, undefined],
  [{ 'weft.dev/log': 'drops' }, true],
  [{ 'weft.dev/log': 'everything' }, undefined],
  [{ 'weft.dev/log': true }, undefined],
])('annotations %p', (annotations, log) => {
  expect(decode(policy(annotations))).toMatchObject(log === undefined ? {} : { log })
  expect((decode(policy(annotations)) as { log?: true }).log).toBe(log as never)
})

test('a policy that nobody understands is logged all the same', () => {
  const read = decode(policy({ 'weft.dev/log': 'drops' }, { podSelector: 7 }))
  expect(read).toMatchObject({ log: true, ingress: [], egress: [] })
})

test('is written, and taken away', () => {
  const read = decode(policy({ 'weft.dev/log': 'drops' })) as Parameters<typeof encode>[0]
  expect(decode(encode(read))).toEqual({ ...read, uid: undefined as never })
  const { log: _, ...quiet } = read
  expect(patch(quiet)).toMatchObject({ metadata: { annotations: { 'weft.dev/log': null } } })
})
