import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { CniError } from './errors.ts'
import { networkListOf } from './network-list.ts'

const read = (config: object) => networkListOf(JSON.stringify(config), 'nad', 'pods/nad')

test.each<[string, object, object]>([
  ['a single plugin', { type: 'x', a: 1 }, { name: 'nad', version: '0.1.0', plugins: [{ type: 'x', a: 1 }] }],
  ['its own name', { type: 'x', name: 'own' }, { name: 'own' }],
  ['an empty name', { type: 'x', name: '' }, { name: 'nad' }],
  ['a list', { plugins: [{ type: 'x' }, { type: 'y' }] }, { plugins: [{ type: 'x' }, { type: 'y' }] }],
  ['a type beside a list', { type: 'x', plugins: [{ type: 'y' }] }, { plugins: [{ type: 'x' }] }],
  ['a version', { type: 'x', cniVersion: '0.4.0' }, { version: '0.4.0' }],
  ['versions', { type: 'x', cniVersion: '0.4.0', cniVersions: ['1.0.0', '0.3.1', '9.9.9'] }, { version: '1.0.0' }],
  ['versions alone', { type: 'x', cniVersions: ['0.3.1'] }, { version: '0.3.1' }],
  ['no switches', { type: 'x' }, { disableCheck: false, disableGc: false }],
  ['switches', { type: 'x', disableCheck: true, disableGC: true }, { disableCheck: true, disableGc: true }],
  [
    'a switch in words',
    { type: 'x', disableCheck: 'True', disableGC: 'FALSE' },
    { disableCheck: true, disableGc: false },
  ],
])('%s', (_, config, expected) => {
  expect<unknown>(read(config)).toMatchObject(expected)
})

test.each<[string, number, string]>([
  ['', 6, 'pods/nad: empty'],
  ['{', 6, 'pods/nad: unexpected end at line 1, column 2'],
  ['[]', 7, 'pods/nad: config: must be an object'],
  ['{}', 7, 'pods/nad: plugins: must name at least one plugin'],
  ['{"plugins":[]}', 7, 'pods/nad: plugins: must name at least one plugin'],
  ['{"plugins":{}}', 7, 'pods/nad: plugins: must be a list'],
  ['{"plugins":[7]}', 7, 'pods/nad: plugins[0]: must be an object'],
  ['{"plugins":[{"type":"x"},{}]}', 7, 'pods/nad: plugins[1].type: is missing'],
  ['{"type":7}', 7, 'pods/nad: type: must be a string'],
  ['{"type":"../../tmp/x"}', 7, "pods/nad: type: must be a program's name"],
  ['{"type":"x","name":"a/b"}', 7, 'pods/nad: name: must begin'],
  ['{"type":"x","cniVersion":"9.9.9"}', 1, 'config is "9.9.9"'],
  ['{"type":"x","cniVersion":"9.9.9","cniVersions":["0.9.0"]}', 1, 'config is "9.9.9, 0.9.0"'],
  ['{"type":"x","cniVersion":1}', 7, 'pods/nad: cniVersion: must be a string'],
  ['{"type":"x","disableCheck":1}', 7, 'pods/nad: disableCheck: must be true or false'],
  [`{"plugins":[${Array(33).fill('{"type":"x"}').join(',')}]}`, 7, 'pods/nad: plugins: must not be more than 32'],
  [`{"type":"x","a":${'['.repeat(100)}${']'.repeat(100)}}`, 6, 'nested deeper than 64 levels'],
  [`{"type":"x","a":"${'a'.repeat(1_048_576)}"}`, 5, 'larger than the limit'],
  ['['.repeat(500_000), 6, 'pods/nad: '],
])('%.60s is refused', (text, code, words) => {
  expect(refusal(text)).toEqual(expect.objectContaining({ code, message: expect.stringContaining(words) }))
})

test('whatever is written is read or refused in words', () => {
  const plugin = fc.record({ type: fc.oneof(fc.string(), fc.jsonValue()) })
  const config = fc.record({ name: fc.jsonValue(), plugins: fc.oneof(fc.array(plugin), fc.jsonValue()) })
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    config.map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(text, (written) => {
      try {
        for (const { type } of networkListOf(written, 'nad').plugins) expect(type).toMatch(/^[\w][\w.-]*$/)
      } catch (error) {
        expect(error).toBeInstanceOf(CniError)
      }
    }),
  )
})

function refusal(text: string): CniError {
  try {
    networkListOf(text, 'nad', 'pods/nad')
  } catch (error) {
    if (error instanceof CniError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
