/**
 * A real etcd and a real kube-apiserver on loopback ports, for the length of a test. Where they are is told by the
 * environment variable KUBEBUILDER_ASSETS, the convention of the field.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeConfig } from '../../src/kube/config.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { eventually, freePort, type Running, start } from './process.ts'

/** The folder of the real programs; undefined where there is none. */
export const ASSETS: string | undefined = process.env['KUBEBUILDER_ASSETS'] || undefined

/** Why a test that needs the real programs is left out. */
export const SKIPPED = 'SKIPPED: set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver to run this'

const START_MS = 90_000

/** A running control plane. */
export class ControlPlane {
  readonly folder: string
  readonly certificates: Certificates
  readonly server: string
  readonly token: string
  readonly #assets: string
  readonly #etcdPort: number
  readonly #flags: readonly string[]
  #etcd: Running | undefined
  #apiserver: Running | undefined

  private constructor(
    folder: string,
    certificates: Certificates,
    assets: string,
    port: number,
    flags: readonly string[],
  ) {
    this.folder = folder
    this.certificates = certificates
    this.server = `https://127.0.0.1:${port}`
    this.token = crypto.randomUUID()
    this.#assets = assets
    this.#etcdPort = freePort()
    this.#flags = [...flags, `--secure-port=${port}`]
  }

  /** Starts both. `flags` are the API server's, beside what it needs. */
  static async start(assets: string, flags: readonly string[] = []): Promise<ControlPlane> {
    const folder = mkdtempSync(join(tmpdir(), 'weft-kube-'))
    let plane: ControlPlane | undefined
    try {
      plane = new ControlPlane(folder, await makeCertificates(folder, ['kubernetes']), assets, freePort(), flags)
      plane.#startEtcd()
      await plane.startApiserver()
      return plane
    } catch (error) {
      await plane?.stop()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Ends both and removes what they kept. */
  async stop(): Promise<void> {
    await this.#apiserver?.stop('SIGKILL')
    await this.#etcd?.stop('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** How to reach it as an administrator, by token. */
  config(): KubeConfig {
    const { token } = this
    return { server: this.server, ca: readFileSync(this.certificates.ca, 'utf8'), credentials: () => ({ token }) }
  }

  /** Writes the same as a file that kubectl understands. */
  writeKubeconfig(path: string): void {
    const cluster = { server: this.server, 'certificate-authority': this.certificates.ca }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token: this.token } }],
    }
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  }

  /** What the API server is: `v1.32.13`. */
  async version(): Promise<string> {
    const headers = { authorization: `Bearer ${this.token}` }
    const tls = { ca: readFileSync(this.certificates.ca, 'utf8') }
    const answer = (await (await fetch(`${this.server}/version`, { headers, tls })).json()) as { gitVersion: string }
    return answer.gitVersion
  }

  async stopApiserver(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    await this.#apiserver?.stop(signal)
    this.#apiserver = undefined
  }

  /** Starts the API server and waits until it is ready. */
  async startApiserver(): Promise<void> {
    const { ca, serverCert, serverKey } = this.certificates
    const tokens = join(this.folder, 'tokens.csv')
    writeFileSync(tokens, `${this.token},tester,tester,system:masters\n`, { mode: 0o600 })
    const log = join(this.folder, 'apiserver.log')
    const running = start(
      [
        `${this.#assets}/kube-apiserver`,
        `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
        '--bind-address=127.0.0.1',
        `--tls-cert-file=${serverCert}`,
        `--tls-private-key-file=${serverKey}`,
        `--client-ca-file=${ca}`,
        `--token-auth-file=${tokens}`,
        `--service-account-key-file=${serverCert}`,
        `--service-account-signing-key-file=${serverKey}`,
        '--service-account-issuer=https://kubernetes',
        '--service-cluster-ip-range=172.30.0.0/16,fd02::/112',
        '--authorization-mode=RBAC',
        '--disable-admission-plugins=ServiceAccount',
        `--cert-dir=${this.folder}`,
        ...this.#flags,
      ],
      log,
    )
    this.#apiserver = running
    // Nobody listens to it any more when it ends as it should.
    const ended = running.exited.then((code) => Promise.reject(new Error(`it ended with ${code}`)))
    await Promise.race([eventually(() => this.#expectReady(), START_MS), ended]).catch((cause: unknown) => {
      throw new Error(`kube-apiserver is not ready:\n${readFileSync(log, 'utf8').slice(-2000)}`, { cause })
    })
  }

  /** Makes everything that happened so far history that nobody can watch from. */
  async forgetPast(): Promise<void> {
    await this.stopApiserver()
    const { header } = (await this.#etcdCall('range', { key: 'AA==', limit: '1' })) as { header: { revision: string } }
    await this.#etcdCall('compaction', { revision: header.revision, physical: true })
    await this.startApiserver()
  }

  #startEtcd(): void {
    const client = `http://127.0.0.1:${this.#etcdPort}`
    const peer = `http://127.0.0.1:${freePort()}`
    const command = [
      `${this.#assets}/etcd`,
      `--data-dir=${join(this.folder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
      '--experimental-watch-progress-notify-interval=1s',
    ]
    this.#etcd = start(command, join(this.folder, 'etcd.log'))
  }

  async #expectReady(): Promise<void> {
    const headers = { authorization: `Bearer ${this.token}` }
    const tls = { ca: readFileSync(this.certificates.ca, 'utf8') }
    const answer = await fetch(`${this.server}/readyz`, { headers, tls, signal: AbortSignal.timeout(5000) })
    if (!answer.ok) throw new Error(`it is not ready: ${(await answer.text()).slice(-500)}`)
  }

  async #etcdCall(call: 'range' | 'compaction', body: object): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#etcdPort}/v3/kv/${call}`
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${call}`)
    return await answer.json()
  }
}
