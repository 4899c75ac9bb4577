/**
 * A Neutron on a bad day: each request may come to grief, by chance that a seed makes the same again.
 * @module
 */
import { randomFrom } from '../../lab/random.ts'
import { type Heard, type Mishap, NeutronProxy } from './proxy.ts'

/** How bad. */
export interface BadDay {
  readonly seed: number
  /** Of a hundred requests, how many something happens to. Default 25. */
  readonly percent?: number
  /** The longest delay in milliseconds. Default 300. */
  readonly latest?: number
  /** Which requests are spared. Default: none. */
  readonly spared?: (heard: Heard) => boolean
}

type Chance = ReturnType<typeof randomFrom>
type Maker = (chance: Chance, latest: number) => Mishap

/** Each as likely as the others: half of them leave open whether Neutron did what it was asked. */
const MISHAPS: readonly Maker[] = [
  (chance, latest) => ({ kind: 'late', by: chance(latest) }),
  () => ({ kind: 'refused', status: 503 }),
  () => ({ kind: 'refused', status: 500 }),
  () => ({ kind: 'cut' }),
  () => ({ kind: 'lost', status: 503 }),
  () => ({ kind: 'lost', status: 500 }),
  () => ({ kind: 'cut-after' }),
  () => ({ kind: 'half' }),
]

/** A proxy in front of a Neutron. Always `stop()` it. */
export class FaultyNeutron {
  /** How often each kind of mishap happened. */
  readonly happened = new Map<Mishap['kind'], number>()
  readonly #proxy: NeutronProxy
  #isGood = false

  private constructor(proxy: NeutronProxy, { seed, percent = 25, latest = 300, spared = () => false }: BadDay) {
    const chance = randomFrom(seed)
    this.#proxy = proxy
    proxy.mishap = (heard) => {
      const isHit = chance(100) < percent
      const mishap = MISHAPS[chance(MISHAPS.length)]?.(chance, latest)
      if (!isHit || mishap === undefined || this.#isGood || spared(heard)) return undefined
      this.happened.set(mishap.kind, (this.happened.get(mishap.kind) ?? 0) + 1)
      return mishap
    }
  }

  /** Starts one in front of a Neutron: `http://127.0.0.1:port`, without a version. */
  static async start(target: string, day: BadDay): Promise<FaultyNeutron> {
    return new FaultyNeutron(await NeutronProxy.start(target), day)
  }

  /** What stands in a configuration as Neutron's endpoint. */
  get address(): string {
    return this.#proxy.address
  }

  /** Requests that came by. */
  get heard(): readonly Heard[] {
    return this.#proxy.heard
  }

  /** From now on nothing happens any more. */
  mend(): void {
    this.#isGood = true
  }

  async stop(): Promise<void> {
    await this.#proxy.stop()
  }
}
