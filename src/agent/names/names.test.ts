import { expect, test } from 'bun:test'
import { type Ip, ip } from '../../network/model/address.ts'
import type { Found } from './lookup.ts'
import { Names } from './names.ts'

const SECOND = 1_000

interface Call {
  readonly name: string
  readonly answer: (found: Found) => Promise<void>
}

/** Names with a clock and a DNS server by hand. */
class Scene {
  readonly wanted = new Set<string>()
  readonly calls: Call[] = []
  readonly told: (readonly [string, readonly Ip[] | undefined])[] = []
  problem: string | undefined
  #now = 0
  readonly names = new Names({
    wanted: () => this.wanted,
    put: (name, addresses) => void this.told.push([name, addresses]),
    lookUp: (name) =>
      new Promise((resolve) => {
        const answer = async (found: Found): Promise<void> => {
          resolve(found)
          await settled()
        }
        this.calls.push({ name, answer })
      }),
    problems: {
      failed: (_, error) => {
        this.problem = error instanceof Error ? error.message : ''
      },
      solved: () => {
        this.problem = undefined
      },
    },
    now: () => this.#now,
    random: () => 1,
  })

  want(...names: readonly string[]): void {
    this.wanted.clear()
    for (const name of names) this.wanted.add(name)
    this.names.tick()
  }

  pass(seconds: number): void {
    for (let n = 0; n < seconds; n += 1) {
      this.#now += SECOND
      this.names.tick()
    }
  }

  /** Time passes, and nobody looks. */
  sleep(seconds: number): void {
    this.#now += seconds * SECOND
  }

  /** Answers the oldest lookup. */
  async answer(found: Found): Promise<string> {
    const call = this.calls.shift()
    if (call === undefined) throw new Error('nobody asks')
    await call.answer(found)
    return call.name
  }

  /** Fails every lookup for a time. */
  async failFor(seconds: number): Promise<number> {
    let tries = 0
    for (let n = 0; n < seconds; n += 1) {
      this.pass(1)
      while (this.calls.length > 0) {
        await this.answer(FAILURE)
        tries += 1
      }
    }
    return tries
  }

  takeTold() {
    return this.told.splice(0)
  }
}

const FAILURE: Found = { failure: '192.0.2.53: no answer' }
const found = (ttl: number, ...addresses: readonly string[]): Found => ({ addresses: addresses.map(ip), ttl })

async function settled(): Promise<void> {
  for (let n = 0; n < 5; n += 1) await Promise.resolve()
}

test('a wanted name is looked up at once, and again when its TTL is over', async () => {
  const scene = new Scene()
  scene.want('shop.example')
  expect(await scene.answer(found(20, '192.0.2.1'))).toBe('shop.example')
  expect(scene.takeTold()).toEqual([['shop.example', [ip('192.0.2.1')]]])
  scene.pass(19)
  expect(scene.calls).toHaveLength(0)
  scene.pass(1)
  await scene.answer(found(20, '192.0.2.1'))
  expect(scene.takeTold()).toEqual([])
})

test.each([
  ['no TTL', 0, 5],
  ['one of a day', 86_400, 30 * 60],
])('%s is kept within bounds', async (_, ttl, seconds) => {
  const scene = new Scene()
  scene.want('shop.example')
  await scene.answer(found(ttl, '192.0.2.1'))
  scene.pass(seconds - 1)
  expect(scene.calls).toHaveLength(0)
  scene.pass(1)
  expect(scene.calls).toHaveLength(1)
})

test('an address that an answer does not repeat counts for one TTL more', async () => {
  const scene = new Scene()
  scene.want('shop.example')
  await scene.answer(found(10, '192.0.2.1'))
  scene.pass(10)
  await scene.answer(found(10, '192.0.2.2'))
  expect(scene.takeTold().at(-1)).toEqual(['shop.example', [ip('192.0.2.1'), ip('192.0.2.2')]])
  scene.pass(10)
  await scene.answer(found(10, '192.0.2.2'))
  expect(scene.takeTold()).toEqual([['shop.example', [ip('192.0.2.2')]]])
})

test('that there is none is an answer, and counts at once', async () => {
  const scene = new Scene()
  scene.want('shop.example')
  await scene.answer(found(10, '192.0.2.1'))
  scene.pass(10)
  await scene.answer(found(10))
  expect(scene.takeTold()).toEqual([
    ['shop.example', [ip('192.0.2.1')]],
    ['shop.example', []],
  ])
  expect(scene.problem).toBeUndefined()
})

test('a name that nobody ever answered for stays unknown, is tried ever less often, and is said', async () => {
  const scene = new Scene()
  scene.want('shop.example')
  await scene.answer(FAILURE)
  // After 1, 2, 4, 8, 16 and then every 30 seconds.
  expect(await scene.failFor(31)).toBe(5)
  expect(await scene.failFor(300)).toBe(10)
  expect(scene.takeTold()).toEqual([])
  expect(scene.problem).toContain('shop.example')
  expect(scene.problem).toContain('192.0.2.53: no answer')
  scene.pass(30)
  await scene.answer(found(10, '192.0.2.1'))
  expect(scene.takeTold()).toEqual([['shop.example', [ip('192.0.2.1')]]])
  scene.pass(1)
  expect(scene.problem).toBeUndefined()
})

test('the last answer stands for a minute beyond its TTL while nobody answers, then the name is unknown', async () => {
  const scene = new Scene()
  scene.want('shop.example')
  await scene.answer(found(10, '192.0.2.1'))
  scene.takeTold()
  await scene.failFor(69)
  expect(scene.takeTold()).toEqual([])
  expect(scene.problem).toBeUndefined()
  await scene.failFor(2)
  expect(scene.takeTold()).toEqual([['shop.example', undefined]])
  expect(scene.problem).toContain('shop.example')
})

test('a lookup that never ends does not let an old answer stand', async () => {
  const scene = new Scene()
  scene.want('shop.example')
  await scene.answer(found(10, '192.0.2.1'))
  scene.pass(71)
  expect(scene.takeTold().at(-1)).toEqual(['shop.example', undefined])
  expect(scene.calls).toHaveLength(1)
})

test('a name that nobody wants any more is not asked for, and not known', async () => {
  const scene = new Scene()
  scene.want('shop.example', 'bank.example')
  await scene.answer(found(10, '192.0.2.1'))
  scene.takeTold()
  scene.want('bank.example')
  expect(scene.takeTold()).toEqual([['shop.example', undefined]])
  scene.pass(60)
  expect(scene.calls.map(({ name }) => name)).toEqual(['bank.example'])
})

test.each([
  ['*.shop.example', 'which names are below'],
  ['shop example', 'no DNS name'],
  ['a'.repeat(64), 'no DNS name'],
  ['', 'no DNS name'],
  ['..', 'no DNS name'],
  ['ex\u{e4}mple.org', 'no DNS name'],
])('%p is not looked up, and it is said why', (name, why) => {
  const scene = new Scene()
  scene.want(name)
  expect(scene.calls).toEqual([])
  expect(scene.told).toEqual([])
  expect(scene.problem).toContain(why)
})

test('a name is told as its policy writes it', async () => {
  const scene = new Scene()
  scene.want('Shop.Example.')
  expect(await scene.answer(found(10, '192.0.2.1'))).toBe('shop.example')
  expect(scene.told).toEqual([['Shop.Example.', [ip('192.0.2.1')]]])
})

test('few are looked up at a time: those that are known first, new ones next, those that fail last', async () => {
  const scene = new Scene()
  const bad = Array.from({ length: 40 }, (_, n) => `bad${n}.example`)
  scene.want(...bad, 'good.example')
  expect(scene.calls.length).toBe(16)
  while (scene.calls.length > 0) {
    await scene.answer(scene.calls[0]?.name === 'good.example' ? found(5, '192.0.2.1') : FAILURE)
  }
  scene.sleep(60)
  scene.want(...bad, 'good.example', 'new.example')
  expect(scene.calls.length).toBe(16)
  expect(scene.calls.slice(0, 2).map(({ name }) => name)).toEqual(['good.example', 'new.example'])
  const order: string[] = []
  while (scene.calls.length > 0) order.push(await scene.answer(FAILURE))
  expect(order.length).toBe(42)
})

test('more names than are looked up are refused, and it is said', () => {
  const scene = new Scene()
  scene.want(...Array.from({ length: 4_097 }, (_, n) => `n${n}.example`))
  expect(scene.problem).toContain('n4096.example')
  expect(scene.problem).toContain('4096')
})
