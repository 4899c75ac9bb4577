/**
 * What ovs-vswitchd worked out from flows, packet by packet, and goes by until they change.
 *
 * In user space it does not always notice: seen with Open vSwitch 3.1 where flows changed often, as policies do. A
 * shortcut that overlaps another one keeps the actions of old flows for as long as packets take it, and
 * `revalidator/wait` does not help. So there all of them are thrown away after a change; the next packets find their
 * ways anew. The kernel's datapath has not shown this.
 * @module
 */
import { unixctl, vswitchdControl } from '../../ovs/unixctl.ts'
import type { AgentLog } from '../log.ts'

/** Changes that come close together share one sweep. What was forbidden ends within a second all the same. */
const PAUSE_MS = 100

/** The shortcuts of a switch in user space. */
export class Shortcuts {
  readonly #runDir: string
  readonly #log: AgentLog
  readonly #signal: AbortSignal
  #timer: NodeJS.Timeout | undefined

  /** Until `signal` fires. */
  constructor(runDir: string, log: AgentLog, signal: AbortSignal) {
    this.#runDir = runDir
    this.#log = log
    this.#signal = signal
  }

  /** Flows that say who may talk to whom have changed: the shortcuts go soon. Nobody waits for it. */
  outdated(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#signal.aborted) return
      this.forget().catch((error: unknown) => {
        // While the switch is away it has none; its return brings the whole plan, and that is a change.
        this.#log.warn({ err: error }, 'the switch may go by flows that are no more')
      })
    }, PAUSE_MS)
    this.#timer.unref()
  }

  /** Throws them away now. */
  async forget(): Promise<void> {
    await unixctl(vswitchdControl(this.#runDir), 'revalidator/purge', [])
  }
}
