/** Real BIRDs, in namespaces of their own with nobody. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SAMPLE_CLUSTER, sampleNode, samplePlanner } from '../../../test/tables/sample-node.ts'
import { runningPid } from '../../bird/daemon.ts'
import { openRtnl, type RtnlSocket } from '../../linux/index.ts'
import type { BgpCluster } from '../../network/fabric/bgp/model.ts'
import type { Fabric } from '../../network/model/cluster.ts'
import type { FieldProblem } from '../../network/model/problem.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { AgentLog } from '../log.ts'
import { Problems } from '../problems.ts'
import { Bgp, type BgpParts } from './bgp.ts'

/** The machine may have much else to do. */
const LIMIT = 30_000
const SILENT: AgentLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
let folder = ''
let rtnl: RtnlSocket
let stop = new AbortController()
let problems = new Problems(SILENT)
let bgp: Bgp | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-bgp-'))
  rtnl = openRtnl()
  stop = new AbortController()
  problems = new Problems(SILENT)
})

afterEach(async () => {
  stop.abort()
  await bgp?.[Symbol.asyncDispose]()
  const pid = birdPid()
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  rtnl[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

function birdPid(): number | undefined {
  const run = join(folder, 'run/bird')
  const places = { socket: join(run, 'bird.ctl'), pidFile: join(run, 'bird.pid') }
  return runningPid({ command: [], outputFile: '', recoverFile: '', ...places })
}

function planned(way: Fabric['way'] = 'bgp'): NodePlanner {
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way, otherwise: 'tunnel' } })
  planner.putPeer(sampleNode(2))
  return planner
}

function start(planner: () => NodePlanner, options: Partial<BgpParts> = {}): Bgp {
  bgp = new Bgp({
    rtnl,
    stateDir: join(folder, 'state'),
    runDir: join(folder, 'run'),
    command: ['unshare', '--net', 'bird'],
    planner,
    wishes: (cluster) => ({ cluster, problems: [] }),
    isForServices: () => true,
    routersChanged: () => undefined,
    watchedChanged: () => undefined,
    problems,
    log: SILENT,
    signal: stop.signal,
    ...options,
  })
  bgp.planned()
  return bgp
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (holds()) return
    await Bun.sleep(25)
  }
  throw new Error(`${holds} did not become true`)
}

function configuration(): string {
  const file = join(folder, 'state/bird/current/bird.conf')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

test(
  'where the fabric is another nothing is started, and nothing told',
  async () => {
    const running = start(() => planned('direct'))
    await Bun.sleep(400)
    expect(running.facts()).toBeUndefined()
    expect(existsSync(join(folder, 'state'))).toBe(false)
  },
  LIMIT,
)

test(
  'a node without BIRD says so, and what to install',
  async () => {
    const running = start(() => planned(), { command: [join(folder, 'bird')] })
    await until(() => problems.of('bgp') !== undefined)
    expect(problems.of('bgp')).toContain('apt-get install bird2')
    expect(running.facts()).toMatchObject({ isRunning: false, problem: problems.of('bgp') as string, sessions: [] })
  },
  LIMIT,
)

test(
  'nothing is told to anybody before all has been read',
  async () => {
    let isRead = false
    const planner = planned()
    const running = start(() => planner, { wishes: (cluster) => (isRead ? { cluster, problems: [] } : undefined) })
    await Bun.sleep(400)
    expect(birdPid()).toBeUndefined()
    isRead = true
    running.look()
    // It is asked for its sessions once it runs.
    await until(() => running.facts()?.sessions.length === 2)
    expect(running.facts()?.isRunning).toBe(true)
    const one = { kind: 'node', node: 'node2', isUp: false } as const
    expect(running.facts()?.sessions).toMatchObject([
      { ...one, family: 4 },
      { ...one, family: 6 },
    ])
    expect(configuration()).toContain('neighbor 192.0.2.12')
  },
  LIMIT,
)

test(
  'what BIRD refuses leaves it with what it had, and is told until something changes',
  async () => {
    const flag = join(folder, 'refuse')
    const script = join(folder, 'bird.sh')
    writeFileSync(
      script,
      `[ "$1" = -p ] && [ -e '${flag}' ] && { echo 'bird.conf:7:1 syntax error' >&2; exit 1; }\nexec unshare --net bird "$@"\n`,
    )
    const planner = planned()
    const running = start(() => planner, { command: ['sh', script] })
    await until(() => running.facts()?.isRunning === true)
    const [pid, before] = [birdPid(), configuration()]
    writeFileSync(flag, '')
    planner.putPeer({ ...sampleNode(3), addresses: sampleNode(3).addresses })
    running.look()
    await until(() => problems.of('bgp') !== undefined)
    expect(problems.of('bgp')).toContain('syntax error')
    expect(configuration()).toBe(before)
    expect(birdPid()).toBe(pid as number)
    rmSync(flag)
    running.look()
    await until(() => problems.of('bgp') === undefined)
    expect(configuration()).toContain('neighbor 192.0.2.13')
    expect(birdPid()).toBe(pid as number)
  },
  LIMIT,
)

test(
  'what is asked for and cannot be is told, the rest holds; a password is in no sentence',
  async () => {
    const problem: FieldProblem = { field: 'BGPPeer rack', reason: 'is no good', remedy: 'mend it' }
    const wishes = (cluster: BgpCluster) => ({
      cluster: { ...cluster, mesh: { bfd: false, password: 'bgp/mesh' } },
      problems: [problem],
    })
    const planner = planned()
    const running = start(() => planner, { wishes })
    await until(() => problems.of('bgp') !== undefined)
    expect(problems.of('bgp')).toMatch(/BGPPeer rack: is no good; mend it; BGPConfiguration.*no session is made/)
    await until(() => running.facts()?.isRunning === true)
    expect(running.facts()?.sessions).toEqual([])
    Bun.spawnSync(['mkdir', '-p', join(folder, 'state/bgp-passwords/bgp')])
    writeFileSync(join(folder, 'state/bgp-passwords/bgp/mesh'), 'Geheim-4711\n')
    running.look()
    await until(() => running.facts()?.sessions.length === 2)
    expect(problems.of('bgp')).not.toContain('no session')
    expect(configuration()).not.toContain('Geheim-4711')
    expect(readFileSync(join(folder, 'state/bird/current/passwords.conf'), 'utf8')).toContain('Geheim-4711')
    expect(Bun.spawnSync(['ps', 'axww']).stdout.toString()).not.toContain('Geheim-4711')
    expect(JSON.stringify(running.facts())).not.toContain('Geheim-4711')
  },
  LIMIT,
)
