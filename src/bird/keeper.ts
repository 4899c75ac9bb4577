/**
 * Keeps a BIRD running with the configuration that is wanted.
 *
 * Its end is not BIRD's: whoever comes after it takes the running BIRD over. What BIRD refuses, or what proves wrong in time,
 * leaves the configuration before it in force.
 * @module
 */
import { join } from 'node:path'
import { type ControlSocket, configure, confirm, gracefulRestart, shutDown, undo } from './control.ts'
import { answers, type BirdPlaces, recoverNext, runningPid, startBird } from './daemon.ts'
import { BirdError } from './errors.ts'
import { type ConfigurationFile, ConfigurationFolder } from './folder.ts'
import { BIRD, type BirdCommand, birdVersion, checkConfiguration, notStarted } from './program.ts'

/** Where BIRD is kept, and what is told. */
export interface KeeperOptions {
  /** Of configurations; they outlive the machine's restart. */
  readonly folder: string
  /** Of the socket and the process file; they do not. */
  readonly runFolder: string
  readonly command?: BirdCommand
  /** The network namespace that the command leads to, as a path; this process's own when both are absent. */
  readonly namespace?: string
  /** In ms; how often is looked whether it runs. 1 s when absent. */
  readonly every?: number
  /** Whether a configuration that BIRD has taken does what it should; asked before it is kept. */
  readonly verify?: (control: ControlSocket) => Promise<boolean>
  /** BIRD was started, or could not be. */
  readonly told?: (event: KeeperEvent) => void
}

/** What happened to BIRD. */
export type KeeperEvent =
  | { readonly is: 'started'; readonly pid: number }
  | { readonly is: 'adopted'; readonly pid: number }
  | { readonly is: 'gone'; readonly pid: number }
  | { readonly is: 'failed'; readonly error: BirdError }

/** How long BIRD waits for a word before it goes back, in seconds. */
const UNDO_SECONDS = 60
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** In ms. One that ran for so long is started at once when it ends. */
const STEADY = 60_000

/** Keeps one BIRD. Nothing happens before {@link BirdKeeper.start}, or the first configuration. */
export class BirdKeeper {
  readonly control: ControlSocket
  readonly #options: KeeperOptions
  readonly #places: BirdPlaces
  readonly #folder: ConfigurationFolder
  /** One thing at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  /** The main file of configurations; known with the first, or from before. */
  #main: string
  /** The configuration that this BIRD is known to run. */
  #inForce: string | undefined
  #pid: number | undefined
  #startedAt = 0
  #pause = FIRST_PAUSE
  #notBefore = 0

  constructor(options: KeeperOptions, main = 'bird.conf') {
    const { folder, runFolder, command = BIRD } = options
    const namespace = options.namespace ?? (options.command === undefined ? '/proc/self/ns/net' : undefined)
    this.#options = options
    this.#main = main
    this.#folder = new ConfigurationFolder(folder)
    this.control = { path: join(runFolder, 'bird.ctl') }
    this.#places = {
      command,
      socket: this.control.path,
      pidFile: join(runFolder, 'bird.pid'),
      outputFile: join(runFolder, 'bird.out'),
      recoverFile: join(runFolder, 'recover'),
      ...(namespace === undefined ? {} : { namespace }),
    }
  }

  /** The process, as last seen. */
  get pid(): number | undefined {
    return this.#pid
  }

  /** Takes over a BIRD that runs, or starts one when there is a configuration; from then on one that ends is started again. */
  async start(): Promise<void> {
    await this.#inTurn(() => this.#look())
    this.#timer ??= setInterval(() => void this.#inTurn(() => this.#look()), this.#options.every ?? 1000)
  }

  /** Looks after BIRD no more. BIRD goes on. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#turn
  }

  /**
   * Puts a configuration in force; the first file is the one that BIRD reads. True when something changed.
   * Throws BIRD_CONFIGURATION for one that BIRD refuses, BIRD_REFUSED for one that is taken back: the one before stays.
   */
  apply(files: readonly ConfigurationFile[]): Promise<boolean> {
    return this.#inTurn(() => this.#apply(files))
  }

  /** Ends BIRD so that its peers keep its routes; the next one recovers. It is started again at once, unless this was stopped. */
  restart(): Promise<void> {
    return this.#inTurn(async () => {
      recoverNext(this.#places)
      await gracefulRestart(this.control)
      await this.#gone()
      if (this.#timer !== undefined) await this.#look()
    })
  }

  /** Ends BIRD for good: it takes back what it told its peers. Its routes in the kernel stay until they are removed. */
  async end(): Promise<void> {
    await this.stop()
    await this.#inTurn(async () => {
      if (runningPid(this.#places) === undefined) return
      await shutDown(this.control)
      await this.#gone()
    })
  }

  async #apply(files: readonly ConfigurationFile[]): Promise<boolean> {
    const [main] = files
    if (main === undefined) throw new TypeError('a configuration has a file')
    this.#main = main.name
    const before = this.#folder.current()
    const name = this.#folder.stage(files)
    if (name === this.#inForce && runningPid(this.#places) !== undefined) return false
    const file = this.#folder.fileOf(name, main.name)
    try {
      await checkConfiguration(file, this.#places.command)
      if (runningPid(this.#places) === undefined) await this.#startWith(name)
      else await this.#changeTo(name, file)
    } catch (error) {
      // Of one that was chosen and not confirmed nobody knows how it ended: BIRD may start with it.
      this.#folder.prune([before, this.#folder.current()].filter((one) => one !== undefined))
      throw error
    }
    this.#inForce = name
    this.#folder.prune(before === undefined ? [name] : [name, before])
    return name !== before
  }

  async #startWith(name: string): Promise<void> {
    const before = this.#folder.current()
    this.#folder.choose(name)
    try {
      await this.#launch()
    } catch (error) {
      if (before !== undefined) this.#folder.choose(before)
      throw error
    }
  }

  /** In this order an end at any point leaves BIRD with a configuration that it took: it goes back by itself. */
  async #changeTo(name: string, file: string): Promise<void> {
    const before = this.#folder.current()
    this.#inForce = undefined
    await configure(this.control, file, UNDO_SECONDS)
    const { verify = answers } = this.#options
    if (!(await verify(this.control))) {
      await undo(this.control)
      throw takenBack('it does not do what it should')
    }
    this.#folder.choose(name)
    if (await confirm(this.control)) return
    if (before !== undefined) this.#folder.choose(before)
    throw takenBack('BIRD went back before it was confirmed')
  }

  /** Never throws: what fails is told, and tried again. */
  async #look(): Promise<void> {
    const pid = runningPid(this.#places)
    if (pid !== undefined) {
      if (this.#pid === undefined) this.#tell({ is: 'adopted', pid })
      this.#pid = pid
      return
    }
    if (this.#pid !== undefined) this.#lost(this.#pid)
    if (this.#folder.current() === undefined || Date.now() < this.#notBefore) return
    try {
      await this.#launch()
    } catch (error) {
      this.#notBefore = Date.now() + this.#pause
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
      this.#tell({ is: 'failed', error: error instanceof BirdError ? error : notStarted(error) })
    }
  }

  #lost(pid: number): void {
    this.#pid = undefined
    this.#inForce = undefined
    this.#tell({ is: 'gone', pid })
    if (Date.now() - this.#startedAt > STEADY) this.#pause = FIRST_PAUSE
    else {
      this.#notBefore = Date.now() + this.#pause
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
    }
  }

  async #launch(): Promise<void> {
    await birdVersion(this.#places.command)
    this.#startedAt = Date.now()
    const pid = await startBird(this.#places, this.#folder.currentFile(this.#main))
    this.#pid = pid
    this.#tell({ is: 'started', pid })
  }

  /** Waits for BIRD's end, which it was asked for. */
  async #gone(): Promise<void> {
    const end = Date.now() + 10_000
    while (runningPid(this.#places) !== undefined) {
      if (Date.now() > end) throw new BirdError('BIRD_TIMEOUT', 'BIRD was asked to end and did not', 'see its log')
      await Bun.sleep(20)
    }
    this.#pid = undefined
    this.#inForce = undefined
  }

  #tell(event: KeeperEvent): void {
    this.#options.told?.(event)
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(task, task)
    this.#turn = next.catch(() => undefined)
    return next
  }
}

function takenBack(why: string): BirdError {
  return new BirdError('BIRD_REFUSED', `the configuration was taken back: ${why}`, 'see the log of BIRD')
}
