/**
 * Rules in CEL, and values that keep or break them, with what a kube-apiserver 1.32 says to them.
 * @module
 */

/** A field `f`: its schema, what it was, what it is to be, and the words about it; without words it is stored. */
export interface RuledValue {
  readonly what: string
  readonly schema: object
  /** Absent: the object is new. */
  readonly before?: unknown
  readonly value: unknown
  readonly words?: string
}

const text = { type: 'string', maxLength: 64 }
const integer = { type: 'integer' }
const BROKEN = 'f: Invalid value: "object": '

function fields(properties: object, ...rules: readonly object[]): object {
  return { type: 'object', properties, 'x-kubernetes-validations': rules }
}

const FIXED = fields({ a: text }, { rule: 'self.a == oldSelf.a', message: 'a is fixed' })
const ITEM = { type: 'object', required: ['name'], properties: { name: text, size: integer } }
const BY_NAME = {
  type: 'array',
  maxItems: 10,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: { ...ITEM, 'x-kubernetes-validations': [{ rule: 'self.size >= oldSelf.size', message: 'it shrinks' }] },
}

/** Values and rules. */
export const RULED: readonly RuledValue[] = [
  { what: 'kept', schema: fields({ a: text }, { rule: "self.a == 'x'" }), value: { a: 'x' } },
  {
    what: 'broken, without a message',
    schema: fields({ a: text }, { rule: "self.a == 'x'" }),
    value: { a: 'y' },
    words: `${BROKEN}failed rule: self.a == 'x'`,
  },
  {
    what: 'broken, with a message',
    schema: fields({ a: text }, { rule: "self.a.contains(':')", message: 'it has no colon' }),
    value: { a: 'y' },
    words: `${BROKEN}it has no colon`,
  },
  {
    what: 'two of three',
    schema: fields(
      { a: integer },
      { rule: 'self.a > 1', message: 'one' },
      { rule: 'self.a > 2', message: 'two' },
      { rule: 'self.a > 3', message: 'three' },
    ),
    value: { a: 2 },
    words: `[${BROKEN}two, ${BROKEN}three]`,
  },
  {
    what: 'about an absent field',
    schema: fields({ a: text, b: text }, { rule: 'has(self.a) == has(self.b)', message: 'together' }),
    value: { a: 'x' },
    words: `${BROKEN}together`,
  },
  {
    what: 'of an absent field',
    schema: fields({ a: text }, { rule: "self.a == 'x'" }),
    value: {},
    words: `${BROKEN}no such key: a evaluating rule: self.a == 'x'`,
  },
  {
    what: 'of whole numbers',
    schema: fields({ a: integer, b: integer }, { rule: 'self.a * 2 <= self.b', message: 'too many' }),
    value: { a: 3, b: 5 },
    words: `${BROKEN}too many`,
  },
  {
    what: 'of a text',
    schema: { ...text, 'x-kubernetes-validations': [{ rule: "self.startsWith('a')", message: 'no a' }] },
    value: 'b',
    words: 'f: Invalid value: "string": no a',
  },
  {
    what: 'of a list',
    schema: {
      type: 'array',
      maxItems: 5,
      items: text,
      'x-kubernetes-validations': [{ rule: 'self.all(x, size(x) > 1)', message: 'short' }],
    },
    value: ['ab', 'c'],
    words: 'f: Invalid value: "array": short',
  },
  {
    what: 'of items in an object',
    schema: fields(
      { list: { type: 'array', maxItems: 5, items: ITEM } },
      { rule: 'self.list.exists_one(x, x.size == 1)', message: 'not one' },
    ),
    value: {
      list: [
        { name: 'a', size: 1 },
        { name: 'b', size: 1 },
      ],
    },
    words: `${BROKEN}not one`,
  },
  {
    what: 'by keys',
    schema: fields(
      { map: { type: 'object', maxProperties: 5, additionalProperties: integer } },
      { rule: "!('a' in self.map) || self.map['a'] < 3", message: 'a' },
    ),
    value: { map: { a: 3 } },
    words: `${BROKEN}a`,
  },
  {
    what: 'at a field of its own',
    schema: fields({ a: text }, { rule: "self.a != 'x'", message: 'not x', fieldPath: '.a' }),
    value: { a: 'x' },
    words: 'f.a: Invalid value: "object": not x',
  },
  {
    what: 'that forbids',
    schema: fields({ a: text }, { rule: 'false', message: 'no', reason: 'FieldValueForbidden' }),
    value: { a: 'x' },
    words: 'f: Forbidden: no',
  },
  {
    what: 'that requires',
    schema: fields({ a: text }, { rule: 'has(self.a)', message: 'a', reason: 'FieldValueRequired' }),
    value: {},
    words: 'f: Required value: a',
  },
  { what: 'of a change, in what is new', schema: FIXED, value: { a: 'x' } },
  { what: 'of a change, unchanged', schema: FIXED, before: { a: 'x' }, value: { a: 'x' } },
  {
    what: 'of a change, changed',
    schema: FIXED,
    before: { a: 'x' },
    value: { a: 'y' },
    words: `${BROKEN}a is fixed`,
  },
  {
    what: 'of a change of an item that has a key',
    schema: BY_NAME,
    before: [
      { name: 'a', size: 1 },
      { name: 'b', size: 5 },
    ],
    value: [
      { name: 'b', size: 4 },
      { name: 'c', size: 0 },
      { name: 'a', size: 1 },
    ],
    words: 'f[0]: Invalid value: "object": it shrinks',
  },
  {
    what: 'beside a wrong type',
    schema: fields({ a: text }, { rule: 'false', message: 'no' }),
    value: { a: 1 },
    words:
      '[f.a: Invalid value: "integer": f.a in body must be of type string: "integer", <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
  },
  {
    what: 'beside a wrong pattern',
    schema: fields({ a: { ...text, pattern: '^x' } }, { rule: 'false', message: 'no' }),
    value: { a: 'y' },
    words: `[f.a: Invalid value: "y": f.a in body should match '^x', ${BROKEN}no]`,
  },
]

/** Rules that no definition may have, and a part of what is said. */
export const REFUSED_RULES: readonly (readonly [what: string, rule: object, words: string])[] = [
  ['no words', { rule: 'self.a ==' }, 'compilation failed'],
  ['an unknown field', { rule: "self.nope == 'x'" }, "undefined field 'nope'"],
  ['an unknown field that may be absent', { rule: '!has(self.nope)' }, "undefined field 'nope'"],
  ['an unknown field of an item', { rule: 'self.list[0].nope == 1' }, "undefined field 'nope'"],
  ['an unknown name', { rule: 'nobody == 1' }, 'compilation failed'],
  ['an unknown function', { rule: 'nothing(self)' }, 'compilation failed'],
  ['no truth', { rule: '1 + 1' }, 'must evaluate to a bool'],
]
