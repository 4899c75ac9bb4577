/**
 * Keeps one machine's part of a mesh until it is ended. What it made stays when it ends: packets go on.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { Repeater } from '../agent/repeater.ts'
import { lockFile, type MonitorEvent, openMonitor, openRtnl, type RtnlSocket } from '../linux/index.ts'
import { ROUTE_PROTOCOL } from '../network/host.ts'
import { type Change, connectOvsdb } from '../ovs/ovsdb/index.ts'
import { aborted, sleep } from '../registry/backoff.ts'
import { decodeMeshConfig, type MeshConfig } from './config.ts'
import { MeshError } from './errors.ts'
import { Keeper, type Switch } from './keeper.ts'
import { ownHost } from './look.ts'
import { lockPath, type MeshRecord } from './record.ts'
import type { Source } from './source.ts'
import { type DatapathType, SWITCH_SPEC, sentenceOf } from './switch.ts'

/** Where it says what it does; pino's loggers are such. */
export interface MeshLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** What it is run with. */
export interface MeshRun {
  readonly source: Source
  /** Socket of ovsdb-server. */
  readonly ovsdb: string
  readonly datapathType: DatapathType
  /** False: tunnel packets in a machine's name are taken by any link. */
  readonly guard: boolean
  /** Folder of lock and record. */
  readonly folder: string
  readonly log: MeshLog
  readonly signal: AbortSignal
  /** Everything was made for the first time. */
  readonly onReady: () => void
  /** What it does, in a few words. */
  readonly onStatus: (text: string) => void
}

/** Whatever happened unseen is found as often as this, and filters of others are looked at. */
const SWEEP_MS = 10_000
/** Machines on segments are asked as often as this. */
const ASK_MS = 3_000
/** Changes that come together are looked at together. */
const SETTLE_MS = 200
const RETRY_MS = 1_000

/** Runs until the signal aborts. Throws MESH_BUSY, MESH_CONFIG, MESH_NOT_A_HOST, and what etcd says that no waiting cures. */
export async function runMesh(run: MeshRun): Promise<void> {
  using _lock = takeLock(run.folder)
  using rtnl = openRtnl()
  const text = await firstText(run)
  if (text === undefined) return
  const config = decodeMeshConfig(text, run.source.name)
  ownHost(rtnl, config)
  await keep(run, rtnl, config, text)
}

/** Locks a folder for whoever changes the mesh. Throws MESH_BUSY. */
export function takeLock(folder: string): Disposable {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockFile(lockPath(folder))
  if (lock !== undefined) return lock
  throw new MeshError('MESH_BUSY', 'a daemon keeps the mesh of this machine', 'end it first: systemctl stop weft-mesh')
}

/** Etcd may come later; a file that is not there is a mistake. */
async function firstText({ source, log, signal, onStatus }: MeshRun): Promise<string | undefined> {
  let told = ''
  while (!signal.aborted) {
    try {
      return await source.read(signal)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : ''
      if (code !== 'ETCD_UNAVAILABLE') throw error
      const sentence = sentenceOf(error)
      if (sentence !== told) log.warn({}, `waiting for the list of machines: ${sentence}`)
      told = sentence
      onStatus('waiting for etcd')
      await sleep(RETRY_MS, signal)
    }
  }
  return undefined
}

async function keep(run: MeshRun, rtnl: RtnlSocket, first: MeshConfig, text: string): Promise<void> {
  const { source, log, signal } = run
  let config = first
  let ovs: Switch | undefined
  let hasFilters = true
  let failure: string | undefined
  let listProblem: string | undefined
  let sourceProblem: string | undefined
  const keeper = new Keeper({
    ...run,
    rtnl,
    ovs: () => ovs,
    source: source.name,
    now: () => Math.floor(Date.now() / 1000),
  })
  const teller = new Teller(run)
  const note = (): void => {
    const more = [failure, listProblem, sourceProblem].filter((one) => one !== undefined)
    try {
      const record = keeper.note(more)
      if (record !== undefined) teller.tell(record)
    } catch (error) {
      log.warn({}, `cannot note how the mesh is: ${sentenceOf(error)}`)
    }
  }
  const work = new Repeater(
    async () => {
      const filters = hasFilters
      hasFilters = false
      const { isMade } = await keeper.apply(config, { filters })
      failure = undefined
      note()
      if (isMade) teller.ready()
    },
    (error) => {
      failure = sentenceOf(error)
      note()
    },
    signal,
  )
  const follow = source.follow(
    text,
    {
      text: (next) => {
        try {
          const decoded = decodeMeshConfig(next, source.name)
          ownHost(rtnl, decoded)
          config = decoded
          listProblem = undefined
          log.info({ machines: decoded.hosts.length }, 'the list of machines is another')
        } catch (error) {
          listProblem = `the new list is not followed: ${sentenceOf(error)}`
        }
        work.request()
      },
      problem: (sentence) => {
        const isNew = sentence !== sourceProblem
        sourceProblem = sentence
        if (isNew) note()
      },
    },
    signal,
  )
  const soon = settled(() => work.request(), signal)
  const noteSoon = settled(note, signal)
  const tried = Promise.withResolvers<void>()
  const connecting = connect(run, tried.resolve, (found) => {
    ovs = found
    found.client.onState(() => work.request())
    found.monitor.subscribe((changes) => (changes.every(isBfd) ? note() : soon()))
    work.request()
  })
  // It is said to be missing when it was looked for.
  await tried.promise
  const monitor = openMonitor({
    topics: ['link', 'address', 'route', 'neighbour'],
    onEvent: (event) => {
      // Containers are neighbours, too: many come and go.
      if (event.topic === 'neighbour') noteSoon()
      else if (concerns(event)) soon()
    },
    onResync: soon,
  })
  const sweep = setInterval(() => {
    hasFilters = true
    work.request()
  }, SWEEP_MS)
  const asking = setInterval(() => {
    try {
      keeper.ask()
    } catch (error) {
      log.warn({}, `cannot ask for the other machines: ${sentenceOf(error)}`)
    }
  }, ASK_MS)
  work.request()
  await aborted(signal)
  clearInterval(sweep)
  clearInterval(asking)
  monitor.close()
  await Promise.all([follow, connecting])
  ovs?.client.close()
}

/** Our own routes tell nothing new when they come. */
function concerns({ topic, change, object }: MonitorEvent): boolean {
  return topic !== 'route' || change === 'del' || object.protocol !== ROUTE_PROTOCOL
}

function isBfd(change: Change<typeof SWITCH_SPEC>): boolean {
  return change.type === 'modify' && change.columns.every((column) => column === 'bfd_status')
}

/** Calls once when many calls have ended. */
function settled(action: () => void, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      if (!signal.aborted) action()
    }, SETTLE_MS)
  }
}

/** Waits for Open vSwitch as long as it takes; `onTried` when it has answered, or not, for the first time. */
async function connect(
  { ovsdb, log, signal }: MeshRun,
  onTried: () => void,
  onConnect: (ovs: Switch) => void,
): Promise<void> {
  let told = ''
  while (!signal.aborted) {
    try {
      const client = await connectOvsdb({ path: ovsdb })
      try {
        onConnect({ client, monitor: await client.monitor(SWITCH_SPEC) })
        onTried()
        return
      } catch (error) {
        client.close()
        throw error
      }
    } catch (error) {
      const sentence = sentenceOf(error)
      if (sentence !== told) log.warn({ ovsdb }, sentence)
      told = sentence
      onTried()
      await sleep(RETRY_MS, signal)
    }
  }
  onTried()
}

/** Says what changed, once each. */
class Teller {
  readonly #run: MeshRun
  #status = ''
  #problems: ReadonlySet<string> = new Set()
  #states: ReadonlyMap<string, string> = new Map()
  #isReady = false

  constructor(run: MeshRun) {
    this.#run = run
  }

  ready(): void {
    if (this.#isReady) return
    this.#isReady = true
    this.#run.onReady()
  }

  tell({ peers, problems }: MeshRecord): void {
    const { log, onStatus } = this.#run
    for (const problem of problems) if (!this.#problems.has(problem)) log.warn({}, problem)
    if (this.#problems.size > 0 && problems.length === 0) log.info({}, 'nothing is in the way any more')
    this.#problems = new Set(problems)
    const states = new Map(peers.map(({ name, way, state }) => [name, `${state} (${way})`]))
    for (const [peer, state] of states)
      if (this.#states.get(peer) !== state) log.info({ peer, state }, `${peer} is ${state}`)
    for (const peer of this.#states.keys())
      if (!states.has(peer)) log.info({ peer }, `${peer} is no machine of the mesh any more`)
    this.#states = states
    const status = `${peers.length} other machines, ${peers.filter(({ state }) => state === 'up').length} up`
    if (status !== this.#status) onStatus(status)
    this.#status = status
  }
}
