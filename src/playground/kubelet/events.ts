/**
 * Events about pods and nodes: the same one again counts up, and nobody floods the API.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { KubeApi } from '../../kube/api.ts'
import { EVENTS } from '../../kube/resources.ts'
import { timestamp } from './read.ts'

/** What an event is about. */
export interface Involved {
  readonly kind: 'Pod' | 'Node'
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** `spec.containers{web}` */
  readonly fieldPath?: string
}

export type EventType = 'Normal' | 'Warning'

/** Writes events; never fails and never waits for the API. */
export type Recorder = (about: Involved, type: EventType, reason: string, message: string) => void

/** Events at once about one object, and milliseconds until one more is allowed. */
const BURST = 25
const REFILL = 60_000
const MAX_MESSAGE = 1024
const REMEMBERED = 2000

interface Known {
  readonly name: string
  count: number
  readonly first: number
}

/** A recorder for a node's kubelet. */
export function eventRecorder(
  api: KubeApi,
  node: string,
  now: () => number,
  onError: (error: unknown) => void,
): Recorder {
  const known = new Map<string, Known>()
  const budgets = new Map<string, { left: number; at: number }>()
  let queue: Promise<unknown> = Promise.resolve()

  const allowed = (uid: string): boolean => {
    const budget = budgets.get(uid) ?? { left: BURST, at: now() }
    const refilled = Math.floor((now() - budget.at) / REFILL)
    const left = Math.min(BURST, budget.left + refilled)
    remember(budgets, uid, { left: Math.max(0, left - 1), at: budget.at + refilled * REFILL })
    return left > 0
  }

  return (about, type, reason, message) => {
    if (!allowed(about.uid)) return
    const words = message.slice(0, MAX_MESSAGE)
    const key = [about.uid, about.fieldPath, type, reason, words].join('\n')
    const before = known.get(key)
    const entry = before ?? { name: `${about.name}.${randomBytes(8).toString('hex')}`, count: 0, first: now() }
    entry.count += 1
    remember(known, key, entry)
    const { count, first } = entry
    const last = now()
    const at = { name: entry.name, namespace: about.namespace }
    const again = { count, lastTimestamp: timestamp(last) }
    queue = queue
      .then(() =>
        before === undefined
          ? api.create(EVENTS, {
              apiVersion: 'v1',
              kind: 'Event',
              metadata: at,
              involvedObject: { apiVersion: 'v1', ...about },
              type,
              reason,
              message: words,
              source: { component: 'kubelet', host: node },
              reportingComponent: 'kubelet',
              reportingInstance: node,
              firstTimestamp: timestamp(first),
              ...again,
            })
          : api.patch(EVENTS, at, 'merge', again),
      )
      .catch((error: unknown) => {
        known.delete(key)
        onError(error)
      })
  }
}

/** Keeps the latest entries only. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest)
}
