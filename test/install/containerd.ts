/**
 * A containerd of a test's own: its folders and its socket are nobody else's.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, output, run } from '../lab/command.ts'
import { eventually } from './machine.ts'

/** A running containerd. */
export class Containerd implements AsyncDisposable {
  readonly #folder: string
  readonly #process: ChildProcess
  #containers = 0

  private constructor(folder: string, process: ChildProcess) {
    this.#folder = folder
    this.#process = process
  }

  static async start(): Promise<Containerd> {
    const folder = mkdtempSync(join(tmpdir(), 'wefttest-containerd-'))
    const config = join(folder, 'config.toml')
    writeFileSync(config, configuration(folder))
    const process = spawn('containerd', ['-c', config], { stdio: 'ignore' })
    const containerd = new Containerd(folder, process)
    await eventually('containerd answers', async () => (await containerd.#ctr('version')).code === 0 || undefined)
    return containerd
  }

  /** What it calls the image that an archive holds. */
  async import(archive: string): Promise<string> {
    await output(this.#command('images', 'import', archive))
    return (await output(this.#command('images', 'list', '-q'))).trim()
  }

  /** Runs a program in a container of an image: its root cannot be written, and its network has nothing in it. */
  run(image: string, ...argv: readonly string[]): Promise<Outcome> {
    this.#containers += 1
    const options = [
      '--rm',
      '--read-only',
      '--cap-add',
      'CAP_NET_ADMIN',
      '--mount',
      `type=tmpfs,dst=/run,options=mode=755`,
    ]
    return this.#ctr('run', ...options, image, `wefttest-${process.pid}-${this.#containers}`, ...argv)
  }

  /** The programs that an image starts by itself. */
  async entrypoint(image: string): Promise<Outcome> {
    this.#containers += 1
    return this.#ctr('run', '--rm', image, `wefttest-${process.pid}-${this.#containers}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGTERM')
    if (this.#process.exitCode === null) await gone
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #ctr(...argv: readonly string[]): Promise<Outcome> {
    return run(this.#command(...argv))
  }

  #command(...argv: readonly string[]): readonly string[] {
    return ['ctr', '-a', join(this.#folder, 'socket'), '-n', 'k8s.io', ...argv]
  }
}

function configuration(folder: string): string {
  return [
    'version = 2',
    `root = "${folder}/root"`,
    `state = "${folder}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = "${folder}/socket"`,
    '',
  ].join('\n')
}
