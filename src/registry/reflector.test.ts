import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Backoff } from './backoff.ts'
import { node } from './conformance-tools.ts'
import { MemoryRegistry } from './memory.ts'
import { reflect, type StoreChange } from './reflector.ts'
import { type Change, type Kind, type Registry, RegistryError, type RegistryErrorCode } from './registry.ts'

const NO_WAIT = { sleep: () => new Promise<void>((resolve) => setImmediate(resolve)), random: () => 0 }

describe('reflect', () => {
  test('tells exactly what changed while the history was lost', async () => {
    const registry = new MemoryRegistry({ history: 4 })
    for (const name of ['stays', 'changes', 'goes']) await registry.create('Node', name, node(name))
    const gate = new Gate(registry)
    const changes: string[] = []
    const aborter = new AbortController()
    let synced = 0
    const {
      store,
      synced: ready,
      done,
    } = reflect(gate.registry, 'Node', {
      ...NO_WAIT,
      signal: aborter.signal,
      onSynced: (now) => {
        synced += 1
        expect(now.size).toBe(3)
      },
      onChange: ({ type, object, before }) => changes.push(`${type} ${object.name} ${before?.value.uid ?? '-'}`),
    })
    await ready
    expect(changes.splice(0)).toEqual(['put stays -', 'put changes -', 'put goes -'])
    gate.break('REGISTRY_UNAVAILABLE')
    const old = store.get('changes')
    await registry.update('Node', 'changes', node('changes', 'new'), old?.revision ?? 0)
    await registry.delete('Node', 'goes')
    await registry.create('Node', 'comes', node('comes'))
    for (let i = 0; i < 10; i += 1) await registry.create('Namespace', `n${i}`, { name: `n${i}`, uid: 'u' })
    gate.mend()
    await until(() => store.has('comes'))
    expect(changes).toEqual(['delete goes uid-of-goes', 'put changes uid-of-changes', 'put comes -'])
    expect(synced).toBe(1)
    aborter.abort()
    await done
  })

  test('whoever listens later is told of what is there, and hears of the same changes from then on', async () => {
    const registry = new MemoryRegistry()
    for (const name of ['stays', 'goes']) await registry.create('Node', name, node(name))
    const aborter = new AbortController()
    const [first, later]: [string[], string[]] = [[], []]
    const into = (told: string[]) => (change: StoreChange<'Node'>) => {
      told.push(`${change.type} ${change.object.name} ${change.before?.name ?? '-'}`)
    }
    const reflection = reflect(registry, 'Node', { ...NO_WAIT, signal: aborter.signal, onChange: into(first) })
    await reflection.synced
    reflection.listen(into(later))
    expect(later).toEqual(['put stays -', 'put goes -'])
    await registry.delete('Node', 'goes')
    await registry.create('Node', 'comes', node('comes'))
    await until(() => reflection.store.has('comes'))
    expect(later).toEqual(['put stays -', 'put goes -', 'delete goes goes', 'put comes -'])
    expect(later).toEqual(first)
    aborter.abort()
    await reflection.done
  })

  test('reports errors with a growing pause, and none of them ends it', async () => {
    const registry = new MemoryRegistry()
    const gate = new Gate(registry)
    gate.break('REGISTRY_UNAVAILABLE')
    const aborter = new AbortController()
    const pauses: number[] = []
    const { synced, done } = reflect(gate.registry, 'Node', {
      ...NO_WAIT,
      signal: aborter.signal,
      backoff: { first: 100, most: 1000 },
      onError: (error, retryIn) => {
        expect(error).toBeInstanceOf(RegistryError)
        pauses.push(retryIn)
        if (pauses.length === 6) gate.mend()
      },
    })
    await synced
    expect(pauses).toEqual([0, 100, 200, 400, 500, 500])
    aborter.abort()
    await done
  })

  test('goes on where it was after a broken connection, without listing', async () => {
    const registry = new MemoryRegistry()
    const gate = new Gate(registry)
    const aborter = new AbortController()
    const seen: string[] = []
    const { store, synced, done } = reflect(gate.registry, 'Node', {
      ...NO_WAIT,
      signal: aborter.signal,
      onChange: ({ object }) => seen.push(object.name),
    })
    await synced
    await registry.create('Node', 'a', node('a'))
    await until(() => store.has('a'))
    gate.break('REGISTRY_UNAVAILABLE')
    await registry.create('Node', 'b', node('b'))
    gate.mend()
    await until(() => store.has('b'))
    expect(gate.listings).toBe(1)
    expect(seen).toEqual(['a', 'b'])
    aborter.abort()
    await done
  })

  test('tells once that a failure is over', async () => {
    const registry = new MemoryRegistry()
    const gate = new Gate(registry)
    gate.break('REGISTRY_UNAVAILABLE')
    const aborter = new AbortController()
    const told: string[] = []
    const failed = (times: number) => until(() => told.filter((word) => word === 'failed').length >= times)
    const { store, synced, done } = reflect(gate.registry, 'Node', {
      ...NO_WAIT,
      signal: aborter.signal,
      onError: () => told.push('failed'),
      onRecovered: () => told.push('recovered'),
    })
    await failed(2)
    gate.mend()
    await synced
    await registry.create('Node', 'a', node('a'))
    await until(() => store.has('a'))
    const first = told.splice(0)
    expect(first.indexOf('recovered')).toBe(first.length - 1)
    gate.break('REGISTRY_UNAVAILABLE')
    await failed(2)
    await registry.create('Node', 'b', node('b'))
    gate.mend()
    await until(() => store.has('b'))
    await registry.create('Node', 'c', node('c'))
    await until(() => store.has('c'))
    expect(told.indexOf('recovered')).toBe(told.length - 1)
    aborter.abort()
    await done
  })

  test('what a callback throws comes out at the caller', async () => {
    const registry = new MemoryRegistry()
    const aborter = new AbortController()
    const onSynced = (): void => {
      throw new TypeError('a mistake of the caller')
    }
    const { synced, done } = reflect(registry, 'Node', { signal: aborter.signal, onSynced })
    expect(synced).rejects.toThrow('a mistake of the caller')
    expect(done).rejects.toThrow('a mistake of the caller')
    await Promise.allSettled([synced, done])
  })

  test('an abort before the first listing ends it', async () => {
    const gate = new Gate(new MemoryRegistry())
    gate.break('REGISTRY_UNAVAILABLE')
    const aborter = new AbortController()
    const { synced, done } = reflect(gate.registry, 'Node', { ...NO_WAIT, signal: aborter.signal })
    aborter.abort()
    await Promise.all([synced, done])
  })

  test('the store and its changes, added up, equal the registry, whatever breaks', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('write' as const),
        what: fc.constantFrom('put' as const, 'delete' as const),
        name: fc.constantFrom('a', 'b', 'c'),
      }),
      fc.record({
        do: fc.constant('break' as const),
        code: fc.constantFrom<RegistryErrorCode>('REGISTRY_UNAVAILABLE', 'REGISTRY_EXPIRED'),
      }),
      fc.record({ do: fc.constant('mend' as const) }),
      fc.record({ do: fc.constant('wait' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const registry = new MemoryRegistry({ history: 5 })
        const gate = new Gate(registry)
        const aborter = new AbortController()
        const sum = new Map<string, number>()
        const onChange = (change: StoreChange<'Node'>): void => {
          expect(sum.get(change.object.name)).toBe(change.before?.revision as number)
          if (change.type === 'put') sum.set(change.object.name, change.object.revision)
          else sum.delete(change.object.name)
        }
        const { store, done } = reflect(gate.registry, 'Node', { ...NO_WAIT, signal: aborter.signal, onChange })
        for (const next of steps) {
          if (next.do === 'break') gate.break(next.code)
          else if (next.do === 'mend') gate.mend()
          else if (next.do === 'wait') await NO_WAIT.sleep()
          else await change(registry, next.what, next.name)
        }
        gate.mend()
        const { objects } = await registry.list('Node')
        const expected = objects.map(({ name, revision }) => `${name}@${revision}`).toSorted()
        const present = (): string[] =>
          [...store.values()].map(({ name, revision }) => `${name}@${revision}`).toSorted()
        await until(() => JSON.stringify(present()) === JSON.stringify(expected))
        expect([...sum].map(([name, revision]) => `${name}@${revision}`).toSorted()).toEqual(expected)
        aborter.abort()
        await done
      }),
      { numRuns: 100 },
    )
  })
})

test('a pause but the first is at least half of its span, and none is beyond the bound', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(60), (chance, failures) => {
      const backoff = new Backoff(() => chance, { first: 10, most: 1000 })
      for (let i = 0; i < failures; i += 1) backoff.next()
      const span = Math.min(1000, 10 * 2 ** failures)
      const pause = backoff.next()
      expect(pause).toBeGreaterThanOrEqual(failures === 0 ? 0 : span / 2)
      expect(pause).toBeLessThan(span)
    }),
  )
})

/** A registry whose connection can be broken: calls fail, and standing watches end. */
class Gate {
  readonly registry: Registry
  listings = 0
  #code: RegistryErrorCode | undefined
  #broken = new AbortController()

  constructor(registry: MemoryRegistry) {
    const check = (): void => {
      if (this.#code !== undefined) throw new RegistryError(this.#code, 'the gate is closed')
    }
    const list = async <K extends Kind>(kind: K) => {
      check()
      this.listings += 1
      return registry.list(kind)
    }
    const watch = async function* <K extends Kind>(
      this: Gate,
      kind: K,
      after: number,
      signal: AbortSignal,
    ): AsyncGenerator<Change<K>> {
      check()
      yield* registry.watch(kind, after, AbortSignal.any([signal, this.#broken.signal]))
      check()
    }.bind(this)
    this.registry = Object.assign(Object.create(registry) as Registry, { list, watch })
  }

  break(code: RegistryErrorCode): void {
    this.#code = code
    this.#broken.abort()
    this.#broken = new AbortController()
  }

  mend(): void {
    this.#code = undefined
  }
}

async function change(registry: Registry, what: 'put' | 'delete', name: string): Promise<void> {
  const found = await registry.get('Node', name)
  if (what === 'delete') await (found === undefined ? undefined : registry.delete('Node', name))
  else if (found === undefined) await registry.create('Node', name, node(name))
  else await registry.update('Node', name, node(name, `at-${found.revision}`), found.revision)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await NO_WAIT.sleep()
}
