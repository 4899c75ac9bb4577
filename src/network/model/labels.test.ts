import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Interned } from './interned.ts'
import { decodeNamespace, decodePod } from './validate-pod.ts'

const POD = { namespace: 'shop', name: 'web-0', uid: 'u', node: 'n', addresses: [] }

function labelled(labels: unknown) {
  return decodePod({ ...POD, labels })
}

function labelsOf(labels: unknown) {
  const decoded = labelled(labels)
  if (!decoded.ok) throw new Error('no labels')
  return decoded.value.labels
}

const key = fc.string({ minLength: 1, maxLength: 63 }).filter((text) => !text.includes('\0'))
const value = fc.string({ maxLength: 63 }).filter((text) => !text.includes('\0'))

describe('labels', () => {
  test('are kept as they are given', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value), (labels) => {
        expect(Object.entries(labelsOf(labels) ?? {})).toEqual(Object.entries(labels))
      }),
    )
  })

  test.each([
    ['no object', 'x', 'labels'],
    ['a list', ['a'], 'labels'],
    ['null', null, 'labels'],
    ['a value that is no text', { a: 1 }, 'labels'],
    ['an endless value', { a: 'x'.repeat(64) }, 'labels'],
    ['an endless key', { ['x'.repeat(318)]: '' }, 'labels'],
    ['an empty key', { '': 'x' }, 'labels'],
  ])('%s is refused', (_, labels, path) => {
    const decoded = labelled(labels)
    expect(decoded.ok ? [] : decoded.problems.map((problem) => problem.path)).toEqual([path])
  })

  test('as many as an object of the API can hold are kept: nobody escapes a policy by them', () => {
    const many = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [i.toString(36), '']))
    expect(Object.keys(labelsOf(many) ?? {})).toHaveLength(30_000)
    expect(labelled(Object.fromEntries(Array.from({ length: 200_001 }, (_, i) => [`k${i}`, '']))).ok).toBe(false)
  })

  test('of a prototype’s names are labels as any other, and none is there that was not given', () => {
    const labels = labelsOf(JSON.parse('{"__proto__":"a","constructor":"b"}'))
    const found: readonly unknown[] = ['__proto__', 'constructor', 'toString'].map((key) =>
      Reflect.get(labels ?? {}, key),
    )
    expect(found).toEqual(['a', 'b', undefined])
  })

  test('of pods that one template made are one object, which nobody can change', () => {
    const [a, b] = [labelsOf({ app: 'web', team: 'shop' }), labelsOf({ app: 'web', team: 'shop' })]
    expect(a).toBe(b as never)
    expect(Object.isFrozen(a)).toBe(true)
    expect(labelsOf({ app: 'web', team: 'till' })).not.toBe(a as never)
    expect(labelsOf({ 'app,web': '' })).not.toEqual(labelsOf({ app: 'web' }) as never)
  })

  test('are a namespace’s, too', () => {
    const decoded = decodeNamespace({ name: 'shop', uid: 'u', labels: { team: 'sales' } })
    expect(decoded.ok && decoded.value.labels).toEqual({ team: 'sales' })
  })
})

describe('named ports', () => {
  const read = (namedPorts: unknown) => decodePod({ ...POD, namedPorts })

  test('of pods that one template made are one list', () => {
    const [a, b] = [1, 2].map(() => read([{ name: 'http', protocol: 'TCP', port: 80 }]))
    expect(a?.ok && a.value.namedPorts).toBe((b?.ok === true && b.value.namedPorts) as never)
  })

  test.each([
    [{ name: '', protocol: 'TCP', port: 80 }, 'namedPorts[0].name'],
    [{ name: 'http', protocol: 'ICMP', port: 80 }, 'namedPorts[0].protocol'],
    [{ name: 'http', protocol: 'TCP', port: 0 }, 'namedPorts[0].port'],
    [{ name: 'http', protocol: 'TCP', port: 65_536 }, 'namedPorts[0].port'],
  ])('%p is none', (port, path) => {
    const decoded = read([port])
    expect(decoded.ok ? [] : decoded.problems.map((problem) => problem.path)).toEqual([path])
  })
})

test('what is shared is forgotten when it has not come for long, and is no more than is said', () => {
  const interned = new Interned<object>(2)
  const of = (key: string) => interned.of(key, () => ({ key }))
  const a = of('a')
  expect(of('a')).toBe(a)
  for (const key of ['b', 'c']) of(key)
  // Moved on: it came again while it was old.
  expect(of('a')).toBe(a)
  for (const key of ['d', 'e', 'f', 'g']) of(key)
  expect(of('a')).not.toBe(a)
})
