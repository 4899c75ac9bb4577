/**
 * A real etcd on loopback ports, for the length of a test: Debian's 3.4, or the one in the folder that
 * KUBEBUILDER_ASSETS names.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EtcdConfig } from '../../src/etcd/config.ts'
import { type Certificates, makeCertificates } from '../kube/certificates.ts'
import { eventually, freePort, type Running, start } from '../kube/process.ts'

const ASSETS = process.env['KUBEBUILDER_ASSETS'] || undefined

/** Every etcd of this machine. */
export const ETCDS: readonly string[] = [
  Bun.which('etcd'),
  ASSETS === undefined ? null : Bun.which('etcd', { PATH: ASSETS }),
].filter((path) => path !== null)

/** Why tests that need one are left out. */
export const SKIPPED = 'SKIPPED: install etcd-server and etcd-client to run this'

const START_MS = 30_000

/** What an etcd is started with. */
export interface EtcdServerOptions {
  readonly program?: string
  readonly tls?: boolean
}

/** A running etcd. */
export class EtcdServer {
  readonly folder: string
  readonly endpoint: string
  readonly certificates: Certificates | undefined
  readonly #program: string
  readonly #peer: string
  #running: Running | undefined

  private constructor(folder: string, program: string, certificates: Certificates | undefined) {
    this.folder = folder
    this.certificates = certificates
    this.endpoint = `${certificates === undefined ? 'http' : 'https'}://127.0.0.1:${freePort()}`
    this.#program = program
    this.#peer = `http://127.0.0.1:${freePort()}`
  }

  static async start({ program = ETCDS[0], tls = false }: EtcdServerOptions = {}): Promise<EtcdServer> {
    if (program === undefined) throw new Error(SKIPPED)
    const folder = mkdtempSync(join(tmpdir(), 'weft-etcd-'))
    let server: EtcdServer | undefined
    try {
      server = new EtcdServer(folder, program, tls ? await makeCertificates(folder) : undefined)
      await server.start()
      return server
    } catch (error) {
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** How to reach it without an account. */
  config(): EtcdConfig {
    const { certificates } = this
    if (certificates === undefined) return { endpoints: [this.endpoint], credentials: () => ({}) }
    const pem = (path: string): string => readFileSync(path, 'utf8')
    const own = { cert: pem(certificates.clientCert), key: pem(certificates.clientKey) }
    return { endpoints: [this.endpoint], ca: pem(certificates.ca), credentials: () => own }
  }

  /** Starts it, with what it kept. */
  async start(): Promise<void> {
    const log = join(this.folder, 'etcd.log')
    const { certificates } = this
    const tls =
      certificates === undefined
        ? []
        : [
            `--cert-file=${certificates.serverCert}`,
            `--key-file=${certificates.serverKey}`,
            `--trusted-ca-file=${certificates.ca}`,
            '--client-cert-auth',
          ]
    const command = [
      this.#program,
      `--data-dir=${join(this.folder, 'data')}`,
      `--listen-client-urls=${this.endpoint}`,
      `--advertise-client-urls=${this.endpoint}`,
      `--listen-peer-urls=${this.#peer}`,
      `--initial-advertise-peer-urls=${this.#peer}`,
      `--initial-cluster=default=${this.#peer}`,
      '--enable-v2',
      '--unsafe-no-fsync',
      ...tls,
    ]
    const running = start(command, log)
    this.#running = running
    const ended = running.exited.then((code) => Promise.reject(new Error(`it ended with ${code}`)))
    await Promise.race([eventually(() => this.#expectReady(), START_MS), ended]).catch((cause: unknown) => {
      throw new Error(`etcd is not ready:\n${readFileSync(log, 'utf8').slice(-2000)}`, { cause })
    })
  }

  /** Ends it; what it kept stays. */
  async halt(): Promise<void> {
    await this.#running?.stop('SIGKILL')
    this.#running = undefined
  }

  /** Stops it in its tracks: connections are taken and nothing is answered. */
  freeze(): void {
    if (this.#running !== undefined) process.kill(this.#running.pid, 'SIGSTOP')
  }

  thaw(): void {
    if (this.#running !== undefined) process.kill(this.#running.pid, 'SIGCONT')
  }

  /** Takes away what it kept, and starts it again. */
  async loseEverything(): Promise<void> {
    await this.halt()
    rmSync(join(this.folder, 'data'), { recursive: true, force: true })
    await this.start()
  }

  /** Ends it and removes what it kept. */
  async stop(): Promise<void> {
    this.thaw()
    await this.halt()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Runs etcdctl, as people do. Throws what it says. */
  async etcdctl(api: 2 | 3, args: readonly string[]): Promise<string> {
    const { certificates } = this
    const [ca, cert, key] = api === 2 ? ['--ca-file', '--cert-file', '--key-file'] : ['--cacert', '--cert', '--key']
    const tls =
      certificates === undefined
        ? []
        : [`${ca}=${certificates.ca}`, `${cert}=${certificates.clientCert}`, `${key}=${certificates.clientKey}`]
    // Its own patience is seconds, and the machine may have much else to do.
    const patience = (api === 2 ? ['timeout', 'total-timeout'] : ['dial-timeout', 'command-timeout']).map(
      (name) => `--${name}=30s`,
    )
    const child = Bun.spawn(['etcdctl', '--endpoints', this.endpoint, ...patience, ...tls, ...args], {
      env: { ...process.env, ETCDCTL_API: String(api) },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, said, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    if (code !== 0) throw new Error(`etcdctl ${args[0]} ended with ${code}: ${said.slice(-500)}`)
    return out.trim()
  }

  async #expectReady(): Promise<void> {
    const { ca, credentials } = this.config()
    const { cert, key } = credentials()
    const tls = ca === undefined ? {} : { tls: { ca, cert, key } }
    const answer = await fetch(`${this.endpoint}/health`, { ...tls, signal: AbortSignal.timeout(2000) } as RequestInit)
    if (!answer.ok) throw new Error('it is not healthy')
  }
}
