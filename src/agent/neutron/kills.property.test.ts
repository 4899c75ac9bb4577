/**
 * Whatever happens in whatever order, and wherever the agent is killed: no port has two pods, none that the controller deletes has one,
 * and who has a port is told.
 */
import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { replaceWhole } from '../../files/whole-file.ts'
import type { PooledPort } from '../../network/model/neutron.ts'
import type { BookFiles } from './port-book.ts'
import { NODE, pool, port, Rig, until } from './testing/rig.ts'

/** What a test lets happen. */
type Deed =
  | { readonly do: 'add'; readonly pod: number }
  | { readonly do: 'del'; readonly pod: number }
  /** The controller makes a port, wants one back, deletes what it may. */
  | { readonly do: 'make' | 'withdraw' | 'delete'; readonly at: number; readonly isHeard: boolean }
  /** The next change of a file but so many does not come to its end: it is not made, or made and nobody hears of it. */
  | { readonly do: 'kill'; readonly after: number; readonly isMade: boolean }
  | { readonly do: 'restart' }

const number = (max: number): fc.Arbitrary<number> => fc.nat({ max })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), pod: number(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('del' as const), pod: number(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('make' as const, 'withdraw' as const, 'delete' as const),
      at: number(20),
      isHeard: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const), after: number(2), isMade: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

class Killed extends Error {}

/** A node under a controller and a runtime that know what they were told. */
class World implements Disposable {
  readonly #rig = new Rig({ restMs: 3, coldMs: 3 })
  #ports: readonly PooledPort[] = [port(1), port(2), port(3)]
  #made = 3
  #isHeard = true
  #fuse: { left: number; readonly isMade: boolean } | undefined
  /** Pods that were told that they have a port. */
  readonly #has = new Map<number, string>()
  /** Pods whose ADD was begun, whatever came of it. */
  readonly #begun = new Set<number>()

  readonly #files: BookFiles = {
    write: (path, text) => this.#unlessKilled(() => replaceWhole(path, text, 0o600)),
    remove: (path) => this.#unlessKilled(() => rmSync(path, { force: true })),
  }

  #unlessKilled(change: () => void): void {
    const fuse = this.#fuse
    if (fuse === undefined || fuse.left > 0) {
      if (fuse !== undefined) fuse.left -= 1
      change()
    } else {
      if (fuse.left === 0 && fuse.isMade) change()
      fuse.left = -1
      throw new Killed()
    }
  }

  [Symbol.dispose](): void {
    this.#rig[Symbol.dispose]()
  }

  async start(): Promise<void> {
    this.#fuse = undefined
    await this.#rig.prepare([pool(this.#ports)])
    await this.#rig.start(this.#files)
  }

  async #restart(): Promise<void> {
    this.#rig.kill()
    await this.start()
    this.#isHeard = true
  }

  async perform(deed: Deed): Promise<void> {
    if (deed.do === 'kill') this.#fuse ??= { left: deed.after, isMade: deed.isMade }
    else if (deed.do === 'restart') await this.#restart()
    else if (deed.do === 'add') await this.#add(deed.pod)
    else if (deed.do === 'del') await this.#del(deed.pod)
    else await this.#control(deed.do, deed.at, deed.isHeard)
    if (this.#isKilled) await this.#restart()
  }

  get #isKilled(): boolean {
    return this.#fuse !== undefined && this.#fuse.left < 0
  }

  async #add(pod: number): Promise<void> {
    const isFirst = !this.#begun.has(pod)
    this.#begun.add(pod)
    try {
      const { port: got } = await this.#rig.lease(`pod-${pod}`)
      // Once it is killed nobody hears of what it did.
      if (this.#isKilled) return
      expect(this.#ports.map(({ id }) => id)).toContain(got.id)
      expect([...this.#has].filter(([one]) => one !== pod).map(([, id]) => id)).not.toContain(got.id)
      // Whoever asks again keeps what it got before that was withdrawn; and what nobody heard of yet is not withdrawn.
      if (isFirst && this.#isHeard) expect(this.#ports.find(({ id }) => id === got.id)?.withdrawn).toBeUndefined()
      this.#has.set(pod, got.id)
    } catch (error) {
      if (!(error instanceof Killed) && (error as { id?: string }).id !== 'neutron-ports-none') throw error
    }
  }

  async #del(pod: number): Promise<void> {
    try {
      // From here on nothing of it is in use.
      this.#has.delete(pod)
      this.#rig.neutron.ports.release({ containerId: `pod-${pod}`, ifname: 'eth0' })
      if (!this.#isKilled) this.#begun.delete(pod)
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
  }

  /** Deletes only what was withdrawn and is given back, as the one before told it. */
  async #control(does: 'make' | 'withdraw' | 'delete', at: number, isHeard: boolean): Promise<void> {
    const use = (await this.#rig.registry.get('PortUse', NODE))?.value
    const target = this.#ports[at % Math.max(1, this.#ports.length)]
    if (does === 'make') {
      this.#made += 1
      this.#ports = [...this.#ports, port(this.#made)]
    } else if (does === 'withdraw') {
      this.#ports = this.#ports.map((one) => (one === target ? { ...one, withdrawn: true } : one))
    } else {
      const gone = this.#ports.filter(({ id, withdrawn }) => withdrawn === true && use?.given.includes(id) === true)
      // Nobody has what is deleted.
      for (const { id } of gone) expect([...this.#has.values()]).not.toContain(id)
      this.#ports = this.#ports.filter((one) => !gone.includes(one))
    }
    this.#isHeard = isHeard
    await this.#rig.prepare([pool(this.#ports)])
    if (isHeard) await until(() => Bun.deepEquals(this.#rig.neutron.ports.poolOf('pods')?.ports, this.#ports))
  }

  /** In the end everybody who has a port is told of. */
  async settle(): Promise<void> {
    await this.#restart()
    const use = await this.#rig.told(({ leased }) =>
      [...this.#has].every(([pod, id]) => leased.some((one) => one.id === id && one.sandbox === `pod-${pod}`)),
    )
    expect(new Set(use.leased.map(({ id }) => id)).size).toBe(use.leased.length)
    expect(use.given.filter((id) => [...this.#has.values()].includes(id))).toEqual([])
  }
}

test('no port has two pods, and none that is deleted has one, wherever the agent is killed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 40 }), async (deeds) => {
      using world = new World()
      await world.start()
      for (const one of deeds) await world.perform(one)
      await world.settle()
    }),
    { numRuns: 60 },
  )
}, 120_000)
