/**
 * A machine that runs pods: an Open vSwitch of its own, an openrc, and this project's programs, called as people and container
 * runtimes call them.
 * @module
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OvsSandbox, startOvsSandbox } from '../../../src/ovs/testing/ovs-sandbox.ts'
import { type Outcome, run } from '../../lab/command.ts'
import { newNetns } from './links.ts'
import type { VirtualMachine } from './virtual-machine.ts'

const MAIN = join(import.meta.dir, '../../../src/main.ts')

/** A running one. `stop()` it before its machine. */
export class Worker {
  readonly machine: VirtualMachine
  readonly ovs: OvsSandbox
  readonly #home: string
  readonly #pods: string[] = []

  private constructor(machine: VirtualMachine, ovs: OvsSandbox, home: string) {
    this.machine = machine
    this.ovs = ovs
    this.#home = home
  }

  /** Starts one with `openrc` as what `external_ids:neutron-config` names. */
  static async start(machine: VirtualMachine, openrc: string): Promise<Worker> {
    const ovs = await startOvsSandbox({ netns: machine.netns })
    const home = mkdtempSync(join(tmpdir(), 'wefttest-worker-'))
    const worker = new Worker(machine, ovs, home)
    worker.openrc(openrc)
    await ovs.vsctl('set', 'open_vswitch', '.', `external_ids:neutron-config=${JSON.stringify(join(home, 'openrc'))}`)
    return worker
  }

  /** Writes another one. */
  openrc(text: string): void {
    const path = join(this.#home, 'openrc')
    writeFileSync(path, text)
    chmodSync(path, 0o600)
  }

  /** `ovn-k8-underlay.py …` on the machine. */
  underlay(verb: string, ...words: readonly string[]): Promise<Outcome> {
    return this.machine.run(...this.#command(verb, words))
  }

  /** The same, killed once it has told of a step. Resolves to whether it came to that. */
  async killed(step: RegExp, verb: string, ...words: readonly string[]): Promise<boolean> {
    const child = Bun.spawn(['ip', 'netns', 'exec', this.machine.netns, ...this.#command(verb, words)], {
      stdout: 'ignore',
      stderr: 'pipe',
    })
    let told = ''
    const decoder = new TextDecoder()
    for await (const bytes of child.stderr) {
      told += decoder.decode(bytes, { stream: true })
      if (step.test(told)) child.kill('SIGKILL')
    }
    await child.exited
    return child.signalCode === 'SIGKILL'
  }

  /** A folder of the machine that takes the place of `/` for what would outlive a restart. */
  get root(): string {
    return this.#home
  }

  /** `weft bridge …` on the machine. */
  bridge(verb: string, ...words: readonly string[]): Promise<Outcome> {
    const places = ['--ovsdb', this.ovs.dbSocket, '--run-dir', join(this.#home, 'bridge'), '--root', this.#home]
    return this.machine.run(process.execPath, MAIN, 'bridge', verb, ...words, ...places)
  }

  #command(verb: string, words: readonly string[]): readonly string[] {
    const places = ['--ovsdb', this.ovs.dbSocket, '--run-dir', this.#home, '--host-bridge', 'breth0']
    return [process.execPath, MAIN, 'ovn-underlay', verb, ...words, ...places]
  }

  /** Makes a pod; its namespace and address. */
  async pod(name: string): Promise<{ readonly netns: string; readonly address: string }> {
    const netns = this.machine.chassis.underlay.netns(name)
    await newNetns(netns)
    this.#pods.push(name)
    const { stdout, code } = await this.#cni('ADD', name, netns)
    const [first] =
      code === 0 ? (JSON.parse(stdout) as { readonly ips: readonly { readonly address: string }[] }).ips : []
    if (first === undefined) throw new Error(`ADD of ${name}: ${stdout}`)
    return { netns, address: first.address.split('/')[0] ?? '' }
  }

  /** Detaches a pod. */
  async detach(name: string): Promise<Outcome> {
    return this.#cni('DEL', name, this.machine.chassis.underlay.netns(name))
  }

  async stop(): Promise<void> {
    for (const pod of this.#pods) await this.detach(pod)
    await this.ovs.stop()
    rmSync(this.#home, { recursive: true, force: true })
  }

  async #cni(verb: string, name: string, netns: string): Promise<Outcome> {
    const config = {
      cniVersion: '1.1.0',
      name: 'underlay',
      type: 'ovn-underlay',
      hostBridge: 'breth0',
      ovsdb: this.ovs.dbSocket,
    }
    const env = {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: verb,
      CNI_CONTAINERID: name,
      CNI_IFNAME: 'eth0',
      CNI_NETNS: `/run/netns/${netns}`,
      CNI_PATH: '/opt/cni/bin',
    }
    const script = `exec -a ovn-underlay ${process.execPath} ${PLUGIN}`
    return run(['ip', 'netns', 'exec', this.machine.netns, 'bash', '-c', script], {
      env,
      input: JSON.stringify(config),
    })
  }
}

const PLUGIN = join(import.meta.dir, '../../../src/underlay/testing/plugin-program.ts')
