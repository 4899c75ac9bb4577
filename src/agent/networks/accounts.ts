/**
 * Accounts of clouds in the configurations of networks (`openstackConf`): no record holds one. What is undone or checked later is so by the
 * account that is in force then: whoever wrote one down would try a password that was changed since.
 * @module
 */
import type { Json, JsonObject } from '../../cni/json.ts'

const ACCOUNT = 'openstackConf'

/** The same without what logs in: of each account the name of a cloud in the node's clouds.yaml, if it names one. */
export function withoutAccounts(config: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, key === ACCOUNT ? nameIn(value) : withoutIn(value)]),
  )
}

/** Whether steps have any. */
export function haveAccounts(steps: readonly JsonObject[]): boolean {
  return steps.some((step) => step[ACCOUNT] !== undefined || ipamOf(step)?.[ACCOUNT] !== undefined)
}

/** Whether of an account of a step nothing is left but its place, as records have it. */
export function hasGap(step: JsonObject): boolean {
  return [step[ACCOUNT], ipamOf(step)?.[ACCOUNT]].some(isGap)
}

/** Steps with the accounts that the same steps have today. One that has none today, or is another now, keeps its own. */
export function withAccountsOf(steps: readonly JsonObject[], today: readonly JsonObject[]): readonly JsonObject[] {
  return steps.map((step, at) => {
    const same = today[at]
    if (same === undefined || same['type'] !== step['type']) return step
    const [ipam, ipamToday] = [ipamOf(step), ipamOf(same)]
    const isSameIpam = ipam !== undefined && ipam['type'] === ipamToday?.['type']
    const inner = isSameIpam ? { ipam: withAccount(ipam, ipamToday?.[ACCOUNT]) } : {}
    return { ...withAccount(step, same[ACCOUNT]), ...inner }
  })
}

function withAccount(fields: JsonObject, account: Json | undefined): JsonObject {
  // Whoever calls by a record of ours has no more than we do.
  const isNews = fields[ACCOUNT] !== undefined && account !== undefined && !isGap(account)
  return isNews ? { ...fields, [ACCOUNT]: account } : fields
}

function isGap(account: Json | undefined): boolean {
  return account !== undefined && Object.keys(Object(account)).length === 0
}

function ipamOf({ ipam }: JsonObject): JsonObject | undefined {
  return isFields(ipam) ? ipam : undefined
}

function nameIn(account: Json): JsonObject {
  const cloud = isFields(account) ? account['cloud'] : undefined
  return typeof cloud === 'string' ? { cloud } : {}
}

function withoutIn(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutIn)
  return isFields(value) ? withoutAccounts(value) : value
}

function isFields(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
