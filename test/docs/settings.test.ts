/**
 * The tables in docs/settings.md are those of src/settings/table.ts.
 * `WEFT_UPDATE_DOCS=1 bun test test/docs/settings.test.ts` writes them anew.
 */
import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { settingsPage } from '../../src/settings/print.ts'
import { ROOT } from './markdown.ts'

const PATH = join(ROOT, 'docs/settings.md')
const BEGIN = '<!-- settings: generated, see test/docs/settings.test.ts -->\n'
const END = '<!-- end of settings -->\n'

test('the tables of settings are current', () => {
  const text = readFileSync(PATH, 'utf8')
  const [before = '', rest = ''] = text.split(BEGIN)
  const [tables = '', after = ''] = rest.split(END)
  const expected = `\n${settingsPage()}\n`
  if (process.env['WEFT_UPDATE_DOCS'] === '1') writeFileSync(PATH, `${before}${BEGIN}${expected}${END}${after}`)
  else expect(tables).toBe(expected)
})
