/**
 * Two namespaces: a node with the BIRD of our configuration, a client of reflectors, and a BIRD that tells it the routes of all other
 * nodes as a reflector does, with their own addresses as next hops.
 * @module
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { birdProtocols } from '../../src/bird/protocols.ts'
import { openRtnl, type RtnlSocket, routeList } from '../../src/linux/index.ts'
import { BIRD_FILE, birdConfiguration, PASSWORDS_FILE } from '../../src/network/fabric/bgp/configuration.ts'
import { DIRECT, LEAVE_TABLE } from '../../src/network/fabric/direct.ts'
import { output, run } from '../../test/lab/command.ts'
import { bgpCluster, bgpSelf, nodeAddress, rangeOf, UPLINK } from './fabric-cluster.ts'

const FAMILIES = [4, 6] as const
const WIRE_LENGTH = { 4: 16, 6: 64 } as const
const PATIENCE_MS = 60_000
const AS = 64_512

/** What BIRD took. */
export interface Learned {
  /** Resident memory with all routes, and of a BIRD of the same configuration without any, in MiB. */
  readonly residentMiB: number
  readonly emptyMiB: number
  readonly routes: number
  /** From when the first session was seen to stand until the kernel had all. */
  readonly seconds: number
}

/** A node whose BIRD learns the ranges of all others. */
export class BirdPair {
  readonly node = `weftbench-bgp-${process.pid}`
  readonly peer = `${this.node}-peer`
  readonly #folder = mkdtempSync(join(tmpdir(), 'weft-bench-bgp-'))
  readonly #nodes: number
  readonly #birds: Bun.Subprocess[] = []
  #rtnl: RtnlSocket | undefined

  constructor(nodes: number) {
    this.#nodes = nodes
  }

  /** The descriptor of the node's namespace, for whoever closes it. */
  openNode(): number {
    return openSync(`/run/netns/${this.node}`, 'r')
  }

  /** Both namespaces, without BIRD. */
  async up(): Promise<void> {
    for (const name of [this.node, this.peer]) await output(['ip', 'netns', 'add', name])
    await output(['ip', '-n', this.node, 'link', 'add', UPLINK, 'type', 'veth', 'peer', UPLINK, 'netns', this.peer])
    // The switch's port, which routes lead out of.
    await output(['ip', '-n', this.node, 'link', 'add', DIRECT, 'up', 'type', 'veth', 'peer', 'name', 'switch'])
    for (const [name, n] of [
      [this.node, 1],
      [this.peer, this.#nodes],
    ] as const) {
      for (const link of ['lo', UPLINK]) await output(['ip', '-n', name, 'link', 'set', link, 'up'])
      for (const family of FAMILIES)
        await output(
          [
            'ip',
            '-n',
            name,
            'address',
            'add',
            `${nodeAddress(n, family)}/${WIRE_LENGTH[family]}`,
            'dev',
            UPLINK,
          ].concat(family === 6 ? ['nodad'] : []),
        )
    }
    await output(['ip', '-n', this.node, 'link', 'set', 'switch', 'up'])
    const nsFd = this.openNode()
    this.#rtnl = openRtnl({ nsFd })
    closeSync(nsFd)
  }

  get rtnl(): RtnlSocket {
    if (this.#rtnl === undefined) throw new Error('the namespaces are not there yet')
    return this.#rtnl
  }

  /** Waits until the kernel has the ranges of every other node but the last, which the reflector is: it leads nowhere for itself. */
  async learn(): Promise<Learned> {
    const wanted = 2 * (this.#nodes - 2)
    const own = this.#start(this.node, this.#files())
    const socket = { path: join(this.#folder, `${this.node}.ctl`) }
    await until(
      () =>
        birdProtocols(socket).then(
          () => true,
          () => false,
        ),
      'BIRD answers',
    )
    const emptyMiB = resident(own)
    this.#start(this.peer, new Map([[BIRD_FILE, this.#peerText()]]))
    await until(
      async () => (await birdProtocols(socket)).some(({ info }) => info === 'Established'),
      'a session stands',
    )
    const since = performance.now()
    await until(async () => this.routes() >= wanted, `the kernel has ${wanted} routes`)
    return { residentMiB: resident(own), emptyMiB, routes: this.routes(), seconds: (performance.now() - since) / 1000 }
  }

  /** How many routes BIRD wrote. */
  routes(): number {
    return FAMILIES.flatMap((family) =>
      routeList(this.rtnl, { family, table: LEAVE_TABLE }).filter(({ table }) => table === LEAVE_TABLE),
    ).length
  }

  async down(): Promise<void> {
    for (const bird of this.#birds) bird.kill('SIGKILL')
    await Promise.all(this.#birds.map(({ exited }) => exited))
    this.#rtnl?.close()
    for (const name of [this.node, this.peer]) await run(['ip', 'netns', 'del', name])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #files(): ReadonlyMap<string, string> {
    const made = birdConfiguration(bgpCluster(this.#nodes, 'reflectors'), bgpSelf(1), { passwords: new Map() })
    if (made === undefined) throw new Error('the node is of the cluster')
    return new Map([
      [BIRD_FILE, made.main],
      [PASSWORDS_FILE, made.passwords],
    ])
  }

  #peerText(): string {
    const of = (family: 4 | 6): string => {
      const routes = Array.from({ length: this.#nodes - 2 }, (_, i) => i + 2)
        .map((n) => `  route ${rangeOf(n, family)} via ${nodeAddress(n, family)};\n`)
        .join('')
      const ends = [this.#nodes, 1].map((n) => `${nodeAddress(n, family)} port 179 as ${AS};`)
      return `protocol static nodes${family} {\n  ipv${family};\n${routes}}
protocol bgp client${family} {
  local ${ends[0]}
  neighbor ${ends[1]}
  multihop;
  connect delay time 1;
  ipv${family} { next hop keep; import none; export all; };
}\n`
    }
    return `log stderr { fatal, bug };\nrouter id ${nodeAddress(this.#nodes, 4)};\nprotocol device {}\n${of(4)}${of(6)}`
  }

  #start(netns: string, files: ReadonlyMap<string, string>): Bun.Subprocess {
    const folder = mkdtempSync(join(this.#folder, 'conf-'))
    for (const [name, text] of files) writeFileSync(join(folder, name), text)
    const control = join(this.#folder, `${netns}.ctl`)
    const child = Bun.spawn(
      ['ip', 'netns', 'exec', netns, 'bird', '-f', '-c', join(folder, BIRD_FILE), '-s', control],
      {
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
        stdout: 'ignore',
        stderr: 'ignore',
      },
    )
    this.#birds.push(child)
    return child
  }
}

function resident({ pid }: Bun.Subprocess): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? Number.NaN) / 1024
}

async function until(is: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS / 1000} s in vain until ${what}`)
    await Bun.sleep(10)
  }
}
