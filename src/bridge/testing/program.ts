/**
 * The two commands without the rest of the program, so that a test can kill them at any change.
 * Arguments: `create`, `remove` or `guard`, then a {@link Call} as JSON, or the guard's file. Prints a {@link Report}.
 */
import { createBridge } from '../create.ts'
import { guard } from '../guard/guard.ts'
import type { PersistChoice } from '../persist/choose.ts'
import { removeBridge } from '../remove.ts'
import type { Wish } from '../wish.ts'

/** What is done, and what is to happen meanwhile. */
export interface Call {
  readonly wish: Wish
  readonly ovsdb: string
  readonly folder: string
  readonly root: string
  readonly persist?: PersistChoice
  readonly gatewayMs?: number
  readonly force?: boolean
  /** The process kills itself before this change. It has to lead a group of its own. */
  readonly killAt?: number
  /** Or its guard first, and then itself. */
  readonly killsGuard?: boolean
  /** What happens on the node before a change. */
  readonly shell?: { readonly at: number; readonly script: string }
}

/** What came of it. */
export interface Report {
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string }
  readonly isThere?: boolean
  /** How many changes were begun. */
  readonly changes: number
}

const [verb = '', text = ''] = process.argv.slice(2)

if (verb === 'guard') await guard(text)
else await report(JSON.parse(text) as Call)

async function report(call: Call): Promise<void> {
  let changes = 0
  let guardPid = 0
  const options = {
    ...call,
    persist: call.persist ?? ('none' as const),
    asksGateways: true,
    gatewayMs: call.gatewayMs ?? 10_000,
    force: call.force === true,
    guardCommand: (file: string) => [process.execPath, import.meta.path, 'guard', file],
    onGuard: (pid: number) => {
      guardPid = pid
    },
    onChange: (number: number) => {
      changes = number + 1
      if (number === call.shell?.at) Bun.spawnSync(['sh', '-ec', call.shell.script])
      if (number !== call.killAt) return
      if (call.killsGuard === true) process.kill(guardPid, 'SIGKILL')
      // With its whole group, as when a terminal or a session goes: the guard is in none of them.
      process.kill(-process.pid, 'SIGKILL')
    },
  }
  try {
    if (verb === 'remove') await removeBridge(call.wish.bridge, options)
    const isThere = verb === 'create' && (await createBridge(call.wish, options)).isThere
    print({ isThere, changes })
  } catch (error) {
    const told = error as { readonly code?: string; readonly message: string; readonly remedy?: string }
    print({ error: { code: told.code ?? '', message: told.message, remedy: told.remedy ?? '' }, changes })
  }
}

function print(told: Report): void {
  console.log(JSON.stringify(told))
}
