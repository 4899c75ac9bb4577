/**
 * docs/seeds.md keeps its form: rows in order, a known status, and a capability for whatever does not work yet.
 */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Row {
  readonly number: string
  readonly status: string
  readonly why: string
}

const text = readFileSync(join(import.meta.dir, '../../docs/seeds.md'), 'utf8')
const lines = text.split('\n')
const rows = lines.filter((line) => /^\| \d+\.\d+ \|/.test(line)).map(parseRow)
const capabilities = lines
  .slice(lines.indexOf('| short name | what it brings |') + 2)
  .flatMap((line) => (line.startsWith('|') ? [cellsOf(line)[0] ?? ''] : ['']))
const known = capabilities.slice(0, capabilities.indexOf(''))

test('rows are numbered in order within each document', () => {
  const expected = new Map<string, number>()
  for (const { number } of rows) {
    const [document = '', row] = number.split('.')
    const next = (expected.get(document) ?? 0) + 1
    expected.set(document, next)
    expect(`${document}.${row}`).toBe(`${document}.${next}`)
  }
  expect([...expected.keys()]).toEqual(['1', '2', '3', '4', '5'])
})

test('every row has a known status and a reason', () => {
  const odd = rows.filter(({ status, why }) => !['works', 'replaced', 'not yet'].includes(status) || why === '')
  expect(odd).toEqual([])
})

test('whatever does not work yet names the capability that brings it', () => {
  expect(known.length).toBeGreaterThan(0)
  const vague = rows.filter(({ status, why }) => status === 'not yet' && !known.some((name) => why.includes(name)))
  expect(vague).toEqual([])
})

function parseRow(line: string): Row {
  const [number = '', , status = '', why = ''] = cellsOf(line)
  return { number, status, why }
}

/** The cells of a table's line; `\|` is no border. */
function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}
