/**
 * A playground of a test's own: the real `weft play`, in a folder of its own, beside others.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { closeFd, netnsOpen } from '../../src/linux/index.ts'
import { familyOf, type Ip } from '../../src/network/model/address.ts'
import { parseCookie } from '../../src/network/pipeline/cookie.ts'
import { dropByCode } from '../../src/network/pipeline/drops.ts'
import { playApi, playRegistry } from '../../src/playground/api-client.ts'
import { agentArguments } from '../../src/playground/bring-up.ts'
import { restartForwarding, startSwitch, switchEnvironment } from '../../src/playground/lab/switch.ts'
import { plugInNode } from '../../src/playground/lab/underlay.ts'
import {
  type Layout,
  layoutOf,
  type NodeLayout,
  nodeLayout,
  podNetns,
  underlayAddress,
} from '../../src/playground/layout.ts'
import { DEFAULT_SHAPE } from '../../src/playground/options.ts'
import { findProcesses, isAlive, startProcess } from '../../src/playground/processes.ts'
import { addressesOf, findSandbox, stateOf } from '../../src/playground/state.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { type Outcome, output, run } from './command.ts'

const ROOT = join(import.meta.dir, '../..')
const FOLDER = '/run/weft-e2e'
/** The forwarder that container runtimes call. */
export const PLUGIN = join(ROOT, 'dist/weft-cni')
/** The program: the source, or the executable that WEFT_E2E_PROGRAM names. */
const PROGRAM = process.env['WEFT_E2E_PROGRAM']?.split(' ') ?? [process.execPath, join(ROOT, 'src/main.ts')]

/** The playground's shape; see `weft play up --help`. */
export interface LabOptions {
  readonly nodes?: number
  readonly underlay?: 4 | 6
  readonly encapsulation?: 'vxlan' | 'geneve' | 'gre'
  readonly fabric?: 'direct' | 'bgp'
  readonly blocks?: number
  /** Networks of a second wire, parted by commas. */
  readonly physical?: string
}

/** What there is of endpoints on a node. */
export interface Inventory {
  readonly leases: number
  readonly ports: number
  readonly links: number
  readonly flows: number
}

/** A playground of a test's own. */
export class Lab {
  readonly layout: Layout
  readonly #options: LabOptions
  readonly #fds: number[] = []
  #api: KubeClient | undefined

  constructor(name: string, options: LabOptions = {}) {
    this.layout = layoutOf(`${FOLDER}-${name}-${process.pid}`)
    this.#options = options
  }

  /** Brings it up; what interrupted runs left goes first. Returns its summary line. */
  async up(): Promise<{ readonly wrong: number; readonly pods: number }> {
    for (const folder of abandoned()) await this.weft('play', 'down', '--run-dir', folder)
    const shape = Object.entries(this.#options).flatMap(([name, value]) => [`--${name}`, String(value)])
    const { code, stdout, stderr } = await this.play('up', '--json', ...shape)
    if (code !== 0) throw new Error(`weft play up failed with ${code}: ${stdout}${stderr}`)
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  }

  async down(): Promise<void> {
    for (const fd of this.#fds.splice(0)) closeFd(fd)
    this.#api?.close()
    this.#api = undefined
    const { code, stderr } = await this.play('down')
    if (code !== 0) throw new Error(`weft play down failed: ${stderr}`)
  }

  /** `weft …` */
  weft(...args: readonly string[]): Promise<Outcome> {
    return run(this.command(...args))
  }

  /** How `weft …` is run. */
  command(...args: readonly string[]): readonly string[] {
    return [...PROGRAM, ...args]
  }

  /** `weft play …` on this playground. */
  play(command: string, ...args: readonly string[]): Promise<Outcome> {
    return this.weft('play', command, '--run-dir', this.layout.runDir, ...args)
  }

  /** `weft play <noun> <verb> …` on this playground. Throws when it fails. */
  async change(noun: 'pod' | 'namespace', verb: 'add' | 'delete', ...args: readonly string[]): Promise<void> {
    const outcome = await this.weft('play', noun, verb, '--run-dir', this.layout.runDir, ...args)
    if (outcome.code !== 0) throw new Error(`weft play ${noun} ${verb} ${args.join(' ')}: ${outcome.stderr}`)
  }

  /** `weft tenant …` on this playground. */
  tenant(...args: readonly string[]): Promise<Outcome> {
    return this.weft('tenant', ...args, '--run-dir', this.layout.runDir)
  }

  /** The numbers of its nodes. */
  nodes(): readonly number[] {
    return Array.from({ length: this.#options.nodes ?? DEFAULT_SHAPE.nodes }, (_, i) => i + 1)
  }

  node(index: number): NodeLayout {
    return nodeLayout(this.layout, index)
  }

  /**
   * A machine on the physical network that is no node, with its own Open vSwitch, at address number `host`. It goes with
   * the lab.
   */
  async addMachine(name: string, host: number): Promise<NodeLayout> {
    const dir = join(this.layout.runDir, name)
    const [ovsDir, agentDir] = [join(dir, 'ovs'), join(dir, 'agent')]
    const machine: NodeLayout = {
      name,
      netns: `${this.layout.prefix}-${name}`,
      addresses: [underlayAddress(4, host), underlayAddress(6, host)],
      dir,
      ovsDir,
      ovsdbSocket: join(ovsDir, 'db.sock'),
      agentDir,
      stateDir: join(dir, 'state'),
      cniSocket: join(agentDir, 'cni.sock'),
    }
    plugInNode(this.layout, machine)
    await startSwitch(this.layout, machine, stateOf(this.layout).datapath)
    return machine
  }

  /** Starts the agent of a machine that is no node. Returns its process. */
  startExternalAgent(machine: NodeLayout): number {
    const place = { kubeconfig: this.layout.socketKubeconfig }
    const options = [...agentArguments(machine, stateOf(this.layout).datapath, place), '--external']
    return startProcess(this.layout, {
      role: `${machine.name}-agent`,
      argv: this.command(...options),
      netns: machine.netns,
    })
  }

  /** The network namespace of `namespace/pod`. */
  netns(pod: string): string {
    const [namespace = '', name = ''] = pod.split('/')
    return podNetns(this.layout, namespace, name)
  }

  /** A descriptor of a network namespace, closed with the lab. */
  fd(netns: string): number {
    const fd = netnsOpen(netns)
    this.#fds.push(fd)
    return fd
  }

  /** The address of `namespace/pod`. */
  address(pod: string, family: 4 | 6 = 4): Ip {
    const [namespace = '', name = ''] = pod.split('/')
    const sandbox = findSandbox(this.layout, namespace, name)
    const addresses = sandbox === undefined ? [] : addressesOf(sandbox)
    const address = addresses.find((one) => familyOf(one) === family)
    if (address === undefined) throw new Error(`${pod} has no IPv${family} address`)
    return address
  }

  /** Runs a program inside a network namespace. */
  inside(netns: string, ...argv: readonly string[]): Promise<Outcome> {
    return run(['ip', 'netns', 'exec', netns, ...argv])
  }

  /** Runs an Open vSwitch tool on a node's switch. Throws when it fails. */
  ovs(node: NodeLayout, ...argv: readonly string[]): Promise<string> {
    return output(['ip', 'netns', 'exec', node.netns, ...argv], {
      env: { ...environment(), ...switchEnvironment(node) },
    })
  }

  agent(index: number): AgentClient {
    return this.agentOf(this.node(index))
  }

  agentOf(machine: NodeLayout): AgentClient {
    return new AgentClient({ path: join(machine.agentDir, 'agent.sock'), node: machine.name })
  }

  /** Packets dropped on a node, by name. */
  async drops(index: number): Promise<ReadonlyMap<string, bigint>> {
    const counts = new Map<string, bigint>()
    for (const { flow, packets } of await this.agent(index).drops()) {
      const name = dropByCode(parseCookie(flow.cookie)?.dropCode ?? 0)
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0n) + packets)
    }
    return counts
  }

  /** The living process of a role (`node1-agent`, `controller`, …), if there is one. */
  pidOf(role: string): number | undefined {
    return findProcesses(this.layout.runDir).find((one) => one.role === role)?.pid
  }

  /** kill -9 of a role's process. */
  kill(role: string): void {
    const pid = this.pidOf(role)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }

  /** kill -9 of a role's process, and the same again at once, as a supervisor does it. Returns the new process. */
  restart(role: string): number {
    const command = this.commandOf(role)
    this.kill(role)
    return this.start(role, command)
  }

  /** Starts a node's ovs-vswitchd after it was killed. */
  async restartForwarding(index: number): Promise<void> {
    await restartForwarding(this.layout, this.node(index), stateOf(this.layout).datapath)
  }

  /** What runs in a role, to be started again. */
  commandOf(role: string): readonly string[] {
    const pid = this.pidOf(role)
    if (pid === undefined) throw new Error(`${role} does not run`)
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  }

  /** Starts a role's program in its place. */
  start(role: string, argv: readonly string[]): number {
    const node = /^node(\d+)-/.exec(role)
    if (node === null) return startProcess(this.layout, { role, argv })
    const place = this.node(Number(node[1]))
    return startProcess(this.layout, { role, argv, netns: place.netns, env: switchEnvironment(place) })
  }

  /** The playground's API server. */
  api(): KubeClient {
    this.#api ??= playApi(this.layout)
    return this.#api
  }

  /** What it holds, as the model's objects. */
  registry(): Registry {
    return playRegistry(this.api())
  }

  /** `weft audit` finds no difference. Throws with what it finds. */
  async expectCleanAudit(): Promise<string> {
    const { code, stdout, stderr } = await this.weft('audit', '--run-dir', this.layout.runDir)
    if (code !== 0) throw new Error(`weft audit: exit ${code}\n${stdout}${stderr}`)
    return stdout.trimEnd()
  }

  /** Leases, ports and links of endpoints on a node, and flows in its switch. */
  async inventory(index: number): Promise<Inventory> {
    const { leases, ports, links, installed } = await this.agent(index).facts()
    const own = ports.filter(({ type }) => type === '' || type === 'system')
    return {
      leases: leases.length,
      ports: own.length,
      links: links.filter(({ doomed }) => !doomed).length,
      flows: installed.length,
    }
  }
}

/** Playgrounds of test runs that have ended without removing them: the number at the end of the name is the run's. */
function abandoned(): readonly string[] {
  const names = readdirSync(dirname(FOLDER)).filter((name) => name.startsWith(`${basename(FOLDER)}-`))
  return names.flatMap((name) => {
    const pid = /-(\d+)$/.exec(name)?.[1]
    return pid === undefined || isAlive(Number(pid)) ? [] : [join(dirname(FOLDER), name)]
  })
}

/** The environment of tools: ours without what would redirect them. */
export function environment(): Record<string, string> {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' }
}

/** Waits until something holds. Throws when it does not in time. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  milliseconds = 20_000,
): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${milliseconds} ms in vain until ${what}`)
    await Bun.sleep(50)
  }
}
