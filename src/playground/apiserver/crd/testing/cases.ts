/**
 * Values that schemas refuse, and definitions that are no good, with what a kube-apiserver 1.32 says to them.
 * @module
 */

/** What is wrong, a field's schema, the field's value, and the words about it. */
export type RefusedValue = readonly [what: string, schema: object, value: unknown, words: string]

const text = { type: 'string' }
const integer = { type: 'integer' }

/** Values that a schema refuses, each the field `f` of an object. */
export const REFUSED: readonly RefusedValue[] = [
  ['of another type', integer, '1', 'f: Invalid value: "string": f in body must be of type integer: "string"'],
  ['with a fraction', integer, 1.5, 'f: Invalid value: "number": f in body must be of type integer: "number"'],
  ['beyond 64 bits', integer, 1e30, 'f: Invalid value: "number": f in body must be of type integer: "number"'],
  [
    'no list',
    { type: 'array', items: text },
    {},
    'f: Invalid value: "object": f in body must be of type array: "object"',
  ],
  [
    'null in a list',
    { type: 'array', items: text },
    [null],
    'f[0]: Invalid value: "null": f[0] in body must be of type string: "null"',
  ],
  ['too small', { ...integer, minimum: 0 }, -1, 'f: Invalid value: -1: f in body should be greater than or equal to 0'],
  ['too large', { ...integer, maximum: 10 }, 11, 'f: Invalid value: 11: f in body should be less than or equal to 10'],
  [
    'not above',
    { ...integer, minimum: 0, exclusiveMinimum: true },
    0,
    'f: Invalid value: 0: f in body should be greater than 0',
  ],
  [
    'not below',
    { ...integer, maximum: 10, exclusiveMaximum: true },
    10,
    'f: Invalid value: 10: f in body should be less than 10',
  ],
  [
    'no multiple',
    { type: 'number', multipleOf: 0.5 },
    0.7,
    'f: Invalid value: 0.7: f in body should be a multiple of 0.5',
  ],
  ['too long', { ...text, maxLength: 3 }, 'äöüß', 'f: Too long: may not be more than 3 bytes'],
  ['too short', { ...text, minLength: 1 }, '', 'f: Invalid value: "": f in body should be at least 1 chars long'],
  ['off the pattern', { ...text, pattern: '^a$' }, 'b', 'f: Invalid value: "b": f in body should match \'^a$\''],
  ['not listed', { ...text, enum: ['x', 'y'] }, 'z', 'f: Unsupported value: "z": supported values: "x", "y"'],
  ['no listed number', { ...integer, enum: [1, 2] }, 3, 'f: Unsupported value: 3: supported values: "1", "2"'],
  [
    'no listed object',
    { type: 'object', enum: [{ a: 1 }], properties: { a: integer } },
    { a: 2 },
    'f: Unsupported value: map[string]interface {}{"a":2}: supported values: "{\\"a\\":1}"',
  ],
  [
    'too few items',
    { type: 'array', items: text, minItems: 1 },
    [],
    'f: Invalid value: 0: f in body should have at least 1 items',
  ],
  [
    'too many items',
    { type: 'array', items: text, maxItems: 1 },
    ['a', 'b'],
    'f: Too many: 2: must have at most 1 items',
  ],
  [
    'too few fields',
    { type: 'object', additionalProperties: text, minProperties: 2 },
    { a: 'b' },
    'f: Invalid value: 1: f in body should have at least 2 properties',
  ],
  ['no field', { type: 'object', required: ['a'], properties: { a: text } }, {}, 'f.a: Required value'],
  ['a null field', { type: 'object', required: ['a'], properties: { a: text } }, { a: null }, 'f.a: Required value'],
  [
    'twice in a set',
    { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    ['a', 'b', 'a'],
    'f[2]: Duplicate value: "a"',
  ],
  [
    'twice in a map',
    {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k', 'p'],
      items: { type: 'object', required: ['k'], properties: { k: text, p: { ...integer, default: 1 } } },
    },
    [{ k: 'a' }, { k: 'a', p: 2 }, { k: 'a', p: 1 }],
    'f[2]: Duplicate value: map[string]interface {}{"k":"a", "p":1}',
  ],
  [
    'no integer and no text',
    { 'x-kubernetes-int-or-string': true },
    true,
    'f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"',
  ],
  [
    'no object',
    { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    {},
    '[f.apiVersion: Required value: must not be empty, f.kind: Required value: must not be empty]',
  ],
  [
    'none of one',
    { ...integer, oneOf: [{ minimum: 3 }, { maximum: 1 }] },
    2,
    '[<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found none valid, f: Invalid value: 2: f in body should be greater than or equal to 3]',
  ],
  [
    'two of one',
    { ...integer, oneOf: [{ minimum: 1 }, { maximum: 3 }] },
    2,
    '<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    'none of any',
    { ...integer, anyOf: [{ minimum: 3 }, { maximum: 1 }] },
    2,
    '[<nil>: Invalid value: "": "f" must validate at least one schema (anyOf), f: Invalid value: 2: f in body should be greater than or equal to 3]',
  ],
  [
    'one of all',
    { ...integer, allOf: [{ minimum: 3 }, { maximum: 5 }] },
    2,
    '[f: Invalid value: 2: f in body should be greater than or equal to 3, <nil>: Invalid value: "": "f" must validate all the schemas (allOf)]',
  ],
  [
    'what is ruled out',
    { ...integer, not: { enum: [3] } },
    3,
    '<nil>: Invalid value: "": "f" must not validate the schema (not)',
  ],
  ...Object.entries({
    ipv4: '::1',
    ipv6: '1.2.3.4',
    cidr: '1.2.3.4',
    mac: 'x',
    'date-time': '2024-02-30T00:00:00Z',
    date: '2023-02-29',
    duration: 'x',
    uuid: 'x',
    uri: '::',
    email: 'x',
    hostname: 'a b',
    byte: '%',
  }).map(
    ([format, value]): RefusedValue => [
      `as no ${format}`,
      { ...text, format },
      value,
      `f: Invalid value: "${value}": f in body must be of type ${format}: "${value}"`,
    ],
  ),
]

/** What is wrong, the object's schema, and the words about it. */
export type RefusedSchema = readonly [what: string, schema: object, words: string]

const root = (f: object) => ({ type: 'object', properties: { f } })
const AT = 'spec.validation.openAPIV3Schema'
const F = `${AT}.properties[f]`

/** Schemas that are not structural. */
export const REFUSED_SCHEMAS: readonly RefusedSchema[] = [
  ['no type', {}, `${AT}.type: Required value: must not be empty at the root`],
  ['no object', { type: 'string' }, `${AT}.type: Invalid value: "string": must be object at the root`],
  ['a field without a type', root({}), `${F}.type: Required value: must not be empty for specified object fields`],
  [
    'a type that is none',
    root({ type: 'foo' }),
    `${F}.type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string"`,
  ],
  ['a list of nothing', root({ type: 'array' }), `${F}.items: Required value: must be specified`],
  [
    'named and other fields',
    root({ type: 'object', properties: { x: text }, additionalProperties: text }),
    `${F}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
  ],
  [
    'unique items',
    root({ type: 'array', uniqueItems: true, items: text }),
    `${F}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
  ],
  [
    'an unreadable pattern',
    root({ ...text, pattern: '(' }),
    `${F}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
  ],
  ['a reference', root({ ...text, $ref: '#/x' }), `${F}.$ref: Forbidden: $ref is not supported`],
  [
    'a wrong default',
    root({ ...text, default: 5 }),
    `${F}.default: Invalid value: "integer":  in body must be of type string: "integer"`,
  ],
  [
    'a map without keys',
    root({ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } }),
    `${F}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
  ],
  [
    'a key that may be missing',
    root({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: text } },
    }),
    `${F}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
  ],
  [
    'a list of no kind',
    root({ type: 'array', 'x-kubernetes-list-type': 'foo', items: text }),
    `${F}.x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map"`,
  ],
  [
    'a choice with a type',
    root({ ...integer, anyOf: [{ type: 'integer' }] }),
    `${F}.anyOf[0].type: Forbidden: must be empty to be structural`,
  ],
  [
    'a choice with a default',
    root({ ...integer, anyOf: [{ default: 3 }] }),
    `${F}.anyOf[0].default: Forbidden: must be undefined to be structural`,
  ],
  [
    'metadata of its own',
    { type: 'object', properties: { metadata: { type: 'object', properties: { foo: text } } } },
    `${AT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
  ],
  [
    'pruning said otherwise',
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
    `${AT}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
  ],
  [
    'an embedded object of nothing',
    root({ type: 'object', 'x-kubernetes-embedded-resource': true }),
    `${F}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
  ],
]
