/**
 * OVN's databases and ovn-northd for the length of a test, in a folder of their own: alone, or three servers of the
 * northbound database that elect a leader.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, run, spawnDaemon } from '../../ovs/testing/daemon.ts'

/** Why tests that need OVN are left out, or undefined. */
export const SKIPPED =
  Bun.which('ovn-northd', { PATH: `${process.env['PATH']}:/usr/sbin:/usr/bin` }) === null
    ? 'SKIPPED: install ovn-central to run this'
    : undefined

/** How it is started. */
export interface CentralOptions {
  /** Servers of the northbound database; 1 when absent, 3 make a cluster. */
  readonly servers?: 1 | 3
  /** Further places where the (first) server listens: `ptcp:0:127.0.0.1`, `pssl:…`. */
  readonly listen?: readonly string[]
  /** Further options of the server. */
  readonly argv?: readonly string[]
  /** Without ovn-northd and the southbound database. */
  readonly northd?: false
}

/** A server of the northbound database. */
export interface NorthboundServer {
  readonly remote: string
  readonly socket: string
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Whether it leads, as it says itself. */
  isLeader(): Promise<boolean>
}

/** OVN's central part. Always `stop()` it. */
export interface Central {
  readonly folder: string
  readonly servers: readonly NorthboundServer[]
  /** All servers, as an operator names them. */
  readonly remotes: string
  /** Runs ovn-nbctl at the leader; throws on a non-zero exit. */
  nbctl(...args: readonly string[]): Promise<string>
  stop(): Promise<void>
}

const SCHEMAS = '/usr/share/ovn'

/** Starts it, and resolves when all answer. */
export async function startCentral(options: CentralOptions = {}): Promise<Central> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-ovn-'))
  const daemons: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of daemons.splice(0).reverse()) await end()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const count = options.servers ?? 1
    const servers: NorthboundServer[] = []
    for (let at = 0; at < count; at += 1) {
      const server = await prepareServer(folder, at, count, options, daemons)
      await server.start()
      servers.push(server)
    }
    const remotes = servers.map(({ remote }) => remote).join(',')
    const nbctl = (...args: readonly string[]): Promise<string> =>
      must(['ovn-nbctl', `--db=${remotes}`, '--timeout=30', ...args], folder)
    await nbctl('init')
    if (options.northd !== false) await startNorthd(folder, remotes, daemons)
    return { folder, servers, remotes, nbctl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepareServer(
  folder: string,
  at: number,
  count: number,
  options: CentralOptions,
  daemons: (() => Promise<void>)[],
): Promise<NorthboundServer> {
  const file = join(folder, `nb${at}.db`)
  const socket = join(folder, `nb${at}.sock`)
  const control = join(folder, `nb${at}.ctl`)
  const raft = (index: number): string => `unix:${join(folder, `raft${index}.sock`)}`
  if (count === 1) await must(['ovsdb-tool', 'create', file, join(SCHEMAS, 'ovn-nb.ovsschema')], folder)
  else if (at === 0) {
    await must(['ovsdb-tool', 'create-cluster', file, join(SCHEMAS, 'ovn-nb.ovsschema'), raft(0)], folder)
  } else await must(['ovsdb-tool', 'join-cluster', file, 'OVN_Northbound', raft(at), raft(0)], folder)
  let daemon: Daemon | undefined
  daemons.push(async () => daemon?.end())
  const listen = at === 0 ? (options.listen ?? []) : []
  return {
    remote: `unix:${socket}`,
    socket,
    async start() {
      await rm(socket, { force: true })
      await rm(control, { force: true })
      const remotes = [`punix:${socket}`, ...listen].map((remote) => `--remote=${remote}`)
      const argv = [
        ...remotes,
        `--unixctl=${control}`,
        `--log-file=nb${at}.log`,
        '-vconsole:off',
        ...(options.argv ?? []),
      ]
      daemon = spawnDaemon(['ovsdb-server', ...argv, file], environment(folder), folder)
      await appears(socket, daemon)
      const wait = ['ovsdb-client', '--timeout=30', 'wait', `unix:${socket}`, 'OVN_Northbound', 'connected']
      await must(wait, folder)
    },
    kill: async () => daemon?.kill(),
    async isLeader() {
      if (daemon?.alive() !== true) return false
      const { stdout } = await run(
        ['ovs-appctl', '-t', control, '--timeout=5', 'cluster/status', 'OVN_Northbound'],
        environment(folder),
      )
      return /^Role: leader$/m.test(stdout)
    },
  }
}

async function startNorthd(folder: string, northbound: string, daemons: (() => Promise<void>)[]): Promise<void> {
  const file = join(folder, 'sb.db')
  const socket = join(folder, 'sb.sock')
  await must(['ovsdb-tool', 'create', file, join(SCHEMAS, 'ovn-sb.ovsschema')], folder)
  const argv = [`--remote=punix:${socket}`, `--unixctl=${join(folder, 'sb.ctl')}`, '--log-file=sb.log', '-vconsole:off']
  const database = spawnDaemon(['ovsdb-server', ...argv, file], environment(folder), folder)
  daemons.push(database.end)
  await appears(socket, database)
  const places = [`--ovnnb-db=${northbound}`, `--ovnsb-db=unix:${socket}`]
  const control = join(folder, 'northd.ctl')
  const northd = spawnDaemon(
    ['ovn-northd', ...places, `--unixctl=${control}`, '--log-file=northd.log', '-vconsole:off'],
    environment(folder),
    folder,
  )
  daemons.push(northd.end)
  await appears(control, northd)
}

async function appears(path: string, daemon: Daemon): Promise<void> {
  while (daemon.alive() && !existsSync(path)) await Bun.sleep(2)
}

async function must(argv: readonly string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await run(argv, environment(folder))
  if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}: ${stderr.trim()}`)
  return stdout.trimEnd()
}

function environment(folder: string): Record<string, string> {
  const path = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'
  return { PATH: path, LANG: 'C', OVS_RUNDIR: folder, OVN_RUNDIR: folder, OVS_LOGDIR: folder, OVN_LOGDIR: folder }
}
