/**
 * Credentials that a program gives out: asked for once, used by all, until they expire or are refused.
 * @module
 */
import { isatty } from 'node:tty'
import type { Credentials, ExecPlugin } from '../config.ts'
import { KubeError } from '../errors.ts'
import { decodeAnswer, type Issued } from './credential.ts'
import type { Proof } from './identity.ts'
import { runPlugin } from './plugin.ts'

/** Where time is from and how programs are run. Times are in milliseconds. */
export interface GivenOutOptions {
  /** Of a clock that only moves forward. */
  readonly now: () => number
  /** Since 1970: credentials say when they expire. */
  readonly wallClock?: () => number
  readonly run?: (plugin: ExecPlugin) => Promise<string>
}

/** A plugin is not run again sooner, whatever became of it: many calls fail at once when the last run was of no use. */
const REST = 5_000

/** A plugin's credentials. */
export class GivenOut {
  readonly #plugin: () => ExecPlugin
  readonly #options: GivenOutOptions
  #issued: Issued | undefined
  #failure: unknown
  #ranAt: number | undefined
  /** One run serves all who wait. */
  #running: Promise<Credentials> | undefined

  constructor(plugin: () => ExecPlugin, options: GivenOutOptions) {
    this.#plugin = plugin
    this.#options = options
  }

  /** Throws `KUBE_CREDENTIALS`. `signal` ends the waiting; a run that others wait for goes on. */
  current(signal: AbortSignal): Promise<Credentials> {
    const { wallClock = Date.now } = this.#options
    const { credentials, expires = Number.POSITIVE_INFINITY } = this.#issued ?? {}
    if (credentials !== undefined && wallClock() < expires) return Promise.resolve(credentials)
    return this.#fresh(signal)
  }

  /** Drops credentials that were refused, unless they were replaced meanwhile, and gives what is there then. */
  afterRefusal({ token, tls }: Proof, signal: AbortSignal): Promise<Credentials> {
    const known = this.#issued?.credentials
    return known?.token === token && known?.cert === tls.cert ? this.#fresh(signal) : this.current(signal)
  }

  #fresh(signal: AbortSignal): Promise<Credentials> {
    const isResting = this.#ranAt !== undefined && this.#options.now() - this.#ranAt < REST
    if (isResting && this.#running === undefined) {
      return this.#issued === undefined ? Promise.reject(this.#failure) : Promise.resolve(this.#issued.credentials)
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return orAborted(this.#running, signal)
  }

  async #run(): Promise<Credentials> {
    const { run = runHere, now } = this.#options
    this.#ranAt = now()
    try {
      const plugin = this.#plugin()
      this.#issued = decodeAnswer(await run(plugin), plugin)
      return this.#issued.credentials
    } catch (error) {
      this.#issued = undefined
      this.#failure = error
      throw error
    } finally {
      this.#ranAt = now()
    }
  }
}

function runHere(plugin: ExecPlugin): Promise<string> {
  return runPlugin(plugin, { interactive: isatty(0) && isatty(2) })
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(new KubeError('KUBE_UNAVAILABLE', 'the credential plugin did not answer in time', 'try again later'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
