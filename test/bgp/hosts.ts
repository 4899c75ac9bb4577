/**
 * Machines of one network that speak BGP: namespaces on a bridge in one of its own, each with a gateway for pods as an agent
 * makes it, and routes to all pods through it.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningPid } from '../../src/bird/daemon.ts'
import type { ConfigurationFile } from '../../src/bird/folder.ts'
import type { KeeperOptions } from '../../src/bird/keeper.ts'
import { BIRD_FILE, birdConfiguration, PASSWORDS_FILE } from '../../src/network/fabric/bgp/configuration.ts'
import { type BgpCluster, type BgpNode, DEFAULT_BFD } from '../../src/network/fabric/bgp/model.ts'
import { LEAVE_TABLE } from '../../src/network/fabric/direct.ts'
import { type Cidr, cidr, ip } from '../../src/network/model/address.ts'
import { output, run } from '../lab/command.ts'

/** A machine. */
export interface Host {
  readonly name: string
  readonly netns: string
  /** Its place: the last number of its addresses, the third of its range. */
  readonly number: number
  readonly keeper: Pick<KeeperOptions, 'folder' | 'runFolder' | 'command' | 'namespace'>
}

/** Machines, and what they are joined by. */
export interface Hosts {
  readonly hosts: readonly Host[]
  remove(): Promise<void>
}

/** Makes some machines; both families. */
export async function makeHosts(count: number): Promise<Hosts> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bgp-'))
  const prefix = `wefttest-bgp-${process.pid}`
  const numbers = Array.from({ length: count }, (_, i) => i + 1)
  const hosts = numbers.map((number) => hostOf(`${prefix}-${number}`, folder, number))
  const hub = `${prefix}-hub`
  const remove = async (): Promise<void> => {
    for (const host of hosts) {
      const pid = birdPid(host)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    }
    for (const name of [hub, ...hosts.map(({ netns }) => netns)]) await run(['ip', 'netns', 'del', name])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await output(['ip', 'netns', 'add', hub])
    await output(['ip', '-n', hub, 'link', 'add', 'br0', 'up', 'type', 'bridge'])
    for (const host of hosts) await makeHost(host, hub)
    return { hosts, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The cluster that all of them are, as meshed nodes. */
export function clusterOf(hosts: readonly Host[]): BgpCluster {
  return {
    asNumber: 64_512,
    port: 179,
    isStrictlyBound: false,
    hasTunnels: true,
    mesh: { bfd: false },
    bfd: DEFAULT_BFD,
    nodes: hosts.map(nodeOf),
    peers: [],
    filters: [],
    pools: ['10.128.0.0/14', 'fd00:128::/48'].map((text) => ({
      cidr: cidr(text),
      isHidden: false,
      encapsulated: 'never' as const,
    })),
    services: [],
    communities: [],
    metric: { 4: 1024, 6: 1024 },
    ignoredInterfaces: [],
  }
}

/** A machine's files of BIRD. `lies`: what it tells although it is not its own. */
export function filesOf(
  cluster: BgpCluster,
  { name, number }: Host,
  passwords: ReadonlyMap<string, string> = new Map(),
  lies: readonly Cidr[] = [],
): readonly ConfigurationFile[] {
  const self = {
    name,
    ranges: [
      ...rangesOf(number).map((range) => ({ cidr: range, isConfirmed: true })),
      ...lies.map((range) => ({ cidr: range, isConfirmed: true })),
      // Somebody else may get this one yet.
      { cidr: cidr(`10.128.${100 + number}.0/24`), isConfirmed: false },
    ],
    services: [],
  }
  const configuration = birdConfiguration(cluster, self, { passwords })
  if (configuration === undefined) throw new Error(`${name} is not of the cluster`)
  return [
    { name: BIRD_FILE, content: configuration.main, isSecret: false },
    { name: PASSWORDS_FILE, content: configuration.passwords, isSecret: true },
  ]
}

/** The gateway's address in a machine's range. */
export function podAddress(number: number, family: 4 | 6): string {
  return family === 4 ? `10.128.${number}.1` : `fd00:128:0:${number}::1`
}

/** What `ip` says in a machine. */
export function ipOf({ netns }: Host, ...args: readonly string[]): Promise<string> {
  return output(['ip', '-n', netns, ...args])
}

/** Where a machine's kernel leads pods' packets by what BIRD learned, sorted: `10.128.2.0/24 via 10.99.0.2 … metric 1024`. */
export async function learnedRoutes(host: Host): Promise<readonly string[]> {
  // There is no such table before its first route: then it says so and fails.
  const show = async (family: '-4' | '-6'): Promise<string> =>
    (await run(['ip', '-n', host.netns, family, 'route', 'show', 'table', `${LEAVE_TABLE}`, 'proto', 'bird'])).stdout
  const texts = await Promise.all([show('-4'), show('-6')])
  return texts
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
    .sort()
}

/** The process of a machine's BIRD. */
export function birdPid({ keeper }: Host): number | undefined {
  return runningPid({
    command: [],
    socket: join(keeper.runFolder, 'bird.ctl'),
    pidFile: join(keeper.runFolder, 'bird.pid'),
    outputFile: '',
    recoverFile: '',
  })
}

/** Whether a process still is. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function hostOf(netns: string, folder: string, number: number): Host {
  return {
    name: `n${number}`,
    netns,
    number,
    keeper: {
      folder: join(folder, `${number}`, 'conf'),
      runFolder: join(folder, `${number}`, 'run'),
      command: ['ip', 'netns', 'exec', netns, 'bird'],
      namespace: `/run/netns/${netns}`,
    },
  }
}

function rangesOf(number: number): readonly Cidr[] {
  return [cidr(`10.128.${number}.0/24`), cidr(`fd00:128:0:${number}::/64`)]
}

function nodeOf({ name, number }: Host): BgpNode {
  return {
    name,
    addresses: { 4: ip(`10.99.0.${number}`), 6: ip(`fd99::${number}`) },
    networks: { 4: cidr('10.99.0.0/24'), 6: cidr('fd99::/64') },
    ranges: rangesOf(number),
  }
}

/** The gateway is one end of a pair here: what is behind it, the switch, does not matter to routes. */
async function makeHost({ netns, number }: Host, hub: string): Promise<void> {
  await output(['ip', 'netns', 'add', netns])
  await run(['ip', 'netns', 'exec', netns, 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.ip_forward=1'])
  const pair = ['type', 'veth', 'peer', 'name', `p${number}`, 'netns', hub]
  await output(['ip', '-n', netns, 'link', 'add', 'eth0', ...pair])
  await output(['ip', '-n', hub, 'link', 'set', `p${number}`, 'up', 'master', 'br0'])
  const commands = `link set lo up
addr add 10.99.0.${number}/24 dev eth0
addr add fd99::${number}/64 dev eth0 nodad
link set eth0 up
link add weft0 type veth peer name switch
link set switch up
link set weft0 up
addr add ${podAddress(number, 4)}/32 dev weft0
addr add ${podAddress(number, 6)}/128 dev weft0 nodad
rule add from 10.128.${number}.0/24 lookup ${LEAVE_TABLE} priority 1102
-6 rule add from fd00:128:0:${number}::/64 lookup ${LEAVE_TABLE} priority 1102
route add 10.128.0.0/14 via 169.254.77.1 dev weft0 onlink proto 77 src ${podAddress(number, 4)}
-6 route add fd00:128::/48 via fe80::77:1 dev weft0 onlink proto 77 src ${podAddress(number, 6)}
`
  for (const line of commands.trim().split('\n')) await output(['ip', '-n', netns, ...line.split(' ')])
}
