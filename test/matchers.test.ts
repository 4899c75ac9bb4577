/**
 * `toMatchObject` of Bun 1.4 writes what it compares with into what it compares: an error that was matched with
 * `{ message: expect.stringContaining('x') }` has the matcher for a message from then on, and whatever else is asked of
 * it says nothing. `toEqual(expect.objectContaining(…))` changes nothing.
 */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const ROOT = join(import.meta.dir, '..')
const FOLDERS = ['src', 'test', 'scripts', 'bench']

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
)

test('no matcher stands within toMatchObject', () => {
  expect(files.length).toBeGreaterThan(500)
  expect(
    files.flatMap((file) => misuses(readFileSync(join(ROOT, file), 'utf8')).map((line) => `${file}:${line}`)),
  ).toEqual([])
})

test('one is found, and what follows is not', () => {
  expect(misuses(`expect(a)\n  .${'toMatchObject'}({ b: f(1), c: expect.any(String) })`)).toEqual([2])
  expect(misuses(`expect(a).${'toMatchObject'}({ b: f(1) })\nexpect(a.c).toEqual(expect.any(String))`)).toEqual([])
})

/** The lines at which a matcher is given to `toMatchObject`. */
function misuses(source: string): readonly number[] {
  return [...source.matchAll(/\.toMatchObject\(/g)].flatMap(({ index }) => {
    let [at, depth] = [source.indexOf('(', index) + 1, 1]
    const start = at
    for (; depth > 0 && at < source.length; at += 1) depth += { '(': 1, ')': -1 }[source[at] ?? ''] ?? 0
    return source.slice(start, at).includes('expect.') ? [source.slice(0, index).split('\n').length] : []
  })
}
