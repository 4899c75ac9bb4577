/**
 * One node's Open vSwitch: its own database and daemons, in its own namespace and folder.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { applyRuleset } from '../../linux/index.ts'
import type { Cidr } from '../../network/model/address.ts'
import { command } from '../command.ts'
import { PlaygroundError } from '../errors.ts'
import { type Layout, type NodeLayout, UNDERLAY } from '../layout.ts'
import { isAlive, lastWords, startProcess, until } from '../processes.ts'
import { giveAddresses, giveWireAddresses, SECOND_UPLINK, UPLINK } from './underlay.ts'

/** The bridge that holds a node's uplink where the switch runs in user space. */
export const UPLINK_BRIDGE = 'br-phy'
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const PATIENCE = 15_000

export type Datapath = 'system' | 'netdev'

/** `system` where the kernel has Open vSwitch's datapath (loaded now, if it is a module), else `netdev`. */
export async function kernelDatapath(): Promise<Datapath> {
  await command(['modprobe', '-q', 'openvswitch']).catch(() => undefined)
  // It fails when the generic netlink family is not there.
  return command(['ovs-dpctl', 'dump-dps']).then(
    () => 'system',
    () => 'netdev',
  )
}

/** The bridge that holds a node's second uplink: what pods with fixed addresses are plugged in. */
export const WIRE_BRIDGE = 'br1'

/**
 * Puts a node on the second wire as a machine's administrator does: a bridge with the uplink, the node's address on it.
 * `index` is the node's, from 1.
 */
export async function joinWire(
  node: NodeLayout,
  datapath: Datapath,
  networks: readonly Cidr[],
  index: number,
): Promise<void> {
  const bridge = ['add-br', WIRE_BRIDGE, '--', 'set', 'Bridge', WIRE_BRIDGE, `datapath_type=${datapath}`]
  await vsctl(node, ...bridge, '--', 'add-port', WIRE_BRIDGE, SECOND_UPLINK)
  giveWireAddresses(node.netns, WIRE_BRIDGE, networks, index)
}

/** Starts a node's switch and puts the node on the physical network. Resolves when both daemons answer. */
export async function startSwitch(layout: Layout, node: NodeLayout, datapath: Datapath): Promise<void> {
  mkdirSync(node.ovsDir, { recursive: true, mode: 0o700 })
  await startDatabase(layout, node)
  await startForwarding(layout, node, datapath)
  if (datapath === 'system') {
    giveAddresses(node.netns, UPLINK, node.addresses)
    return
  }
  const bridge = ['add-br', UPLINK_BRIDGE, '--', 'set', 'Bridge', UPLINK_BRIDGE, 'datapath_type=netdev']
  await vsctl(node, ...bridge, 'fail_mode=standalone', '--', 'add-port', UPLINK_BRIDGE, UPLINK)
  await leaveUplinkToTheSwitch(node)
  giveAddresses(node.netns, UPLINK_BRIDGE, node.addresses)
  await routeTunnels(node)
}

/**
 * A userspace switch only listens on the uplink: the node's own stack hears the same packets, and would take those for
 * the node a second time.
 */
async function leaveUplinkToTheSwitch({ netns }: NodeLayout): Promise<void> {
  const drop = (family: string, hook: string) => `table ${family} lab {
  chain uplink {
    type filter hook ${hook} priority -310; policy accept;
    iifname { "${UPLINK}", "${SECOND_UPLINK}" } drop
  }
}`
  await applyRuleset([drop('inet', 'prerouting'), drop('arp', 'input')].join('\n'), { netns })
}

/** Starts a node's ovs-vswitchd again after it has ended, as a supervisor does. */
export async function restartForwarding(layout: Layout, node: NodeLayout, datapath: Datapath): Promise<void> {
  // A busy machine takes its time to end a killed process, which holds its pid file until then.
  const before = Number(readFileSync(pidFileOf(node), 'utf8'))
  await until(() => !isAlive(before), PATIENCE)
  await startForwarding(layout, node, datapath)
  if (datapath === 'netdev') await routeTunnels(node)
}

/**
 * Tells a userspace switch where tunnels go. By itself it copies the kernel's routes, and forgets them all for a moment
 * whenever any link of the node comes or goes: tunnel packets in that moment are lost, in both directions. So it is
 * started without those, and told again after each start.
 */
async function routeTunnels({ ovsDir }: NodeLayout): Promise<void> {
  const control = join(ovsDir, 'ovs-vswitchd.ctl')
  for (const { first, length } of Object.values(UNDERLAY)) {
    const add = ['ovs-appctl', '-t', control, 'ovs/route/add', `${first}/${length}`, UPLINK_BRIDGE]
    // A switch that has just been started may not have opened the bridge yet.
    const added = await until(
      () =>
        command(add).then(
          () => true,
          () => false,
        ),
      PATIENCE,
    )
    if (!added)
      throw new PlaygroundError('PLAY_TIMEOUT', `${UPLINK_BRIDGE} takes no route`, '`weft play down`, then try again')
  }
}

/** Runs ovs-vsctl against a node's database; waits until the switch has done it. */
export function vsctl(node: NodeLayout, ...args: readonly string[]): Promise<string> {
  return command(['ovs-vsctl', `--db=unix:${node.ovsdbSocket}`, '--timeout=15', ...args])
}

/** What the Open vSwitch tools look for, for a node. */
export function switchEnvironment({ ovsDir }: NodeLayout): Readonly<Record<string, string>> {
  return { OVS_RUNDIR: ovsDir, OVS_DBDIR: ovsDir, OVS_LOGDIR: ovsDir, OVS_SYSCONFDIR: ovsDir }
}

async function startDatabase(layout: Layout, node: NodeLayout): Promise<void> {
  const { ovsDir, ovsdbSocket } = node
  const file = join(ovsDir, 'conf.db')
  if (!existsSync(file)) await command(['ovsdb-tool', 'create', file, SCHEMA])
  const control = [`--unixctl=${join(ovsDir, 'ovsdb-server.ctl')}`, `--pidfile=${join(ovsDir, 'ovsdb-server.pid')}`]
  const argv = ['ovsdb-server', `--remote=punix:${ovsdbSocket}`, ...control, '-vconsole:warn', file]
  await started(layout, node, { role: `${node.name}-ovsdb-server`, argv }, () => existsSync(ovsdbSocket))
  // What Debian's ovs-ctl writes at start-up.
  const facts = [`external_ids:system-id=${node.name}`, `ovs_version=${await switchVersion()}`]
  await vsctl(node, '--no-wait', 'init', '--', 'set', 'Open_vSwitch', '.', ...facts)
}

/** `3.1.0`, from `ovs-vswitchd (Open vSwitch) 3.1.0`. */
async function switchVersion(): Promise<string> {
  return /\d+(\.\d+)+/.exec(await command(['ovs-vswitchd', '--version']))?.[0] ?? 'unknown'
}

async function startForwarding(layout: Layout, node: NodeLayout, datapath: Datapath): Promise<void> {
  const { ovsDir, ovsdbSocket } = node
  const socket = join(ovsDir, 'ovs-vswitchd.ctl')
  const control = [`--unixctl=${socket}`, `--pidfile=${pidFileOf(node)}`]
  const routes = datapath === 'netdev' ? ['--disable-system-route'] : []
  // What a killed one left would be taken for the sign that this one is up.
  rmSync(socket, { force: true })
  const argv = ['ovs-vswitchd', ...routes, ...control, '-vconsole:warn', `unix:${ovsdbSocket}`]
  await started(layout, node, { role: `${node.name}-ovs-vswitchd`, argv }, () => existsSync(socket))
}

function pidFileOf({ ovsDir }: NodeLayout): string {
  return join(ovsDir, 'ovs-vswitchd.pid')
}

async function started(
  layout: Layout,
  node: NodeLayout,
  { role, argv }: { readonly role: string; readonly argv: readonly string[] },
  isUp: () => boolean,
): Promise<void> {
  const pid = startProcess(layout, { role, argv, netns: node.netns, env: switchEnvironment(node) })
  const up = await until(() => isUp() || !isAlive(pid), PATIENCE)
  if (up && isAlive(pid)) return
  const why = lastWords(layout, role)
  throw new PlaygroundError(
    'PLAY_PROCESS',
    `${argv[0]} of ${node.name} did not start: ${why}`,
    '`weft play down`, then try again',
  )
}
