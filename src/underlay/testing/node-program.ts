/**
 * The wiring of a machine without the rest of the program, so that a test can kill it at any change.
 * Arguments: `wire`, `unwire` or `guard`, then a {@link NodeCall} as JSON, or the guard's file. Prints how many changes were begun.
 */
import { guard } from '../../bridge/guard/guard.ts'
import { unwireNode, wireNode } from '../node/node.ts'
import type { WireWish } from '../node/wire.ts'

/** What is done, and what is to happen meanwhile. */
export interface NodeCall {
  readonly wish: WireWish
  readonly ovsdb: string
  readonly folder: string
  /** The process kills itself before this change. It has to lead a group of its own. */
  readonly killAt?: number
  /** Or its guard first, and then itself. */
  readonly killsGuard?: boolean
  readonly gatewayMs?: number
}

const [verb = '', text = ''] = process.argv.slice(2)

if (verb === 'guard') await guard(text)
else {
  const call = JSON.parse(text) as NodeCall
  let changes = 0
  let guardPid = 0
  const options = {
    ...call,
    asksGateways: true,
    gatewayMs: call.gatewayMs ?? 10_000,
    guardCommand: (file: string) => [process.execPath, import.meta.path, 'guard', file],
    onGuard: (pid: number) => {
      guardPid = pid
    },
    onChange: (number: number) => {
      changes = number + 1
      if (number !== call.killAt) return
      if (call.killsGuard === true) process.kill(guardPid, 'SIGKILL')
      process.kill(-process.pid, 'SIGKILL')
    },
  }
  const done = await (verb === 'wire' ? wireNode(call.wish, options) : unwireNode(call.wish, options)).catch(
    (error: Error) => ({ error: error.message }),
  )
  console.log(JSON.stringify({ changes, isThere: done === undefined, ...('error' in (done ?? {}) ? done : {}) }))
}
