/**
 * docs/seeds.md keeps its form: rows in order, each with a known status and a reason.
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
const rows = text
  .split('\n')
  .filter((line) => /^\| \d+\.\d+ \|/.test(line))
  .map(parseRow)

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
  const odd = rows.filter(({ status, why }) => !['works', 'replaced'].includes(status) || why === '')
  expect(odd).toEqual([])
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
