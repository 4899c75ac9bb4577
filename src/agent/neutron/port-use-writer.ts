/**
 * Tells the controller what this node does with its ports: now and then what changed, at once what pods wait for.
 * @module
 */
import type { PortUse } from '../../network/model/neutron.ts'
import { Backoff } from '../../registry/backoff.ts'
import { type Registry, RegistryError, type Stored } from '../../registry/registry.ts'

/** How it is told. Times are in milliseconds. */
export interface PortUseWriterOptions {
  readonly node: string
  readonly registry: Pick<Registry, 'get' | 'create' | 'update'>
  /** What there is to tell; undefined where there is nothing. */
  readonly use: () => PortUse | undefined
  /** Hears which ports the controller may have been told that it can delete. */
  readonly promised: (ids: ReadonlySet<string>) => void
  readonly failed: (error: unknown) => void
  readonly solved: () => void
  readonly signal: AbortSignal
  readonly random?: () => number
  /** Between what is no hurry; a second when absent. */
  readonly gapMs?: number
}

const GAP_MS = 1_000
/** The agent before this one is gone by then. */
const LAST_OVERTAKEN = 3
const RETRY = { first: 500, most: 15_000 }

/** The writer of a node's PortUse, which nobody else writes. */
export class PortUseWriter {
  readonly #options: PortUseWriterOptions
  readonly #backoff: Backoff
  /** As it was last read or written; undefined where there is none. Absent: not read yet. */
  #known: { readonly stored: Stored<'PortUse'> | undefined } | undefined
  /** What the controller may have read of ports given back, since the last write that is known to have come to its end. */
  #uncertain: ReadonlySet<string> = new Set()
  /** How often in succession somebody else was faster. */
  #overtaken = 0
  #timer: { readonly at: number; readonly handle: ReturnType<typeof setTimeout> } | undefined
  #isWriting = false
  #again: 'no' | 'later' | 'now' = 'no'

  constructor(options: PortUseWriterOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.random ?? Math.random, RETRY)
    options.signal.addEventListener('abort', () => clearTimeout(this.#timer?.handle), { once: true })
  }

  /** Something may be to be told, at once or with what else happens in the next second. */
  changed(isUrgent: boolean): void {
    if (this.#isWriting) this.#again = isUrgent ? 'now' : this.#again === 'now' ? 'now' : 'later'
    else this.#schedule(isUrgent ? 0 : (this.#options.gapMs ?? GAP_MS))
  }

  /** What nobody reads and nobody may make: an object that is there and means nothing. */
  #overtakenFor(error: unknown): unknown {
    if (!isCode(error, 'REGISTRY_EXISTS')) return error
    const { node } = this.#options
    return new Error(
      `PortUse ${node} is there and cannot be read, so that this node gives out no port: ` +
        `look at it (kubectl get portuse ${node} -o yaml), and delete it; the agent writes it anew`,
    )
  }

  /** The earlier of two times counts. */
  #schedule(milliseconds: number): void {
    if (this.#options.signal.aborted) return
    const at = Date.now() + milliseconds
    if (this.#timer !== undefined && this.#timer.at <= at) return
    clearTimeout(this.#timer?.handle)
    this.#timer = { at, handle: setTimeout(() => void this.#run(), milliseconds) }
  }

  async #run(): Promise<void> {
    this.#timer = undefined
    this.#isWriting = true
    this.#again = 'no'
    let retryIn: number | undefined
    try {
      await this.#write()
      this.#backoff.reset()
      this.#overtaken = 0
      this.#options.solved()
    } catch (error) {
      if (this.#options.signal.aborted) return
      retryIn = this.#backoff.next()
      this.#overtaken = isOvertaken(error) ? this.#overtaken + 1 : 0
      if (!isOvertaken(error)) this.#options.failed(error)
      else if (this.#overtaken >= LAST_OVERTAKEN) this.#options.failed(this.#overtakenFor(error))
    } finally {
      this.#isWriting = false
    }
    if (retryIn !== undefined) this.#schedule(retryIn)
    if (this.#again !== 'no') this.changed(this.#again === 'now')
  }

  async #write(): Promise<void> {
    const { node, registry, promised } = this.#options
    if (this.#known === undefined) {
      if (this.#options.use() === undefined) return
      this.#known = { stored: await registry.get('PortUse', node) }
      this.#promise(this.#known.stored?.value.given ?? [])
    }
    const { stored } = this.#known
    // From here to the promise nothing else happens: what is given back is nobody's.
    const use = this.#options.use()
    const next = use ?? nothing(node)
    if (stored === undefined ? use === undefined : Bun.deepEquals(next, stored.value)) return
    this.#promise(next.given)
    try {
      const written =
        stored === undefined
          ? await registry.create('PortUse', node, next)
          : await registry.update('PortUse', node, next, stored.revision)
      this.#known = { stored: written }
    } catch (error) {
      // Somebody else wrote it, or the answer was lost: it is read again, and what it says counts as promised.
      this.#known = undefined
      throw error
    }
    this.#uncertain = new Set(next.given)
    promised(this.#uncertain)
  }

  /** Until a write is known to have been made, the controller may have read what was there before, or this. */
  #promise(given: readonly string[]): void {
    this.#uncertain = new Set([...this.#uncertain, ...given])
    this.#options.promised(this.#uncertain)
  }
}

function nothing(node: string): PortUse {
  return { node, leased: [], resting: [], given: [], wants: [] }
}

/** Another writer was faster: the agent before this one, on its way out. */
function isOvertaken(error: unknown): boolean {
  return isCode(error, 'REGISTRY_CONFLICT') || isCode(error, 'REGISTRY_EXISTS')
}

function isCode(error: unknown, code: RegistryError['code']): boolean {
  return error instanceof RegistryError && error.code === code
}
