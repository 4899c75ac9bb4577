import { expect, test } from 'bun:test'
import type { Stored } from '../registry/registry.ts'
import { Mirror } from './mirror.ts'

type Feed = (mirror: Mirror<'Namespace'>) => void

const at = (revision: number, name = 'a'): Stored<'Namespace'> => ({ name, revision, value: { name, uid: 'u' } })
const put =
  (revision: number): Feed =>
  (mirror) =>
    mirror.heard({ type: 'put', object: at(revision) })
const remove =
  (revision: number): Feed =>
  (mirror) =>
    mirror.heard({ type: 'delete', object: at(revision) })
const answered =
  (revision: number): Feed =>
  (mirror) =>
    mirror.answered(at(revision))
const gone =
  (revision: number): Feed =>
  (mirror) =>
    mirror.gone('a', revision)
const list =
  (revision: number, ...revisions: readonly number[]): Feed =>
  (mirror) =>
    mirror.listed({ revision, objects: revisions.map((one) => at(one)) })

const CASES: readonly (readonly [title: string, feeds: readonly Feed[], revision: number | undefined])[] = [
  ['what is told', [put(5)], 5],
  ['what is told to be gone', [put(5), remove(6)], undefined],
  ['an own write before the watch tells of it', [put(5), answered(7)], 7],
  ['late news of an object written since', [answered(7), put(5)], 7],
  ['late news of a deletion before an own write', [put(5), answered(9), remove(7)], 9],
  ['an own deletion before the watch tells of it', [put(5), gone(5)], undefined],
  ['late news of an object deleted since', [put(5), gone(5), put(5)], undefined],
  ['late news of an own write that was deleted since', [put(5), answered(7), gone(7), put(7)], undefined],
  ['a successor of what was deleted', [put(5), gone(5), put(8)], 8],
  ['a deletion of what has a successor', [put(8), gone(5)], 8],
  ['an answer that comes after its object was told to be gone', [put(5), remove(6), answered(5)], undefined],
  ['an answer that comes after a listing without its object', [list(9), answered(7)], undefined],
  ['a listing', [list(9, 4)], 4],
  ['a listing without the object', [put(5), list(9)], undefined],
  ['a listing without an own write that is older', [answered(7), list(9)], undefined],
  ['a listing without an own write that is newer', [list(5), answered(10), list(9)], 10],
  ['a listing with an older state than an own write', [answered(10), list(9, 4)], 10],
  ['a registry that was restored', [put(500), list(20, 4)], 4],
]

test('a listing that says something else of an object at the same revision', () => {
  const told: (string | undefined)[] = []
  const mirror = new Mirror<'Namespace'>({ put: ({ value }) => void told.push(value.uid), remove: () => undefined })
  const other = { ...at(4), value: { name: 'a', uid: 'other' } }
  for (const object of [at(4), other, { ...other, value: { ...other.value } }]) {
    mirror.listed({ revision: 9, objects: [object] })
  }
  expect(told).toEqual(['u', 'other'])
})

test.each(CASES)('%s', (_, feeds, revision) => {
  const told = new Map<string, number>()
  const mirror = new Mirror<'Namespace'>({
    put: (object) => void told.set(object.name, object.revision),
    remove: (name) => void told.delete(name),
  })
  for (const feed of feeds) feed(mirror)
  expect(mirror.get('a')?.revision).toBe(revision as number)
  expect(told.get('a')).toBe(revision as number)
})
