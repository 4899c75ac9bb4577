/**
 * A contender with a server and a clock: asks, waits and believes no answer that took too long.
 * @module
 */
import { sleep } from '../../registry/backoff.ts'
import { KubeError } from '../errors.ts'
import { isFields } from '../fields.ts'
import { apiVersionOf, type KubeObject } from '../object.ts'
import { LEASES } from '../resources.ts'
import { type Claim, Contender, type ElectionTiming, type Moment } from './contender.ts'
import { checkedTiming, type LeadOptions, moment } from './options.ts'
import { readLease, specOf } from './record.ts'
import { leaseLost, type Term } from './term.ts'

/** client-go's: contenders ask at times that differ by up to so many periods. */
const JITTER = 1.2

/** One who takes part in an election. */
export class Elector {
  readonly #options: LeadOptions
  readonly #timing: ElectionTiming
  readonly #contender: Contender
  /** The lease as it was last read or written: what others have put there is written back. */
  #found: KubeObject | undefined
  #toldHolder = ''

  /** Throws `KUBE_CONFIG`. */
  constructor(options: LeadOptions) {
    this.#options = options
    this.#timing = checkedTiming(options.timing)
    this.#contender = new Contender(options.identity, this.#timing)
  }

  /** Waits until the lease is ours. Undefined when `signal` aborted before. */
  async acquire(signal: AbortSignal): Promise<HeldTerm | undefined> {
    const { random = Math.random } = this.#options
    while (!signal.aborted) {
      await this.#attempt(this.#patience)
      if (signal.aborted) return undefined
      if (this.#contender.isHeld(this.#now())) return new HeldTerm(this.#contender, () => this.#now())
      await this.#sleep(this.#timing.retryPeriod * (1 + JITTER * random()), signal)
    }
    return undefined
  }

  /** Renews until the term is over, and ends it in time when that does not work. */
  async keep(term: HeldTerm): Promise<void> {
    await Promise.all([this.#renew(term), this.#expire(term)])
  }

  /** Gives the lease back, if it may be ours, so that nobody has to wait for it. The term must be over. */
  async release(): Promise<void> {
    if (this.#contender.holder !== this.#options.identity) return
    if (!this.#contender.isSure) await this.#look(this.#patience)
    await this.#write(this.#contender.resign(this.#now()), this.#patience)
  }

  async #renew(term: HeldTerm): Promise<void> {
    for (;;) {
      await this.#sleep(this.#timing.retryPeriod, term.signal)
      if (!term.isHeld()) return
      await this.#attempt(Math.min(this.#patience, this.#contender.heldFor(this.#now())))
      if (!term.isHeld()) return
    }
  }

  async #expire(term: HeldTerm): Promise<void> {
    while (term.isHeld()) await this.#sleep(this.#contender.heldFor(this.#now()), term.signal)
  }

  /** Two requests that hang fit before the deadline. */
  get #patience(): number {
    return (this.#timing.renewDeadline - this.#timing.retryPeriod) / 2
  }

  /** One look, where it is needed, and one write, where it is due. Failures are told and leave nothing known. */
  async #attempt(patience: number): Promise<void> {
    if (this.#contender.needsLook(this.#now()) && !(await this.#look(patience))) return
    const isRefused = await this.#write(this.#contender.claim(this.#now()), patience)
    // Somebody wrote meanwhile: who that was decides whether we still hold it.
    if (isRefused) await this.#look(patience)
    this.#tell()
  }

  async #look(patience: number): Promise<boolean> {
    const { api, lease } = this.#options
    return this.#asked(
      patience,
      (signal) => api.get(LEASES, lease, signal),
      (found) => {
        this.#found = found
        this.#contender.saw(found === undefined ? undefined : readLease(found), this.#now())
      },
    )
  }

  /** Whether somebody else wrote before. */
  async #write(claim: Claim | undefined, patience: number): Promise<boolean> {
    if (claim === undefined) return false
    const { api, lease } = this.#options
    const sentAt = this.#now()
    let isRefused = false
    const write = async (signal: AbortSignal): Promise<KubeObject | undefined> => {
      const isNew = claim.resourceVersion === undefined
      const object = leaseObject(lease, claim, isNew ? undefined : this.#found)
      try {
        return await (isNew ? api.create(LEASES, object, signal) : api.replace(LEASES, object, undefined, signal))
      } catch (error) {
        isRefused = error instanceof KubeError && (isNew ? OF_CREATION : OF_REPLACEMENT).has(error.code)
        if (!isRefused) throw error
        return undefined
      }
    }
    await this.#asked(patience, write, (written) => {
      if (written === undefined) {
        this.#contender.forget()
        return
      }
      this.#found = written
      this.#contender.wrote(readLease(written), sentAt, this.#now())
    })
    return isRefused
  }

  /** Whether an answer came in time and was used. What becomes of a request that took longer is not known. */
  async #asked<T>(
    patience: number,
    ask: (signal: AbortSignal) => Promise<T>,
    use: (answer: T) => void,
  ): Promise<boolean> {
    const ending = new AbortController()
    try {
      const late = this.#sleep(patience, ending.signal).then(() => {
        throw new KubeError('KUBE_UNAVAILABLE', 'the API server did not answer in time', 'nothing: it is asked again')
      })
      late.catch(() => undefined)
      use(await Promise.race([ask(ending.signal), late]))
      return true
    } catch (error) {
      this.#contender.forget()
      this.#options.onError?.(error)
      return false
    } finally {
      ending.abort()
    }
  }

  #tell(): void {
    const { holder } = this.#contender
    if (holder === this.#toldHolder) return
    this.#toldHolder = holder
    this.#options.onLeader?.(holder)
  }

  #now(): Moment {
    return (this.#options.now ?? moment)()
  }

  #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return (this.#options.sleep ?? sleep)(milliseconds, signal)
  }
}

/** A term that its elector keeps. */
export class HeldTerm implements Term {
  readonly number: number
  readonly #contender: Contender
  readonly #now: () => Moment
  readonly #ending = new AbortController()

  constructor(contender: Contender, now: () => Moment) {
    this.#contender = contender
    this.#now = now
    this.number = contender.transitions
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** What lapsed once is over for good. */
  isHeld(): boolean {
    if (!this.signal.aborted && !this.#contender.isHeld(this.#now())) this.end()
    return !this.signal.aborted
  }

  assertHeld(): void {
    if (!this.isHeld()) throw leaseLost('this process does not lead any more')
  }

  end(): void {
    this.#ending.abort()
  }
}

/** What is said to whom somebody else came before. Where there is no namespace, nobody did. */
const OF_CREATION: ReadonlySet<string> = new Set(['KUBE_EXISTS'])
const OF_REPLACEMENT: ReadonlySet<string> = new Set(['KUBE_CONFLICT', 'KUBE_NOT_FOUND'])

/** Labels, annotations and fields of others stay as they were found: a replacement that leaves them out removes them. */
function leaseObject(
  lease: LeadOptions['lease'],
  { record, resourceVersion }: Claim,
  found: KubeObject | undefined,
): KubeObject {
  const metadata = { ...found?.metadata, ...lease, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
  const spec = { ...(isFields(found?.['spec']) ? found['spec'] : {}), ...specOf(record) }
  return { ...found, apiVersion: apiVersionOf(LEASES), kind: LEASES.kind, metadata, spec }
}
