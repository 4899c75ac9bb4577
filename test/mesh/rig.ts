/**
 * Machines with Docker as network namespaces on one segment: each with a bridge `docker0`, a container on it, and, unless it is to do
 * without, an Open vSwitch of its own in user space, whose bridge `br-phy` has the machine's address.
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { closeFd, disableOffloads, netnsOpen } from '../../src/linux/index.ts'
import { type MeshStatus, meshStatus } from '../../src/mesh/status.ts'
import { type OvsSandbox, startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { eventually, type Running, start } from '../kube/process.ts'
import { capture } from '../lab/capture.ts'
import { type Outcome, output, run } from '../lab/command.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
/** Enough for an emulated machine, where everything takes ten times as long. */
export const PATIENCE = 120_000
const TAG = `wefttest-mesh-${process.pid}`
let rigs = 0

/** What every rig needs of this machine; undefined when it is there. */
export function obstacle(): string | undefined {
  const missing = ['ip', 'nsenter', 'nft', 'ping', 'ovs-vsctl'].filter((tool) => Bun.which(tool) === null)
  if (missing.length > 0) return `SKIPPED: install ${missing.join(', ')}`
  return process.getuid?.() === 0 ? undefined : 'SKIPPED: it takes root'
}

/** A machine. */
export class Host {
  readonly index: number
  readonly name: string
  readonly namespace: string
  readonly container: string
  readonly address: string
  readonly subnet: string
  readonly folder: string
  ovs: OvsSandbox | undefined
  /** What Open vSwitch forwards by. */
  datapath: 'system' | 'netdev' = 'netdev'
  #daemon: Running | undefined

  constructor(index: number, tag: string, folder: string, segment: string) {
    this.index = index
    this.name = `node${index}`
    this.namespace = `${tag}-${index}`
    this.container = `${tag}-${index}-c`
    this.address = `${segment}${index}`
    this.subnet = `172.17.${40 + index}.0/24`
    this.folder = folder
  }

  /** The container's address. */
  get inner(): string {
    return `172.17.${40 + this.index}.2`
  }

  /** The machine's own, on docker0. */
  get gateway(): string {
    return `172.17.${40 + this.index}.1`
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8')
  }

  /** Runs a program on the machine and returns what it printed. */
  on(...argv: readonly string[]): Promise<string> {
    return output(enter(this.namespace, argv))
  }

  /** The same in its container. */
  within(...argv: readonly string[]): Promise<string> {
    return output(enter(this.container, argv))
  }

  /** Runs `weft mesh …` on the machine. */
  weft(...args: readonly string[]): Promise<Outcome> {
    return run(enter(this.namespace, [process.execPath, MAIN, 'mesh', ...args, ...this.#places]))
  }

  /** Runs `weft status` there. */
  overview(...args: readonly string[]): Promise<Outcome> {
    const { ovsdb, folder } = this.#where
    const env = ['env', `OVS_RUNDIR=${dirname(ovsdb)}`]
    return run(enter(this.namespace, [...env, process.execPath, MAIN, 'status', '--run-dir', folder, ...args]))
  }

  /** Starts the daemon. */
  up(...args: readonly string[]): void {
    const words = [process.execPath, MAIN, 'mesh', 'up', ...args, '--datapath-type', this.datapath, ...this.#places]
    this.#daemon = start(enter(this.namespace, words), join(this.folder, 'log'))
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#daemon?.stop(signal)
    this.#daemon = undefined
  }

  async ended(): Promise<number | undefined> {
    return this.#daemon?.exited
  }

  /** What `weft mesh status` asks for. */
  status(): Promise<MeshStatus> {
    return meshStatus(this.#where)
  }

  /** Resolves with the status when it is as it should be. */
  whenStatus(what: string, holds: (status: MeshStatus) => boolean): Promise<MeshStatus> {
    return eventually(async () => {
      const status = await this.status()
      if (holds(status)) return status
      throw new Error(`${this.name}: not ${what}: ${JSON.stringify(status)}\n${this.log}`)
    }, PATIENCE)
  }

  /** All that a mesh changes on a machine, as its tools print it. */
  async picture(): Promise<string> {
    const script =
      'ip -br link | cut -d" " -f1 | sort; ip route; bridge link | grep -o "docker0 state [a-z]*"; nft list ruleset; ip link show docker0 | grep -o "mtu [0-9]*"'
    // In an order of its own each time.
    const switched = this.ovs === undefined ? '' : (await this.ovs.vsctl('show')).split('\n').sort().join('\n')
    return `${await this.on('sh', '-c', script)}${switched}`
  }

  get #places(): readonly string[] {
    const { ovsdb, folder } = this.#where
    return ['--ovsdb', ovsdb, '--run-dir', folder]
  }

  get #where(): { readonly ovsdb: string; readonly folder: string } {
    return { ovsdb: this.ovs?.dbSocket ?? join(this.folder, 'none.sock'), folder: join(this.folder, 'run') }
  }

  async down(): Promise<void> {
    await this.stop('SIGKILL').catch(() => undefined)
    await this.ovs?.stop()
    for (const namespace of [this.container, this.namespace]) await run(['ip', 'netns', 'delete', namespace])
  }
}

/** How machines are. */
export interface RigOptions {
  /** Default true. */
  readonly ovs?: boolean
  /** These are on a segment of their own, behind a router. */
  readonly apart?: readonly number[]
  /** Default: the one in user space. */
  readonly datapath?: 'system'
  /** The family of machines' addresses. Default 4. */
  readonly underlay?: 4 | 6
}

/** Machines' addresses but for the last number. */
const SEGMENT = '192.0.2.'
const APART = '198.51.100.'
const SEGMENT6 = 'fd00:99::'
/** Where the router is on each, and what else is common to all. */
export const ROUTER = `${SEGMENT}254`

/** Machines on a segment, or two. */
export class Rig {
  readonly hosts: readonly Host[]
  readonly wire: string
  readonly folder: string
  readonly #options: RigOptions

  constructor(count: number, options: RigOptions = {}) {
    const { apart = [], underlay = 4 } = options
    const tag = `${TAG}-${rigs++}`
    this.wire = `${tag}-w`
    // Made with the rest: a rig that is skipped leaves nothing.
    this.folder = join(tmpdir(), tag)
    this.#options = options
    this.hosts = Array.from({ length: count }, (_, i) => {
      const folder = join(this.folder, `host${i + 1}`)
      const segment = underlay === 6 ? SEGMENT6 : apart.includes(i + 1) ? APART : SEGMENT
      return new Host(i + 1, tag, folder, segment)
    })
  }

  host(index: number): Host {
    const found = this.hosts[index - 1]
    if (found === undefined) throw new Error(`there is no machine ${index}`)
    return found
  }

  get list(): string {
    return join(this.folder, 'mesh.yaml')
  }

  /** Writes the list of machines; the first lines are others' words. */
  write(hosts: readonly Host[], ...lines: readonly string[]): void {
    const entries = hosts.map(
      ({ name, address, subnet }) => `  - {name: ${name}, address: "${address}", subnet: ${subnet}}`,
    )
    writeFileSync(this.list, `${[...lines, 'hosts:', ...entries].join('\n')}\n`)
  }

  async up(): Promise<void> {
    for (const { folder } of this.hosts) mkdirSync(folder, { recursive: true, mode: 0o700 })
    await output(['ip', 'netns', 'add', this.wire])
    await batch(this.wire, [
      'link add wire type bridge',
      'link set wire up',
      'link set lo up',
      `address add ${ROUTER}/24 dev wire`,
      `address add ${APART}254/24 dev wire`,
    ])
    // A switch in user space takes what a veth brings as it is, without the checksum that nobody made.
    const fd = netnsOpen(this.wire)
    disableOffloads('wire', fd)
    closeFd(fd)
    await this.on(
      'sysctl',
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.send_redirects=0',
      'net.ipv4.conf.wire.send_redirects=0',
    )
    await Promise.all(this.hosts.map((host) => this.#make(host)))
  }

  /** Runs a program where all cables meet. */
  on(...argv: readonly string[]): Promise<string> {
    return output(enter(this.wire, argv))
  }

  /** The words that start a program there. */
  enter(...argv: readonly string[]): readonly string[] {
    return enter(this.wire, argv)
  }

  /** Takes a machine's cable out, or puts it in again. */
  async cable(host: Host, state: 'up' | 'down'): Promise<void> {
    await batch(this.wire, [`link set host${host.index} ${state}`])
  }

  async #make(host: Host): Promise<void> {
    const { index, namespace, container, address, gateway, inner } = host
    await output(['ip', 'netns', 'add', namespace])
    await output(['ip', 'netns', 'add', container])
    await batch(namespace, [
      'link set lo up',
      `link add eth0 type veth peer name host${index} netns ${this.wire}`,
      'link set eth0 up',
      // Docker gives it a MAC address of its own, after which it keeps it.
      `link add docker0 address 02:42:ac:11:${40 + index}:01 type bridge`,
      `address add ${gateway}/24 dev docker0`,
      `link add veth0 master docker0 type veth peer name eth0 netns ${container}`,
      'link set veth0 up',
      'link set docker0 up',
    ])
    await batch(container, [
      'link set lo up',
      `link set eth0 address 02:42:ac:11:${40 + index}:02`,
      `address add ${inner}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${gateway}`,
    ])
    // What they say by themselves is not to be counted.
    for (const quiet of [namespace, container]) {
      await output(enter(quiet, ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv4.ip_forward=1']))
    }
    await batch(this.wire, [`link set host${index} master wire up`])
    const route = `route add default via ${address.replace(/\d+$/, '254')}`
    const { ovs = true, datapath = 'netdev' } = this.#options
    host.datapath = datapath
    if (ovs) host.ovs = await startOvsSandbox({ netns: namespace })
    if (host.ovs === undefined || datapath === 'system') {
      return batch(namespace, [`address add ${address}/24 dev eth0`, route])
    }
    await host.ovs.vsctl('add-br', 'br-phy', '--', 'set', 'bridge', 'br-phy', 'datapath_type=netdev')
    await host.ovs.vsctl('add-port', 'br-phy', 'eth0')
    // A switch in user space only listens on the card: the kernel's own stack would take the same packets a second time.
    const drop = (family: string, hook: string): string =>
      `table ${family} lab { chain uplink { type filter hook ${hook} priority -310; iifname "eth0" drop; }; }`
    await output(enter(namespace, ['nft', '-f', '-']), {
      input: `${drop('inet', 'prerouting')}\n${drop('arp', 'input')}\n`,
    })
    if (address.includes(':')) {
      await host.on('sysctl', '-qw', 'net.ipv6.conf.br-phy.disable_ipv6=0')
      return batch(namespace, ['link set br-phy up', `address add ${address}/64 dev br-phy nodad`])
    }
    await batch(namespace, [`address add ${address}/24 dev br-phy`, 'link set br-phy up', route])
  }

  /** Pings from each container to each other one, until all answer. */
  async expectMesh(hosts: readonly Host[] = this.hosts): Promise<void> {
    const pairs = hosts.flatMap((from) => hosts.flatMap((to) => (from === to ? [] : [[from, to] as const])))
    await Promise.all(
      pairs.map(([from, to]) =>
        eventually(() => from.within('ping', '-c1', '-W1', to.inner), PATIENCE).catch((cause) => {
          throw new Error(`the container of ${from.name} does not reach that of ${to.name}:\n${from.log}`, { cause })
        }),
      ),
    )
  }

  /** How many ARP requests for an address each container sees that a container asks for once, by machine. */
  async copies(from: Host, address: string, hosts: readonly Host[] = this.hosts): Promise<readonly number[]> {
    const fds = hosts.map(({ container }) => netnsOpen(container))
    const captures = fds.map((fd) => capture(fd))
    try {
      await from.within('sysctl', '-qw', 'net.ipv4.neigh.eth0.mcast_solicit=1')
      await from.within('ip', 'route', 'replace', `${address}/32`, 'dev', 'eth0')
      await run(enter(from.container, ['ping', '-c1', '-W1', address]))
      await from.within('ip', 'route', 'del', `${address}/32`)
      const target = Buffer.from(address.split('.').map(Number))
      return captures.map(({ frames }) => frames.filter((frame) => isRequest(frame, target)).length)
    } finally {
      for (const one of captures) one.close()
      for (const fd of fds) closeFd(fd)
    }
  }

  async down(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.down()))
    await run(['ip', 'netns', 'delete', this.wire])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Ethernet, then an ARP request for that address. */
function isRequest(frame: Uint8Array, target: Uint8Array): boolean {
  const bytes = Buffer.from(frame)
  return (
    bytes.length >= 42 &&
    bytes.readUInt16BE(12) === 0x0806 &&
    bytes.readUInt16BE(20) === 1 &&
    bytes.subarray(38, 42).equals(target)
  )
}

function enter(namespace: string, argv: readonly string[]): readonly string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, ...argv]
}

async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  await output(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}
