/**
 * Takes changes back, again and again until all are.
 * @module
 */
import { openRtnl } from '../../linux/index.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import type { Change } from '../model.ts'
import { type Place, perform } from '../perform/perform.ts'

export interface UndoOptions {
  readonly ovsdb: string
  readonly undo: readonly Change[]
  /** How often it is tried, a second apart. */
  readonly attempts: number
}

/** Resolves to what could not be taken back, one sentence each. */
export async function takeBack({ ovsdb, undo, attempts }: UndoOptions): Promise<readonly string[]> {
  let problems: readonly string[] = []
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (attempt > 1) await Bun.sleep(1000)
    problems = await pass(ovsdb, undo)
    if (problems.length > 0) continue
    // What a killed process had sent to Open vSwitch may have come after the first pass.
    await Bun.sleep(SETTLE_MS)
    problems = await pass(ovsdb, undo)
    if (problems.length === 0) return []
  }
  return problems
}

const SETTLE_MS = 250

/** Every change once; one that fails keeps no other from being done. */
async function pass(path: string, undo: readonly Change[]): Promise<readonly string[]> {
  const problems: string[] = []
  using rtnl = openRtnl()
  const ovs = await connectOvsdb({ path }).catch((error: unknown) => {
    problems.push(sentence(error))
    return undefined
  })
  try {
    for (const change of undo) {
      if (ovs === undefined && needsSwitch(change)) continue
      const place: Place = { rtnl, ovs: ovs ?? never() }
      await perform(place, change).catch((error: unknown) => problems.push(sentence(error)))
    }
  } finally {
    ovs?.close()
  }
  return [...new Set(problems)]
}

function needsSwitch(change: Change): boolean {
  return /^((no-)?(bridge|port)|ids)$/.test(change.do)
}

/** Stands for the switch where no change needs it. */
function never(): OvsdbClient {
  return new Proxy({} as OvsdbClient, {
    get: () => {
      throw new Error('Open vSwitch is not connected')
    },
  })
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
