/**
 * The API server's log of requests (its audit log), for counting who asked how often.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from './places.ts'

/** One line for each request, as it is answered or, for watches, as it begins. No bodies. */
const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
}

/** The API server's flags for it. Writes the policy that they name. */
export function apiLogFlags(places: Places): readonly string[] {
  const policy = join(places.pki, 'audit-policy.json')
  writeFileSync(policy, JSON.stringify(POLICY))
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${logFile(places)}`, '--audit-log-mode=blocking']
}

/** Requests of Weft's daemons within some milliseconds from a moment on, and the most in one second. */
export function countCalls(
  places: Places,
  since: Date,
  milliseconds: number,
): { readonly total: number; readonly peak: number } {
  const perSecond = new Map<number, number>()
  for (const { at, agent } of entries(places)) {
    const offset = at - since.getTime()
    if (offset < 0 || offset >= milliseconds || !agent.startsWith('weft')) continue
    const second = Math.floor(offset / 1000)
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
  }
  const counts = [...perSecond.values()]
  return { total: counts.reduce((sum, count) => sum + count, 0), peak: Math.max(0, ...counts) }
}

function entries(places: Places): readonly { readonly at: number; readonly agent: string }[] {
  const file = logFile(places)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const { requestReceivedTimestamp, userAgent } = JSON.parse(line) as {
          requestReceivedTimestamp: string
          userAgent?: string
        }
        return [{ at: Date.parse(requestReceivedTimestamp), agent: userAgent ?? '' }]
      } catch {
        return []
      }
    })
}

function logFile({ layout }: Places): string {
  return join(layout.logDir, 'api-requests.log')
}
