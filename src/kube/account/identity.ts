/**
 * Who we are to an API server at this moment, and how we know it.
 * @module
 */
import { type KubeConfig, readPemFile, readTokenFile } from '../config.ts'
import { GivenOut, type GivenOutOptions } from './given-out.ts'
import { RotatedFile } from './rotated-file.ts'

/** What one request is made with. */
export interface Proof {
  readonly token: string | undefined
  readonly tls: TlsMaterial
}

/** What a connection is made with; another one of these needs another connection. All PEM. */
export interface TlsMaterial {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** Gathers what a configuration says we are. */
export class Identity {
  readonly #config: KubeConfig
  readonly #now: () => number
  readonly #token: RotatedFile | undefined
  readonly #ca: RotatedFile | undefined
  readonly #cert: RotatedFile | undefined
  readonly #key: RotatedFile | undefined
  readonly #given: GivenOut | undefined

  /** `now` in milliseconds, of a clock that only moves forward. */
  constructor(config: KubeConfig, options: GivenOutOptions) {
    const { tokenFile, caFile, certificateFiles, exec } = config
    this.#config = config
    this.#now = options.now
    this.#token = fileOf(tokenFile, readTokenFile)
    this.#ca = fileOf(caFile, (path) => readPemFile(path, 'the certificate authority'))
    this.#cert = fileOf(certificateFiles?.cert, (path) => readPemFile(path, 'the client certificate'))
    this.#key = fileOf(certificateFiles?.key, (path) => readPemFile(path, 'the key of the client certificate'))
    this.#given = exec === undefined ? undefined : new GivenOut(exec, options)
  }

  /** Throws `KUBE_CONFIG` and, of a plugin, `KUBE_CREDENTIALS`. `signal` ends the waiting. */
  async current(signal: AbortSignal): Promise<Proof> {
    return this.#proof(await this.#given?.current(signal))
  }

  /** What there is instead of a proof that the server refused; undefined when there is nothing else. */
  async afterRefusal(used: Proof, signal: AbortSignal): Promise<Proof | undefined> {
    const proof = this.#proof(await this.#given?.afterRefusal(used, signal), true)
    return isSame(proof, used) ? undefined : proof
  }

  /** What there is instead of a proof with which the server could not be trusted; undefined when nothing else. */
  afterDistrust(used: Proof): Proof | undefined {
    const ca = this.#ca?.text(this.#now(), true)
    return ca === undefined || ca === used.tls.ca ? undefined : { ...used, tls: { ...used.tls, ca } }
  }

  #proof(given = this.#config.credentials?.() ?? {}, fresh = false): Proof {
    const now = this.#now()
    return {
      token: this.#token?.text(now, fresh) ?? given.token,
      tls: {
        ca: this.#ca?.text(now, fresh) ?? this.#config.ca,
        cert: this.#cert?.text(now, fresh) ?? given.cert,
        key: this.#key?.text(now, fresh) ?? given.key,
      },
    }
  }
}

/** Whether a connection made with one serves the other. */
export function isSameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key
}

function isSame(a: Proof, b: Proof): boolean {
  return a.token === b.token && isSameTls(a.tls, b.tls)
}

function fileOf(path: string | undefined, read: (path: string) => string): RotatedFile | undefined {
  return path === undefined ? undefined : new RotatedFile(() => read(path))
}
