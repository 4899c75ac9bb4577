/**
 * What of a recorded network is in force today: the accounts by which it is undone and checked.
 * @module
 */
import type { JsonObject } from '../../cni/index.ts'
import type { PluginCall } from '../plugins/plugin.ts'
import { haveAccounts, withAccountsOf } from './accounts.ts'
import { isOfAway } from './failures.ts'
import { type CallPlan, planCall } from './plan-call.ts'
import type { Attached, NetworkRecord } from './record.ts'
import { type ResolveParts, stepsToday } from './resolve.ts'

/** A recorded network, and why its accounts of today are not known, where somebody is away who will be back. */
export type AttachedToday = Attached & Pick<PluginCall, 'accountsAway'>

/** A record as it is in force. */
export type RecordToday = Omit<NetworkRecord, 'attached'> & { readonly attached: readonly AttachedToday[] }

/**
 * A record with the accounts of today: of the configuration that the runtime calls with now, else of the definition or file that the
 * network is of. What is gone, or cannot be read, keeps what is known of it.
 */
export async function withAccountsOfToday(
  record: NetworkRecord,
  config: JsonObject | undefined,
  resolving: ResolveParts,
): Promise<RecordToday> {
  if (!record.attached.some(({ plugins }) => haveAccounts(plugins))) return record
  const plan = config === undefined ? undefined : planOf(record.program, config, resolving)
  const ofToday = async (one: Attached): Promise<AttachedToday> => {
    if (!haveAccounts(one.plugins)) return one
    try {
      return { ...one, plugins: withAccountsOf(one.plugins, await stepsOf(plan, one, record, resolving)) }
    } catch (error) {
      return isOfAway(error) ? { ...one, accountsAway: error } : one
    }
  }
  return { ...record, attached: await Promise.all(record.attached.map(ofToday)) }
}

/** A record for later: without what is so at this moment alone. */
export function toKeep({ attached, ...record }: RecordToday): NetworkRecord {
  return { ...record, attached: attached.map(({ accountsAway: _, ...one }) => one) }
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
  return stepsToday(one, plan?.resolving ?? resolving)
}
