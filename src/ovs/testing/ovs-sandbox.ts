import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, run, spawnDaemon, type ToolResult } from './daemon.ts'

/** How a sandboxed Open vSwitch is started. */
export type OvsSandboxOptions = {
  /** The network namespace that ovs-vswitchd runs in, by its name or a descriptor of ours. Default: the caller's own. */
  readonly netns?: string | number
  /** Dummy datapath: no kernel devices at all, every bridge and port is simulated. Default false (use `datapath_type=netdev`). */
  readonly dummy?: boolean
  /** False starts only ovsdb-server. Default true. */
  readonly vswitchd?: boolean
  /** The folder that its own one is made in. Default: the temporary folder. */
  readonly parent?: string
}

/** One private Open vSwitch: its own database, daemons, sockets and folder. Always `stop()` it. */
export type OvsSandbox = {
  readonly dir: string
  readonly dbSocket: string
  /** OpenFlow management socket of a bridge. */
  mgmtSocket(bridge: string): string
  readonly vswitchdCtl: string
  readonly databaseCtl: string
  readonly env: Readonly<Record<string, string>>
  /** Runs ovs-vsctl against this database and returns its output, trimmed; throws on a non-zero exit. */
  vsctl(...args: readonly string[]): Promise<string>
  /** Runs ovs-ofctl; name the bridge by `mgmtSocket(bridge)` prefixed with `unix:`, or by its bare name. */
  ofctl(...args: readonly string[]): Promise<string>
  /** Runs ovs-appctl against ovs-vswitchd. */
  appctl(...args: readonly string[]): Promise<string>
  /** Like ofctl/vsctl/appctl for any OVS tool, without throwing. */
  tool(argv: readonly string[], stdin?: string): Promise<ToolResult>
  /** Pids of the running daemons, for signals other than a kill. */
  pids(): { readonly database?: number; readonly vswitchd?: number }
  killVswitchd(): Promise<void>
  startVswitchd(): Promise<void>
  killDatabase(): Promise<void>
  startDatabase(): Promise<void>
  /** Ends the daemons, removes TAP devices and the folder. Safe to call twice. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

/** Starts a private Open vSwitch and resolves when both daemons answer. */
export async function startOvsSandbox(options: OvsSandboxOptions = {}): Promise<OvsSandbox> {
  const dir = await mkdtemp(join(options.parent ?? tmpdir(), 'weft-ovs-'))
  await chmod(dir, 0o700)
  const dbSocket = join(dir, 'db.sock')
  const dbFile = join(dir, 'conf.db')
  const vswitchdCtl = join(dir, 'ovs-vswitchd.ctl')
  const databaseCtl = join(dir, 'ovsdb.ctl')
  const env = { ...inheritedEnv(), OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir, OVS_SYSCONFDIR: dir }
  const enter = entering(options.netns)
  let database: Daemon | undefined
  let vswitchd: Daemon | undefined
  let stopped = false

  const tool = (argv: readonly string[], stdin?: string): Promise<ToolResult> => run(argv, env, stdin)
  const must = async (argv: readonly string[]): Promise<string> => {
    const result = await tool(argv)
    if (result.code !== 0) throw new Error(`${argv.join(' ')}: exit ${result.code}: ${result.stderr.trim()}`)
    return result.stdout.trimEnd()
  }
  const vsctl = (...args: readonly string[]): Promise<string> =>
    must(['ovs-vsctl', `--db=unix:${dbSocket}`, '--timeout=60', ...args])
  const appctl = (...args: readonly string[]): Promise<string> => must(['ovs-appctl', '-t', vswitchdCtl, ...args])

  const startDatabase = async (): Promise<void> => {
    if (database?.alive()) return
    await rm(dbSocket, { force: true }) // a killed server leaves it behind
    const argv = [`--remote=punix:${dbSocket}`, `--unixctl=${databaseCtl}`, `--pidfile=${join(dir, 'ovsdb.pid')}`]
    database = spawnDaemon(['ovsdb-server', ...argv, '--log-file=ovsdb.log', '-vconsole:off', dbFile], env, dir)
    await appears(dbSocket, database) // ovs-vsctl alone would look once a second
    await vsctl('--retry', '--no-wait', 'init')
  }
  const startVswitchd = async (): Promise<void> => {
    if (vswitchd?.alive()) return
    const dummy = options.dummy === true ? ['--enable-dummy=override', '--disable-system'] : []
    const argv = ['--pidfile', `--unixctl=${vswitchdCtl}`, '--log-file=vswitchd.log', '-vconsole:off', ...dummy]
    vswitchd = spawnDaemon([...enter, 'ovs-vswitchd', `unix:${dbSocket}`, ...argv], env, dir)
    // Waits until ovs-vswitchd has taken over the configuration: without --no-wait, ovs-vsctl waits for cur_cfg.
    await vsctl('set', 'Open_vSwitch', '.', `external_ids:sandbox-start=${Date.now()}`)
  }
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    if (vswitchd?.alive()) await tool(['ovs-appctl', '-t', vswitchdCtl, '--timeout=10', 'exit', '--cleanup'])
    else if (options.dummy !== true && options.vswitchd !== false) await removeOrphanTaps(tool, dbSocket, enter)
    await vswitchd?.end()
    await database?.end()
    await rm(dir, { recursive: true, force: true })
  }

  try {
    await must(['ovsdb-tool', 'create', dbFile, SCHEMA])
    await startDatabase()
    if (options.vswitchd !== false) await startVswitchd()
  } catch (cause) {
    await stop()
    throw cause
  }
  return {
    dir,
    dbSocket,
    mgmtSocket: (bridge) => join(dir, `${bridge}.mgmt`),
    vswitchdCtl,
    databaseCtl,
    env,
    vsctl,
    ofctl: (...args) => must(['ovs-ofctl', '--timeout=60', ...args]),
    appctl,
    tool,
    pids: () => ({
      ...(database?.alive() ? { database: database.pid } : {}),
      ...(vswitchd?.alive() ? { vswitchd: vswitchd.pid } : {}),
    }),
    killVswitchd: async () => vswitchd?.kill(),
    startVswitchd,
    killDatabase: async () => database?.kill(),
    startDatabase,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function entering(netns: string | number | undefined): readonly string[] {
  if (netns === undefined) return []
  if (typeof netns === 'string') return ['ip', 'netns', 'exec', netns]
  return ['nsenter', `--net=/proc/${process.pid}/fd/${netns}`]
}

async function appears(path: string, daemon: Daemon): Promise<void> {
  while (daemon.alive() && !existsSync(path)) await Bun.sleep(2)
}

/** A killed ovs-vswitchd leaves its TAP devices behind; the database still names them. */
async function removeOrphanTaps(
  tool: (argv: readonly string[]) => Promise<ToolResult>,
  dbSocket: string,
  enter: readonly string[],
): Promise<void> {
  const find = ['--bare', '--columns=name', 'find', 'Interface', 'type=internal']
  const found = await tool(['ovs-vsctl', `--db=unix:${dbSocket}`, '--timeout=5', ...find])
  const names = found.stdout.split('\n').filter((line) => line !== '')
  for (const name of names) await tool([...enter, 'ip', 'link', 'del', name])
}

function inheritedEnv(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' }
}
