/**
 * This node's BGP: where the cluster's fabric is `bgp`, a BIRD with the configuration that the cluster's nodes, their ranges
 * and the administrators' objects make, kept running; elsewhere none.
 *
 * What BIRD refuses leaves it with what it had. Without BIRD there are no learned routes, and packets take the tunnel where
 * the fabric allows it.
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BirdError } from '../../bird/errors.ts'
import { BirdKeeper, type KeeperEvent } from '../../bird/keeper.ts'
import type { BirdCommand } from '../../bird/program.ts'
import type { RtnlSocket } from '../../linux/index.ts'
import type { NodeContext } from '../../network/context.ts'
import type { BgpCluster } from '../../network/fabric/bgp/model.ts'
import { announcedServices } from '../../network/fabric/bgp/services.ts'
import type { BgpSession } from '../../network/fabric/bgp/session.ts'
import { fabricOf } from '../../network/fabric/way.ts'
import type { Cidr, Ip } from '../../network/model/address.ts'
import { type FieldProblem, problemLine } from '../../network/model/problem.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { BgpFacts } from '../control/facts.ts'
import type { AgentLog } from '../log.ts'
import type { Problems } from '../problems.ts'
import { Repeater } from '../repeater.ts'
import { type Configured, configured, configuredAlone, filesOf } from './configured.ts'
import { Flaps } from './flaps.ts'
import { longDown, SessionStates } from './sessions.ts'
import { withdrawRoutes } from './withdraw.ts'

/** What is needed of the agent. */
export interface BgpParts {
  readonly rtnl: RtnlSocket
  readonly stateDir: string
  readonly runDir: string
  /** How BIRD is called. Absent: by its name, in this process's own network namespace. */
  readonly command?: BirdCommand
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly log: AgentLog
  readonly signal: AbortSignal
  planner(): NodePlanner | undefined
  /** Others are watched by BFD than before. */
  watchedChanged(): void
  /** There are sessions with other routers outside than before. */
  routersChanged(): void
  /** What administrators make of it, and what is wrong with that; undefined until that is known. */
  wishes(base: BgpCluster): { readonly cluster: BgpCluster; readonly problems: readonly FieldProblem[] } | undefined
  /** Whether those outside are to come to a node for services. */
  isForServices(node: string): boolean
}

/** The plan when it was last looked at. */
interface Seen {
  readonly context: NodeContext | undefined
  readonly peers: number | undefined
  readonly services: number | undefined
}

/** What comes together is looked at together. */
const SETTLE_MS = 200
/** How often BIRD is asked for its sessions. */
const ASK_MS = 2_000
/** How often files with passwords, and this node's addresses, are read again. */
const READ_MS = 60_000
/** How long others may still send by the routes that this node told them, after the cluster went another way. */
const LINGER_MS = 15_000
/** Where passwords are, in the folder of what outlives a restart of the machine. */
const PASSWORDS = 'bgp-passwords'
/** Problems beyond are counted. */
const MANY = 3

/** Keeps a node's BIRD, until disposed. BIRD goes on after it. */
export class Bgp implements AsyncDisposable {
  readonly #parts: BgpParts
  readonly #keeper: BirdKeeper
  readonly #folder: string
  readonly #logFile: string
  readonly #states = new SessionStates()
  readonly #flaps = new Flaps()
  readonly #repeater: Repeater
  readonly #asking: ReturnType<typeof setInterval>
  readonly #reading: ReturnType<typeof setInterval>
  #settling: ReturnType<typeof setTimeout> | undefined
  #settlingServices: ReturnType<typeof setTimeout> | undefined
  /** What was last told of services. */
  #services: readonly Cidr[] = []
  #sessions: readonly BgpSession[] = []
  #seen: Seen | undefined
  #isKept = false
  /** Since when the cluster wants none, in milliseconds. */
  #unwantedSince: number | undefined
  #problem: string | undefined

  constructor(parts: BgpParts) {
    this.#parts = parts
    this.#folder = join(parts.stateDir, 'bird')
    const runFolder = join(parts.runDir, 'bird')
    this.#logFile = join(runFolder, 'bird.log')
    this.#keeper = new BirdKeeper({
      folder: this.#folder,
      runFolder,
      told: (event) => this.#told(event),
      ...(parts.command === undefined ? {} : { command: parts.command }),
    })
    this.#repeater = new Repeater(
      () => this.#apply(),
      (error) => this.#failed(sentenceOf(error)),
      parts.signal,
    )
    this.#asking = setInterval(() => void this.#ask(), ASK_MS)
    this.#reading = setInterval(() => this.look(), READ_MS)
  }

  /** The plan may be another: there may be other nodes, or another fabric. */
  planned(): void {
    const planner = this.#parts.planner()
    const seen = { context: planner?.context, peers: planner?.peerChanges, services: planner?.catalogue.changes }
    const before = this.#seen
    this.#seen = seen
    if (seen.context !== before?.context || seen.peers !== before?.peers) this.look()
    else if (seen.services !== before?.services) this.#lookAtServices()
  }

  /** Services change all the time, and what is told of them seldom. */
  #lookAtServices(): void {
    this.#settlingServices ??= setTimeout(() => {
      this.#settlingServices = undefined
      const planner = this.#parts.planner()
      if (planner !== undefined && String(this.#servicesOf(planner)) !== String(this.#services)) this.look()
    }, SETTLE_MS)
  }

  #servicesOf({ context, catalogue }: NodePlanner): readonly Cidr[] {
    if (!this.#parts.isForServices(context.self.node)) return []
    return announcedServices(context.outside, catalogue, context.self.node)
  }

  /** What administrators say of it is another. */
  look(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      this.#repeater.request()
    }, SETTLE_MS)
  }

  /** What is to be told of it; undefined where the cluster wants none, and there is none. */
  facts(): BgpFacts | undefined {
    if (!this.#isWanted() && !this.#isKept) return undefined
    const problem = this.#problem === undefined ? {} : { problem: this.#problem }
    return { isRunning: this.#keeper.pid !== undefined, ...problem, sessions: this.#states.facts }
  }

  /** Routers outside that it has a session with now, in order. */
  get routers(): readonly Ip[] {
    const up = this.#states.facts.filter(({ kind, isUp }) => kind === 'external' && isUp)
    return up.map(({ address }) => address).toSorted()
  }

  /** What is wrong with its sessions, for people. */
  get sessionProblem(): string | undefined {
    const { facts } = this.#states
    const now = Date.now() / 1000
    const sentences = [longDown(facts, now), this.#flaps.sentence(facts, now)].filter((one) => one !== undefined)
    return sentences.length === 0 ? undefined : sentences.join('; ')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#settling)
    clearTimeout(this.#settlingServices)
    clearInterval(this.#asking)
    clearInterval(this.#reading)
    await this.#keeper.stop()
  }

  #isWanted(): boolean {
    const context = this.#parts.planner()?.context
    return context !== undefined && context.self.machine.kind === 'node' && fabricOf(context.cluster).way === 'bgp'
  }

  async #apply(): Promise<void> {
    const planner = this.#parts.planner()
    if (planner === undefined) return
    if (!this.#isWanted()) return await this.#end(planner)
    this.#unwantedSince = undefined
    // One that runs is taken over first: it has what the last agent gave it.
    if (!this.#isKept) await this.#keeper.start()
    this.#isKept = true
    const planned = this.#configure(planner)
    if (planned === undefined) return
    const { configuration, problems } = planned
    try {
      if (configuration !== undefined && (await this.#keeper.apply(filesOf(configuration))))
        this.#parts.log.info({ sessions: configuration.sessions.length }, 'BIRD has another configuration')
    } catch (error) {
      // The same one would be refused again.
      if (!(error instanceof BirdError) || error.code !== 'BIRD_CONFIGURATION') throw error
      this.#failed(sentenceOf(error))
      return
    }
    this.#sessions = configuration?.sessions ?? []
    const watched = this.#sessions.filter(({ bfd }) => bfd).map(({ remote }) => remote.address)
    if (planner.putWatched(watched.toSorted())) this.#parts.watchedChanged()
    this.#settled(configuration === undefined ? [NO_ADDRESS, ...problems] : problems)
    await this.#ask()
  }

  #configure(planner: NodePlanner): Configured | undefined {
    this.#services = this.#servicesOf(planner)
    const { rtnl, stateDir, wishes } = this.#parts
    const passwords = join(stateDir, PASSWORDS)
    return configured(planner, { rtnl, passwords, logFile: this.#logFile, services: this.#services, wishes })
  }

  /** The cluster went another way: others follow in a moment, until then routes are theirs to use. */
  async #end(planner: NodePlanner): Promise<void> {
    if (!this.#isKept && !existsSync(this.#folder)) return
    this.#unwantedSince ??= Date.now()
    const rest = this.#unwantedSince + LINGER_MS - Date.now()
    if (rest > 0) {
      setTimeout(() => this.#repeater.request(), rest).unref()
      return
    }
    await this.#keeper.start()
    await this.#withdraw(planner)
    await this.#keeper.end()
    withdrawRoutes(this.#parts.rtnl)
    rmSync(this.#folder, { recursive: true, force: true })
    this.#isKept = false
    this.#sessions = []
    if (planner.putWatched([])) this.#parts.watchedChanged()
    this.#states.forget()
    this.#settled([])
    this.#parts.log.info({}, 'BIRD was ended: the cluster does not want BGP')
  }

  /** Alone in the world BIRD takes back what it told, and what it put into kernels. One that cannot is ended all the same. */
  async #withdraw(planner: NodePlanner): Promise<void> {
    const nothing = configuredAlone(planner, this.#logFile)
    if (this.#keeper.pid === undefined || nothing === undefined) return
    await this.#keeper.apply(filesOf(nothing)).catch((error: unknown) => this.#parts.log.warn({ err: error }, 'BIRD'))
  }

  async #ask(): Promise<void> {
    if (!this.#isKept) return
    const before = new Map(this.#states.facts.map((fact) => [fact.name, fact.isUp]))
    const { routers } = this
    const facts = await this.#states.look(this.#keeper.control, this.#sessions)
    const now = Date.now() / 1000
    const flapped = new Set(facts.filter(({ name }) => this.#flaps.isFlapping(name, now)).map(({ name }) => name))
    this.#flaps.note(facts, now)
    for (const { name, node, address, isUp, state, error } of facts) {
      const fields = { session: name, peer: node ?? address, state, ...(error === undefined ? {} : { error }) }
      const isFlapping = this.#flaps.isFlapping(name, now)
      if (isFlapping && !flapped.has(name)) this.#parts.log.warn(fields, 'a BGP session comes and goes')
      if (isFlapping || before.get(name) === isUp || (before.get(name) === undefined && !isUp)) continue
      if (isUp) this.#parts.log.info(fields, 'a BGP session is up')
      else if (this.#isWanted()) this.#parts.log.warn(fields, 'a BGP session is down')
      else this.#parts.log.info(fields, 'a BGP session is down: the cluster does not want BGP')
    }
    if (String(routers) !== String(this.routers)) this.#parts.routersChanged()
  }

  #told(event: KeeperEvent): void {
    const { log } = this.#parts
    if (event.is === 'failed') this.#failed(sentenceOf(event.error))
    else if (event.is === 'gone') log.warn({ pid: event.pid }, 'BIRD ended by itself')
    else {
      log.info({ pid: event.pid }, event.is === 'started' ? 'BIRD was started' : 'BIRD runs already')
      this.look()
    }
  }

  #settled(problems: readonly FieldProblem[]): void {
    const [...lines] = new Set(problems.map(problemLine))
    if (lines.length === 0) {
      this.#problem = undefined
      this.#parts.problems.solved('bgp')
      return
    }
    const more = lines.length > MANY ? ` (and ${lines.length - MANY} more)` : ''
    this.#failed(`BGP: ${lines.slice(0, MANY).join('; ')}${more}`)
  }

  #failed(sentence: string): void {
    this.#problem = sentence
    this.#parts.problems.failed('bgp', sentence)
  }
}

const NO_ADDRESS: FieldProblem = {
  field: 'Node',
  reason: 'this node has no part in BGP',
  remedy: 'give it an address that others reach it at',
}

function sentenceOf(error: unknown): string {
  if (error instanceof BirdError) return `${error.message}; ${error.remedy}`
  return error instanceof Error ? error.message : String(error)
}
