/**
 * The log of drops with the plan's words and the clock, wired.
 * @module
 */
import type { Ip } from '../../network/model/address.ts'
import { hashKey, parseCookie } from '../../network/pipeline/cookie.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { AgentLog } from '../log.ts'
import { DropLog } from './drop-log.ts'

const LOOK_MS = 1_000

/** Logs drops that it is told of, for as long as it is not disposed of. */
export function startDropLog(
  log: AgentLog,
  planner: () => NodePlanner | undefined,
): Pick<DropLog, 'dropped'> & Disposable {
  const drops = new DropLog({
    log,
    titleOf: (cookie) => titleOf(planner(), cookie),
    podAt: (address) => podAt(planner(), address),
    now: () => performance.now(),
  })
  const timer = setInterval(() => drops.tick(), LOOK_MS)
  return { dropped: (packet) => drops.dropped(packet), [Symbol.dispose]: () => clearInterval(timer) }
}

/** Looked for anew: a cookie may be another object's by now. Few packets a second ask. */
function titleOf(planner: NodePlanner | undefined, cookie: bigint): string | undefined {
  const hash = parseCookie(cookie)?.hash
  for (const { key, title } of planner?.fragments() ?? []) if (hashKey(key) === hash) return title
  return undefined
}

/** A pod that is here is known by its endpoint, also where nobody tells of pods. */
function podAt(planner: NodePlanner | undefined, address: Ip): string | undefined {
  for (const { namespace, pod, addresses } of planner?.endpoints() ?? []) {
    if (addresses.includes(address)) return `${namespace}/${pod}`
  }
  return planner?.podAt(address)
}
