/**
 * A node with an Open vSwitch of its own and a cache of ports, in a namespace; pods are namespaces too. Behind `eth1` is the
 * test: it sees the frames that a hypervisor would.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CachedPort, formatCache } from '../../compat/ovn-underlay/cache.ts'
import { formatRecord } from '../../compat/ovn-underlay/record.ts'
import { closeFd, netnsAdd, netnsDel, netnsPath } from '../../linux/index.ts'
import { cidr, ip, parseMac } from '../../network/model/address.ts'
import { run, type ToolResult } from '../../ovs/testing/daemon.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'

export const PARENT = '2233c32a-4092-4d8b-b44d-1c54f666c507'

/** A node without a Neutron. */
export interface NodeLab extends AsyncDisposable {
  readonly ovs: OvsSandbox
  readonly node: string
  /** Runs a program in the node's namespace, without throwing. */
  on(...argv: readonly string[]): Promise<ToolResult>
  /** Makes a pod's namespace; its name. */
  pod(name: string): string
  /** One call of the plugin, as a runtime makes it. */
  cni(verb: string, call: CniCall): Promise<{ readonly code: number; readonly answer: unknown }>
  /** One kept in the background. */
  spawn(verb: string, call: CniCall): Bun.Subprocess
}

export interface CniCall {
  readonly container?: string
  readonly netns?: string
  readonly ifname?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly type?: 'ovn-underlay' | 'ovn'
  readonly args?: string
}

let count = 0

/** The ports of a subnet /29, as Neutron might have given them. */
export const PORTS: readonly CachedPort[] = [1, 2, 3, 4, 5].map((vlan) => ({
  id: `00000000-0000-4000-8000-00000000000${vlan}`,
  address: ip(`192.168.1.${vlan + 1}`),
  prefixLength: 29,
  mac: parseMac(`fa:16:3e:00:00:0${vlan}`) ?? (undefined as never),
  vlan: vlan + 10,
  gateway: ip('192.168.1.1'),
}))

/** Starts one, with `br-int` and the machine's interface `eth1` as its port. */
export async function startNodeLab(): Promise<NodeLab> {
  const node = `wefttest-underlay-${process.pid}-${count++}`
  const home = mkdtempSync(join(tmpdir(), 'wefttest-underlay-'))
  const names = [node]
  const fds = [netnsAdd(node)]
  const ovs = await startOvsSandbox({ netns: node })
  const on = (...argv: readonly string[]): Promise<ToolResult> =>
    run(['nsenter', `--net=${netnsPath(node)}`, ...argv], ENV)
  await on(
    'sh',
    '-ec',
    'ip link set lo up; ip link add eth1 type veth peer name wire; ip link set eth1 up; ip link set wire up',
  )
  await ovs.vsctl(
    'add-br',
    'br-int',
    '--',
    'set',
    'bridge',
    'br-int',
    'datapath_type=netdev',
    '--',
    'add-port',
    'br-int',
    'eth1',
  )
  const record = {
    state: 'ready',
    name: 'ls-worker1',
    subnet: cidr('192.168.1.0/29'),
    parent: PARENT,
    mtu: 1442,
    gateway: { address: ip('192.168.1.1'), mac: parseMac('fa:16:3e:00:00:fe') ?? (undefined as never) },
  } as const
  await keys(ovs, { 'lport-cache': formatCache(PORTS), 'weft-underlay': formatRecord(record) })
  const prepared = (
    verb: string,
    { container = 'c1', netns, ifname = 'eth0', config = {}, type = 'ovn-underlay', args }: CniCall,
  ) => ({
    argv0: type,
    stdin: new TextEncoder().encode(
      JSON.stringify({ cniVersion: '1.1.0', name: 'underlay', type, ovsdb: ovs.dbSocket, ...config }),
    ),
    env: {
      ...ENV,
      CNI_COMMAND: verb,
      CNI_CONTAINERID: container,
      CNI_IFNAME: ifname,
      CNI_PATH: '/opt/cni/bin',
      ...(netns === undefined ? {} : { CNI_NETNS: netnsPath(netns) }),
      ...(args === undefined ? {} : { CNI_ARGS: args }),
    },
  })
  const spawn: NodeLab['spawn'] = (verb, call) => {
    const { stdin, env, argv0 } = prepared(verb, call)
    const script = `exec -a ${argv0} ${process.execPath} ${MAIN}`
    return Bun.spawn(['nsenter', `--net=${netnsPath(node)}`, 'bash', '-c', script], {
      stdin,
      env,
      stdout: 'pipe',
      stderr: 'inherit',
    })
  }
  return {
    ovs,
    node,
    on,
    spawn,
    pod: (name) => {
      const full = `${node}-${name}`
      fds.push(netnsAdd(full))
      names.push(full)
      return full
    },
    cni: async (verb, call) => {
      const child = spawn(verb, call)
      const text = await new Response(child.stdout as ReadableStream).text()
      return { code: await child.exited, answer: text === '' ? undefined : JSON.parse(text) }
    },
    [Symbol.asyncDispose]: async () => {
      await ovs.stop()
      for (const fd of fds) closeFd(fd)
      for (const name of names) netnsDel(name)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Sets keys of the node by the tool that people have for it. */
export async function keys(ovs: OvsSandbox, values: Readonly<Record<string, string>>): Promise<void> {
  const pairs = Object.entries(values).map(([key, value]) => `external_ids:${key}=${JSON.stringify(value)}`)
  await ovs.vsctl('set', 'open_vswitch', '.', ...pairs)
}

/** The plugin without the rest of the program, which takes a second to be read from its sources. */
const MAIN = join(import.meta.dir, 'plugin-program.ts')
const ENV = { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
