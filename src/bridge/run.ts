/**
 * Carries a plan out under a guard.
 * @module
 */
import { BridgeError } from './errors.ts'
import { silentGateways } from './gateway.ts'
import { startGuard } from './guard/start.ts'
import { type Ending, startOf, type Undertaking, undertakingFile, writeUndertaking } from './guard/state.ts'
import type { Change, Gateway, Plan, Step } from './model.ts'
import { type Place, perform } from './perform/perform.ts'

/** How a plan is carried out. */
export interface RunOptions {
  readonly what: Undertaking['what']
  readonly ovsdb: string
  /** Where undertakings are noted. */
  readonly folder: string
  /** The command that guards the undertaking in a file. */
  readonly guardCommand: (file: string) => readonly string[]
  /** How long gateways may be silent, in milliseconds. */
  readonly gatewayMs: number
  /** Told the guard's process id. */
  readonly onGuard?: (pid: number) => void
  /** Told before each step. */
  readonly onStep?: (title: string) => void
  /** Told before each change, with its number. */
  readonly onChange?: (number: number, change: Change) => void | Promise<void>
}

/**
 * Carries a plan out. Throws BRIDGE_ROLLED_BACK with the reason when it could not be and all is as before,
 * BRIDGE_HALF_DONE when something could not be put back.
 */
export async function run(plan: Plan, place: Place, options: RunOptions): Promise<void> {
  let number = 0
  const carryOut = async (steps: readonly Step[], goingOn: () => void): Promise<void> => {
    for (const { title, changes } of steps) {
      options.onStep?.(title)
      for (const change of changes) {
        goingOn()
        await options.onChange?.(number++, change)
        await perform(place, change)
      }
    }
  }
  if (plan.steps.length > 0) await guarded(plan, place, options, carryOut)
  await carryOut(plan.afterwards, () => undefined)
}

type CarryOut = (steps: readonly Step[], goingOn: () => void) => Promise<void>

async function guarded(plan: Plan, { rtnl }: Place, options: RunOptions, carryOut: CarryOut): Promise<void> {
  const { folder, what, ovsdb } = options
  const undo = [...plan.steps, ...plan.settle].reverse().flatMap((step) => step.undo)
  const maker = { pid: process.pid, started: startOf(process.pid) ?? '' }
  const file = writeUndertaking(folder, { bridge: plan.bridge, what, ovsdb, undo, maker })
  const guard = await startGuard(options.guardCommand(file))
  options.onGuard?.(guard.pid)
  try {
    await carryOut(plan.steps, guard.alive)
    options.onStep?.(askingSentence(plan.gateways))
    const link = plan.target
    const asking = { link, timeoutMs: options.gatewayMs, onAsk: guard.alive }
    const silent = await silentGateways(rtnl, plan.gateways, asking)
    if (silent.length > 0) throw silence(silent, link, options.gatewayMs)
    await carryOut(plan.settle, guard.alive)
    await guard.confirm()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    options.onStep?.('take everything back')
    throw rolledBack(plan, await guard.undo(reason), reason, error)
  }
}

function askingSentence(gateways: readonly Gateway[]): string {
  if (gateways.length === 0) return 'there is no gateway to ask'
  return `ask ${gateways.map(({ address }) => address).join(' and ')}`
}

function silence(silent: readonly Gateway[], link: string, ms: number): BridgeError {
  const cause = `${silent.map(({ address }) => address).join(' and ')} did not answer on ${link} within ${ms / 1000} s`
  return new BridgeError('BRIDGE_GATEWAY_SILENT', cause, 'look whether the wire takes frames of the bridge')
}

function rolledBack(plan: Plan, ending: Ending, reason: string, cause: unknown): BridgeError {
  const remedy = remedyOf(cause)
  if (ending.problems.length === 0) {
    const message = `everything is as it was before: ${reason}`
    return new BridgeError('BRIDGE_ROLLED_BACK', message, remedy, { cause })
  }
  const message = `${reason}; and this could not be put back: ${ending.problems.join('; ')}`
  const file = undertakingFile('', plan.bridge)
  return new BridgeError('BRIDGE_HALF_DONE', message, `correct it, and run the command again (${file} has the rest)`, {
    cause,
  })
}

function remedyOf(cause: unknown): string {
  const remedy: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'remedy') : undefined
  return typeof remedy === 'string' ? remedy : 'correct the cause and try again'
}
