import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { bunTest } from './bun-test.mjs'
import { failuresOf } from './failures.mjs'
import { ROOT } from './run.mjs'

const OUTPUT = `src/a.test.ts:
(pass) well [0.04ms]
error: expect(received).toBe(expected)
(fail) d > bad [0.70ms]

src/b.test.ts:
(skip) later
3 | throw
(fail) bad, in 2 ways [1.02s]

2 tests failed:
(fail) d > bad [0.70ms]
(fail) bad, in 2 ways [1.02s]
`

test('a failed test is told with its file and what it said', () => {
  expect(failuresOf(OUTPUT)).toEqual([
    { file: 'src/a.test.ts', name: 'd > bad', said: ['error: expect(received).toBe(expected)'] },
    { file: 'src/b.test.ts', name: 'bad, in 2 ways', said: ['3 | throw'] },
  ])
})

const UNSTEADY = `
import { existsSync, writeFileSync } from 'node:fs'
test('steady', () => {})
test('once', () => {
  const isFirst = !existsSync(import.meta.dir + '/flag')
  writeFileSync(import.meta.dir + '/flag', '')
  expect(isFirst).toBe(false)
})`

test.each([
  ['passes', `test('a', () => {})`, { passed: 1, failed: 0, skipped: 0 }, []],
  ['fails twice', `test('bad', () => expect(1).toBe(2))`, { passed: 0, failed: 1, unsteady: 0 }, ['1 failed again:']],
  ['fails once', UNSTEADY, { passed: 2, failed: 0, unsteady: 1 }, ['1 unsteady:', 'Expected: false', 'once more']],
  ['does not load', `throw new Error('x')`, { failed: 2 }, []],
])('a file that %s', async (_, text, summary, told) => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bun-test-'))
  try {
    writeFileSync(join(folder, 'x.test.ts'), `import { expect, test } from 'bun:test'\n${text}\n`)
    let written = ''
    const out = { write: (words) => (written += words) }
    const how = ['--timeout', '20000', '--parallel=2']
    expect(await bunTest({ how, files: [`./${relative(ROOT, folder)}/`] }, out)).toMatchObject(summary)
    for (const words of told) expect(written).toContain(words)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
