import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, EXIT_BY_CODE, exitCodeOf } from './exit-codes.ts'

const SRC = join(import.meta.dir, '..')

test.each([
  ['CLI_USAGE', EXIT.usage],
  ['REGISTRY_UNAVAILABLE', EXIT.unreachable],
  ['TENANT_TIMEOUT', EXIT.unreachable],
  ['ECONNREFUSED', EXIT.unreachable],
  // A file that is missing is not somebody who does not answer.
  ['ENOENT', EXIT.failed],
  ['KUBE_CONFIG', EXIT.usage],
  ['SETTINGS_UNREADABLE', EXIT.usage],
  ['TENANT_SELF_JOIN', EXIT.failed],
  ['SOMETHING_UNAVAILABLE', EXIT.failed],
  ['PLAY_NO_PROGRAM', EXIT.noProgram],
])('%s → %p', (code, exit) => {
  expect(exitCodeOf(Object.assign(new Error('x'), { code }))).toBe(exit)
})

test('whatever has no code failed', () => {
  for (const thrown of [new Error('x'), 'text', undefined, null, { code: 7 }])
    expect(exitCodeOf(thrown)).toBe(EXIT.failed)
})

test('every listed code exists in the source', async () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => file.endsWith('.ts') && !file.includes('exit-codes'))
  const text = sources.map((file) => readFileSync(join(SRC, file), 'utf8')).join('\n')
  const known = new Set([...text.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, code]) => code))
  const ours = [...EXIT_BY_CODE.keys()].filter((code) => code.includes('_'))
  expect(ours.filter((code) => !known.has(code))).toEqual([])
})
