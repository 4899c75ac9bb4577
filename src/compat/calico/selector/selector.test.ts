/** Calico's selector language, held against an evaluator that shares nothing with the reader. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { meets } from './expression.ts'
import { MAX_DEMANDS, MAX_DEPTH, MAX_SELECTOR, parseSelector } from './parse.ts'

type Labels = Readonly<Record<string, string>>

/** A selector as text, and what it is to say: written down together, so that neither comes from the reader. */
interface Sample {
  readonly text: string
  readonly means: (labels: Labels) => boolean
}

const keys = fc.constantFrom('a', 'b', 'in', 'has', 'projectcalico.org/namespace', 'x-y_z.9')
const values = fc.constantFrom('', 'v', 'vw', 'wv', 'a b', '||', '!')
const quoted = values.chain((value) => fc.constantFrom(`'${value}'`, `"${value}"`).map((text) => ({ text, value })))
const gap = fc.constantFrom('', ' ', '\t ', '\n')
const labelSets: fc.Arbitrary<Labels> = fc.dictionary(keys, values)

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  fc.constant<Sample>({ text: 'all()', means: () => true }),
  keys.map((key): Sample => ({ text: `has(${key})`, means: (labels) => key in labels })),
  fc.tuple(keys, quoted, gap).map(([key, { text, value }, space]): Sample => {
    return { text: `${key}${space}==${space}${text}`, means: (labels) => labels[key] === value }
  }),
  fc.tuple(keys, quoted, gap).map(([key, { text, value }, space]): Sample => {
    return { text: `${key}${space}!=${space}${text}`, means: (labels) => labels[key] !== value }
  }),
  fc.tuple(keys, fc.array(quoted, { maxLength: 3 }), fc.boolean()).map(([key, set, isIn]): Sample => {
    const wanted: readonly (string | undefined)[] = set.map(({ value }) => value)
    return {
      text: `${key} ${isIn ? 'in' : 'not  in'} {${set.map(({ text }) => text).join(' , ')}}`,
      means: (labels) => wanted.includes(labels[key]) === isIn,
    }
  }),
  fc.tuple(keys, quoted).map(([key, { text, value }]): Sample => {
    return { text: `${key} contains ${text}`, means: (labels) => (labels[key]?.indexOf(value) ?? -1) >= 0 }
  }),
  fc.tuple(keys, quoted).map(([key, { text, value }]): Sample => {
    return { text: `${key} starts with ${text}`, means: (labels) => labels[key]?.slice(0, value.length) === value }
  }),
  fc.tuple(keys, quoted).map(
    ([key, { text, value }]): Sample => ({
      text: `${key} ends  with ${text}`,
      means: (labels) => {
        const label = labels[key]
        return label !== undefined && label.length >= value.length && label.slice(label.length - value.length) === value
      },
    }),
  ),
)

const { sample } = fc.letrec<{ sample: Sample; either: Sample; both: Sample; closed: Sample }>((tie) => ({
  closed: fc.oneof(
    { depthSize: 'small' },
    leaf,
    tie('sample').map(({ text, means }) => ({ text: `(${text})`, means })),
    tie('closed').map(({ text, means }) => ({ text: `!${text}`, means: (labels: Labels) => !means(labels) })),
  ),
  both: fc.array(tie('closed'), { minLength: 1, maxLength: 3 }).map((all) => ({
    text: all.map(({ text }) => text).join(' && '),
    means: (labels: Labels) => all.every(({ means }) => means(labels)),
  })),
  either: fc.array(tie('both'), { minLength: 1, maxLength: 3 }).map((all) => ({
    text: all.map(({ text }) => text).join('||'),
    means: (labels: Labels) => all.some(({ means }) => means(labels)),
  })),
  sample: tie('either'),
}))

test('what a selector means is what it says', () => {
  const seen = { true: 0, false: 0 }
  fc.assert(
    fc.property(sample, fc.array(labelSets, { minLength: 1, maxLength: 5 }), ({ text, means }, all) => {
      const parsed = parseSelector(text)
      if (!parsed.ok) throw new Error(`${text}: ${parsed.at}: ${parsed.reason}`)
      for (const labels of all) {
        expect(meets(parsed.expression, labels)).toBe(means(labels))
        seen[`${means(labels)}`] += 1
      }
    }),
    { numRuns: 1_000, seed: 3 },
  )
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(300)
})

test('whatever it is given it answers, within the text', () => {
  const words = fc.constantFrom(
    'a',
    "'v'",
    '==',
    '!',
    '(',
    ')',
    '{',
    '}',
    '&&',
    '||',
    ',',
    'in',
    'not in',
    'has(',
    ' ',
    '"',
    '&',
    'é',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words, { maxLength: 12 }).map((all) => all.join('')),
      ),
      (text) => {
        const parsed = parseSelector(text)
        if (parsed.ok) return
        expect(parsed.at).toBeWithin(1, text.length + 2)
        expect(parsed.reason).not.toBe('')
      },
    ),
    { numRuns: 2_000 },
  )
})

describe('what cannot be read', () => {
  const cases: readonly (readonly [text: string, at: number, reason: string])[] = [
    ["a = 'b'", 3, '"=" means nothing here'],
    ["a == 'b", 6, "a text that begins with ' does not end"],
    ['a == b', 6, 'there is "b" where a text in quotes is expected'],
    ['a', 2, 'it ends where `==`, `!=`, `in`'],
    ["a == 'b' c", 10, 'there is "c" where `&&`, `||` or the end is expected'],
    ["(a == 'b'", 10, 'it ends where `&&`, `||` or `)` is expected'],
    ["a in {'b' 'c'}", 11, 'there is "c" where a text in quotes, `,` or `}`'],
    ["a in 'b'", 6, 'there is "b" where `{` is expected'],
    ['a not contains', 3, 'there is "not" where `==`'],
    ["a == 'b' &&", 12, 'it ends where a label'],
    ['has()', 5, 'there is ")" where a label is expected'],
    ['any()', 1, 'there is no "any"()'],
    ['all(a)', 5, 'there is "a" where `)` is expected'],
    [`${'k'.repeat(513)} == 'b'`, 1, 'a label of 513 characters is too long'],
    [`${'!'.repeat(MAX_DEPTH)}all()`, MAX_DEPTH + 1, `is nested deeper than ${MAX_DEPTH}`],
    [`${'('.repeat(20_000)}`, MAX_DEPTH + 1, `is nested deeper than ${MAX_DEPTH}`],
    [`${'all()||'.repeat(MAX_DEMANDS)}all()`, 7 * MAX_DEMANDS + 1, `has more than ${MAX_DEMANDS} demands`],
    // The value that is one too many: the demand that it is of counts, too.
    [`a in {${"'',".repeat(MAX_DEMANDS)}}`, 7 + 3 * (MAX_DEMANDS - 1), `has more than ${MAX_DEMANDS} demands`],
    ['a'.repeat(MAX_SELECTOR + 1), MAX_SELECTOR + 1, 'characters are more than'],
  ]
  for (const [text, at, reason] of cases) {
    test(`${text.length > 40 ? `${text.slice(0, 40)}… (${text.length})` : text}`, () => {
      const parsed = parseSelector(text)
      expect(parsed).toMatchObject({ ok: false, at })
      expect(parsed.ok ? '' : parsed.reason).toContain(reason)
    })
  }
})

test.each([
  ['', {}, true],
  ['  \n', { a: 'b' }, true],
  ["a != 'b'", {}, true],
  ["a not in {'b'}", {}, true],
  ["a contains 'b'", {}, false],
  ["!a contains 'b'", {}, true],
  ["a == 'b' || a == 'c' && has(d)", { a: 'b' }, true],
  ["(a == 'b' || a == 'c') && has(d)", { a: 'b' }, false],
  ["! has(a) && b in {'x','y',}", { b: 'y' }, true],
  ['has(constructor)', {}, false],
  ['a in {}', { a: '' }, false],
] as const)('%p of %p', (text, labels, expected) => {
  const parsed = parseSelector(text)
  expect(parsed.ok && meets(parsed.expression, labels)).toBe(expected)
})

test('global() is what is in no namespace', () => {
  const parsed = parseSelector('global()')
  expect(parsed.ok && meets(parsed.expression, {}, true)).toBe(true)
  expect(parsed.ok && meets(parsed.expression, {}, false)).toBe(false)
})
