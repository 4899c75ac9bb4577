/**
 * What of a recorded network is in force today: the accounts by which it is undone and checked.
 * @module
 */
import type { JsonObject } from '../../cni/index.ts'
import { haveAccounts, withAccountsOf } from './accounts.ts'
import { type CallPlan, planCall } from './plan-call.ts'
import type { Attached, NetworkRecord } from './record.ts'
import { type ResolveParts, stepsToday } from './resolve.ts'

/**
 * A record with the accounts of today: of the configuration that the runtime calls with now, else of the definition or file that the
 * network is of. What cannot be read keeps what is known of it.
 */
export async function withAccountsOfToday(
  record: NetworkRecord,
  config: JsonObject | undefined,
  resolving: ResolveParts,
): Promise<NetworkRecord> {
  if (!record.attached.some(({ plugins }) => haveAccounts(plugins))) return record
  const plan = config === undefined ? undefined : planOf(record.program, config, resolving)
  const ofToday = async (one: Attached): Promise<Attached> => {
    if (!haveAccounts(one.plugins)) return one
    return { ...one, plugins: withAccountsOf(one.plugins, await stepsOf(plan, one, record, resolving)) }
  }
  return { ...record, attached: await Promise.all(record.attached.map(ofToday)) }
}

/** The meaning of a call; undefined where its configuration is not well formed. */
export function planOf(program: string, config: JsonObject, resolving: ResolveParts): CallPlan | undefined {
  try {
    return planCall(program, config, resolving)
  } catch {
    return undefined
  }
}

async function stepsOf(
  plan: CallPlan | undefined,
  one: Attached,
  { program }: NetworkRecord,
  resolving: ResolveParts,
): Promise<readonly JsonObject[]> {
  if (plan?.kind === 'plugin') return [{ ...plan.plugin, type: program }]
  return stepsToday(one, plan?.resolving ?? resolving).catch(() => [])
}
