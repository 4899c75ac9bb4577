/** Nothing is in the table that nobody raises. */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { CNI_ERRORS } from './error-table.ts'

const SOURCE = new URL('../', import.meta.url)
const raised = new Set(sources().flatMap(raisedIn))

test.each(Object.keys(CNI_ERRORS))('somebody raises %s', (id) => {
  expect(raised).toContain(id)
})

test('every text that the forwarder is given is printed by it', () => {
  const [program, texts] = ['forwarder.c', 'forwarder_texts.h'].map((name) =>
    readFileSync(new URL(`../native/${name}`, SOURCE), 'utf8'),
  )
  const names = [...(texts ?? '').matchAll(/^#define (TEXT_\w+)/gm)].map(([, name]) => name ?? '')
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(program ?? ''))).toEqual([])
})

function sources(): readonly string[] {
  const paths = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  const own = paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  return own.map((path) => readFileSync(new URL(path, SOURCE), 'utf8'))
}

/** The ids in calls of `cniError`: the agent's, the forwarder's texts, the errors of other rooms. */
function raisedIn(source: string): readonly string[] {
  return [...source.matchAll(/\bcniError\(\s*'([a-z-]+)'/g)].map(([, id]) => id ?? '')
}
