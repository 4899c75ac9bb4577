/**
 * The table of errors in docs/cni.md is that of src/cni/error-table.ts, and its versions are those of src/cni/version.ts.
 * `WEFT_UPDATE_DOCS=1 bun test test/docs/cni.test.ts` writes it anew.
 */
import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CNI_ERRORS } from '../../src/cni/error-table.ts'
import { CNI_VERBS, CNI_VERSIONS, verbSince } from '../../src/cni/version.ts'
import { ROOT } from './markdown.ts'

const PATH = join(ROOT, 'docs/cni.md')
const BEGIN = '<!-- errors: generated, see test/docs/cni.test.ts -->\n'
const END = '<!-- end of errors -->\n'

test('the table of errors is current', () => {
  const text = readFileSync(PATH, 'utf8')
  const [before = '', rest = ''] = text.split(BEGIN)
  const [table = '', after = ''] = rest.split(END)
  const expected = errorTable()
  if (process.env['WEFT_UPDATE_DOCS'] === '1') writeFileSync(PATH, `${before}${BEGIN}${expected}${END}${after}`)
  else expect(table).toBe(expected)
})

test('versions and verbs are current', () => {
  const text = readFileSync(PATH, 'utf8')
  expect(text).toContain(`| ADD, DEL | ${CNI_VERSIONS.join(', ')} |`)
  for (const verb of CNI_VERBS) {
    if (verb === 'ADD' || verb === 'DEL') continue
    const row = text.split('\n').find((line) => line.startsWith('|') && line.split('|')[1]?.includes(verb))
    expect(row).toContain(verbSince(verb))
  }
})

function errorTable(): string {
  const rows = Object.entries(CNI_ERRORS).sort(([, a], [, b]) => a.code - b.code)
  return [
    '| code | id | cause | what to do |',
    '|---|---|---|---|',
    ...rows.map(([id, { code, message, remedy }]) => `| ${code} | \`${id}\` | ${message} | ${remedy} |`),
    '',
  ].join('\n')
}
