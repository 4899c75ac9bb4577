/** However the server puts writes together into messages, who replays the changes has what is there. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { OvnRecord } from './records.ts'
import { type Batch, View } from './view.ts'

type Write = { readonly do: 'put' | 'delete' | 'by hand'; readonly n: number; readonly ends: boolean }

const write: fc.Arbitrary<Write> = fc.record({
  do: fc.constantFrom('put', 'put', 'delete', 'by hand'),
  n: fc.nat(4),
  /** The server tells of it and of all before it. */
  ends: fc.boolean(),
})

/** A database of a few tenants, and what it told last. */
class Server {
  readonly #rows = new Map<number, OvnRecord>()
  #told = new Map<string, OvnRecord>()
  #uuids = 0
  revision = 10

  put(n: number): void {
    this.revision += 1
    const name = `t${n}`
    const object = { name, revision: this.revision, value: { namespace: name, vni: this.revision } }
    if (!this.#rows.has(n)) this.#uuids += 1
    const uuid = this.#rows.get(n)?.uuid ?? `u${this.#uuids}`
    this.#rows.set(n, { uuid, kind: 'Tenant', name, revision: this.revision, write: undefined, object })
  }

  delete(n: number, by: 'us' | 'hand'): void {
    if (!this.#rows.delete(n)) return
    if (by === 'us') this.revision += 1
  }

  /** What differs from what was told last. */
  tell(): Batch {
    const now = new Map([...this.#rows.values()].map((row) => [row.uuid, row]))
    const present = [...now.values()].filter((row) => this.#told.get(row.uuid) !== row)
    const gone = [...this.#told.keys()].filter((uuid) => !now.has(uuid))
    this.#told = now
    return { present, gone, ledger: this.revision }
  }

  names(): readonly string[] {
    return [...this.#rows.values()].map(({ name, revision }) => `${name} ${revision}`).toSorted()
  }
}

test('a watcher’s copy is what the database has, at growing revisions', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
      const server = new Server()
      let wanted = 0
      const takeNumber = (): void => {
        wanted += 1
      }
      const view = new View({ history: 1000, takeNumber })
      view.load(server.tell())
      const copy = new Map<string, number>()
      let seen = view.revision
      const follow = (): void => {
        view.apply(server.tell())
        for (const { type, object } of view.after(seen)) {
          expect(object.revision).toBeGreaterThan(seen)
          seen = object.revision
          if (type === 'put') copy.set(object.name, object.revision)
          else expect(copy.delete(object.name)).toBe(true)
        }
      }
      for (const one of writes) {
        if (one.do === 'put') server.put(one.n)
        else server.delete(one.n, one.do === 'delete' ? 'us' : 'hand')
        if (one.ends) follow()
      }
      follow()
      // Whoever deleted by hand took no number: each is taken as it is asked for.
      for (let asked = 0; asked < wanted; ) {
        asked = wanted
        server.revision += 1
        follow()
        if (wanted === asked) break
      }
      expect([...copy].map(([name, revision]) => `${name} ${revision}`).toSorted()).toEqual([...server.names()])
      expect(
        view
          .list('Tenant')
          .map(({ name, revision }) => `${name} ${revision}`)
          .toSorted(),
      ).toEqual([...server.names()])
    }),
    { numRuns: 500 },
  )
})

test('what was deleted by hand and made again is not told as deleted after that', () => {
  const server = new Server()
  const view = new View({ history: 1000, takeNumber: () => undefined })
  server.put(1)
  view.load(server.tell())
  server.delete(1, 'hand')
  view.apply(server.tell())
  server.put(1)
  view.apply(server.tell())
  server.put(2)
  server.revision += 1
  view.apply(server.tell())
  expect(view.after(11).map(({ type, object }) => `${type} ${object.name}`)).toEqual(['put t1', 'put t2'])
})

test('an older copy of the database ends every watch', () => {
  const server = new Server()
  for (const n of [1, 2, 3]) server.put(n)
  const view = new View({ history: 1000, takeNumber: () => undefined })
  view.load(server.tell())
  const { era, revision } = view
  view.apply({ present: [], gone: ['u3'], ledger: revision - 1 })
  expect(view.era).toBeGreaterThan(era)
  expect(view.reaches(revision)).toBe(false)
  expect(view.list('Tenant')).toHaveLength(2)
})
