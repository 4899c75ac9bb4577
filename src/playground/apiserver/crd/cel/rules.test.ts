import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { crdResource } from '../index.ts'
import { readSchema } from '../schema.ts'
import { definition, resourceWith, thing } from '../testing/definitions.ts'
import { REFUSED_RULES, RULED } from '../testing/rules.ts'
import { compileRule } from './rule.ts'
import { celValue } from './value.ts'

const A = { type: 'object', properties: { a: { type: 'string' }, list: { type: 'array', items: { type: 'object' } } } }

function withRules(...rules: readonly object[]): object {
  return { ...A, 'x-kubernetes-validations': rules }
}

describe('a rule', () => {
  for (const { what, schema, before, value, words } of RULED) {
    test(what, () => {
      const resource = resourceWith({ type: 'object', properties: { f: schema } })
      const work = (): unknown =>
        resource.prepare(thing({ f: value }), before === undefined ? undefined : thing({ f: before }))
      if (words === undefined) expect(work()).toEqual(thing({ f: value }))
      else expect(work).toThrow(`Thing.test.example "x" is invalid: ${words}`)
    })
  }

  test('at the root sees the object’s name, and no more of its metadata', () => {
    const { prepare } = resourceWith(withRules({ rule: "self.metadata.name == 'x' && self.kind == 'Thing'" }))
    expect(prepare(thing({}), undefined)).toEqual(thing({}))
    const { prepare: other } = resourceWith(withRules({ rule: '!has(self.metadata.labels)' }))
    const labelled = { ...thing({}), metadata: { name: 'x', labels: { a: 'b' } } }
    expect(other(labelled, undefined)).toEqual(labelled)
  })

  test('finds nothing that no field is', () => {
    const open = { ...withRules({ rule: "!('constructor' in self.map) && self.map.size() == 1" }) }
    const map = { type: 'object', additionalProperties: { type: 'string' } }
    const { prepare } = resourceWith({ ...open, properties: { map } })
    const object = thing({ map: { a: 'b' } })
    expect(prepare(object, undefined)).toEqual(object)
  })

  test('matches as Kubernetes does, and no text holds it up', () => {
    const { prepare } = resourceWith({
      ...A,
      ...withRules({ rule: "!has(self.a) || self.a.matches('^(a|a)*b\\\\b$')" }),
    })
    expect(prepare(thing({ a: 'aab' }), undefined)).toEqual(thing({ a: 'aab' }))
    expect(() => prepare(thing({ a: 'a'.repeat(5000) }), undefined)).toThrow('failed rule')
    const { prepare: broken } = resourceWith(withRules({ rule: "!has(self.a) || self.a.matches('(')" }))
    expect(() => broken(thing({ a: 'a' }), undefined)).toThrow('no such pattern')
  })

  test('that would take long is broken', () => {
    const loops = 'self.list.all(a, self.list.all(b, self.list.all(c, self.list.all(d, self.list.all(e, true)))))'
    const list = { type: 'array', items: { type: 'integer' } }
    const { prepare } = resourceWith({ ...withRules({ rule: loops }), properties: { list } })
    const few = thing({ list: [1, 2] })
    expect(prepare(few, undefined)).toEqual(few)
    const many = thing({ list: Array.from({ length: 1000 }, (_, i) => i) })
    expect(() => prepare(many, undefined)).toThrow('running out of cost budget')
  })
})

describe('a rule is refused', () => {
  const refused: typeof REFUSED_RULES = [
    ...REFUSED_RULES,
    ['what only we call so', { rule: "self.a.matchesInLinearTime('x')" }, 'compilation failed: undeclared reference'],
    ['Kubernetes’ own functions', { rule: 'isIP(self.a)' }, 'compilation failed'],
    ['a message that is made', { rule: 'true', messageExpression: "'x'" }, 'does not know messageExpression'],
    ['a change from nothing', { rule: 'true', optionalOldSelf: true }, 'does not know optionalOldSelf'],
    ['another reason', { rule: 'true', reason: 'Bored' }, 'reason has to be one of'],
    ['a rule without end', { rule: `${'true && '.repeat(2000)}true` }, 'longer than'],
    ['a rule of very many parts', { rule: `[${'1,'.repeat(500)}1].size() > 0` }, 'compilation failed'],
    ['a path that is none', { rule: 'true', fieldPath: 'a b' }, 'fieldPath has to be'],
    ['nothing', {}, 'rule is not specified'],
  ]
  test.each([...refused])('%s', (_, rule, words) => {
    const schema = { type: 'object', properties: { f: withRules(rule) } }
    expect(() => crdResource.prepare(definition(schema), undefined)).toThrow(words)
    expect(() => crdResource.prepare(definition(schema), undefined)).toThrow(
      'spec.validation.openAPIV3Schema.properties[f].x-kubernetes-validations[0].rule',
    )
  })

  test('where a schema only judges', () => {
    const schema = {
      type: 'object',
      properties: { f: { ...A, not: { 'x-kubernetes-validations': [{ rule: 'true' }] } } },
    }
    expect(() => crdResource.prepare(definition(schema), undefined)).toThrow('must be undefined to be structural')
  })
})

test('whatever a rule says of whatever value, it is an answer', () => {
  const word = fc.constantFrom(
    ...[
      'self',
      'oldSelf',
      '.a',
      '.list',
      '[0]',
      '(',
      ')',
      '==',
      '<',
      '&&',
      '!',
      '+',
      '-',
      '?',
      ':',
      '1',
      '"x"',
      'has(',
    ],
    ...['.all(x, ', '.map(x, ', 'x', 'in', '[', ']', '{', ',', 'size(', 'int(', 'null', 'true', '.split(', '%', '/'],
  )
  const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '))
  const schema = readSchema(A)
  const value = fc.jsonValue({ maxDepth: 3 }).map((json) => celValue({ a: json, list: [json] }, schema))
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), value, (rule, self) => {
      const compiled = compileRule({ rule }, schema)
      if (typeof compiled === 'string') return
      const why = compiled.broken(self, self)
      expect(why === undefined || why.length < 1000).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
