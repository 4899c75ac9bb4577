/**
 * A node with one network card and an Open vSwitch of its own, and a router at the other end of the wire, in namespaces.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeFd, netnsAdd, netnsDel } from '../../linux/index.ts'
import { run, type ToolResult } from '../../ovs/testing/daemon.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { openUndertakings } from '../guard/state.ts'
import { abandoned } from '../leftovers.ts'
import type { Wish } from '../wish.ts'
import type { Call, Report } from './program.ts'

export const MAC = '02:00:5e:00:18:0a'
export const V4 = '172.18.10.10'
export const V6 = '2001:db8:18::10'
export const ROUTER4 = '172.18.0.1'
export const ROUTER6 = '2001:db8:18::1'

/** The programs of a test: the node's and the router's side. */
export interface Site extends AsyncDisposable {
  readonly node: number
  readonly router: number
  /** The router’s namespace under /run/netns. */
  readonly routerName: string
  readonly ovs: OvsSandbox
  /** Where undertakings are noted, and the folder that stands for `/`. */
  readonly folder: string
  readonly root: string
  /** Runs a program on the node; throws when it fails. */
  onNode(...argv: readonly string[]): Promise<string>
  onRouter(...argv: readonly string[]): Promise<string>
  /** Makes or removes the bridge `br1` with the uplink `eth0`; undefined when the process was killed. */
  call(
    verb: 'create' | 'remove',
    call?: Partial<Omit<Call, 'wish'>> & { readonly wish?: Partial<Wish> },
  ): Promise<Report | undefined>
  /** `weft bridge …` on the node, with this site's switch and folders. */
  weft(...args: readonly string[]): Promise<ToolResult>
  /** Resolves when no guard is at work any more. */
  quiet(): Promise<void>
  /** All that a move touches, as iproute2 prints it: of links, addresses, routes, rules, neighbours, the switch. */
  picture(): Promise<string>
}

let count = 0

/** Starts one; `addressed: false` leaves the card without addresses. */
export async function startSite({ addressed = true }: { readonly addressed?: boolean } = {}): Promise<Site> {
  const name = `wefttest-bridge-${process.pid}-${count++}`
  const names = [`${name}-n`, `${name}-r`] as const
  const [node, router] = [netnsAdd(names[0]), netnsAdd(names[1])]
  const home = mkdtempSync(join(tmpdir(), 'wefttest-bridge-'))
  const inside =
    (netns: string) =>
    async (...argv: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(['nsenter', `--net=/run/netns/${netns}`, ...argv], ENV)
      if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}: ${stderr.trim()}`)
      return stdout
    }
  const [onNode, onRouter] = [inside(names[0]), inside(names[1])]
  const batch = (on: typeof onNode, lines: readonly string[]): Promise<unknown> =>
    on('sh', '-ec', lines.map((line) => `ip ${line}`).join('\n'))
  await batch(onNode, [
    'link set lo up',
    `link add eth0 address ${MAC} type veth peer name wire netns ${names[1]}`,
    'link set eth0 addrgenmode eui64',
  ])
  await onNode('sysctl', '-qw', 'net.ipv4.conf.eth0.promote_secondaries=0', 'net.ipv6.conf.eth0.accept_ra=0')
  await batch(onRouter, ['link set lo up', `addr add ${ROUTER4}/16 dev wire`, `addr add ${ROUTER6}/64 dev wire nodad`])
  await batch(onRouter, ['link set wire up', 'addr add 192.0.2.1/32 dev lo', 'addr add 2001:db8:2::1/128 dev lo nodad'])
  await onNode('ip', 'link', 'set', 'eth0', 'up')
  if (addressed) await batch(onNode, ADDRESSED)
  const ovs = await startOvsSandbox({ netns: names[0] })
  const folder = join(home, 'run')
  const root = join(home, 'root')
  const enter = ['nsenter', `--net=/run/netns/${names[0]}`, process.execPath]
  const places = { ovsdb: ovs.dbSocket, folder, root }
  const call: Site['call'] = async (verb, given = {}) => {
    const wish: Wish = { bridge: 'br1', uplink: 'eth0', datapathType: 'netdev', trunks: [], move: true, ...given.wish }
    const { stdout, stderr } = await run(
      ['setsid', '--wait', ...enter, PROGRAM, verb, JSON.stringify({ ...places, ...given, wish })],
      ENV,
    )
    if (stderr !== '') throw new Error(stderr)
    return stdout === '' ? undefined : (JSON.parse(stdout) as Report)
  }
  const quiet = async (): Promise<void> => {
    while (openUndertakings(folder).length > abandoned(folder).length) await Bun.sleep(20)
  }
  const picture = async (): Promise<string> => {
    const kernel = await onNode('sh', '-c', PICTURE)
    const db = await ovs.vsctl('--format=list', 'list-br')
    return `${kernel.replace(VOLATILE, '')}\nbridges: ${db}`
  }
  await settled(onNode)
  return {
    node,
    router,
    routerName: names[1],
    ovs,
    folder,
    root,
    onNode,
    onRouter,
    call,
    weft: (...args) =>
      run([...enter, MAIN, 'bridge', ...args, '--ovsdb', ovs.dbSocket, '--run-dir', folder, '--root', root], ENV),
    quiet,
    picture,
    [Symbol.asyncDispose]: async () => {
      await ovs.stop()
      for (const fd of [node, router]) closeFd(fd)
      for (const one of names) netnsDel(one)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

const MAIN = join(import.meta.dir, '../../main.ts')
const PROGRAM = join(import.meta.dir, 'program.ts')
const ENV = { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

/** What a card can have: several addresses, tables, metrics, a rule, a neighbour that was set by hand. */
const ADDRESSED = [
  `addr add ${V4}/16 brd + dev eth0`,
  'addr add 172.18.10.11/16 brd + dev eth0',
  'addr add 198.51.100.7/24 dev eth0 noprefixroute',
  'route add 198.51.100.0/24 dev eth0 proto kernel scope link src 198.51.100.7 metric 100',
  `addr add ${V6}/64 dev eth0 nodad`,
  'addr add 2001:db8:19::10/64 dev eth0 nodad valid_lft 7200 preferred_lft 3600',
  `route add default via ${ROUTER4} dev eth0 proto dhcp src ${V4} metric 100`,
  `route add 203.0.113.0/24 via ${ROUTER4} dev eth0 mtu 1400`,
  `route add default via ${ROUTER4} dev eth0 table 500`,
  `-6 route add default via ${ROUTER6} dev eth0 metric 1024`,
  `-6 route add default via ${ROUTER6} dev eth0 table 500 metric 77`,
  'rule add iif eth0 table 500 pref 900',
  '-6 rule add oif eth0 table 500 pref 901',
  'neigh add 172.18.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent',
]

const PICTURE = `ip -o -d link show eth0 | grep -oE 'addrgenmode [^ ]*|master [^ ]*'
ip -br link | awk '{print $1}' | sort
ip -d addr show dev eth0
ip -4 route show table all | sort; ip -6 route show table all | sort
ip -4 rule; ip -6 rule
ip neigh show nud permanent
sysctl -a 2>/dev/null | grep -E 'conf.eth0.(rp_filter|accept_ra|autoconf|forwarding|disable_ipv6) '`

/** Counters, what time alone changes, and marks of how an address came to be. */
const VOLATILE =
  /valid_lft \d+sec preferred_lft \d+sec| expires \d+sec|promiscuity \d+|allmulti \d+|@if\d+|link-netns \S+|if\d+| nodad/g

/** Link-local addresses are checked for a second or two. */
async function settled(onNode: (...argv: readonly string[]) => Promise<string>): Promise<void> {
  while (/tentative/.test(await onNode('ip', '-6', 'addr'))) await Bun.sleep(50)
}
