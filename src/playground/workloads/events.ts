/**
 * Events: what a controller did to an object, and why it could not.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/object.ts'
import { shortHash } from './canonical.ts'
import { EVENTS } from './resources.ts'
import { timestamp } from './values.ts'
import type { Tell } from './world.ts'

/** Who tells, and by which clock. */
export interface EventOptions {
  readonly api: KubeApi
  /** The controller's name, shown as an event's source. */
  readonly component: string
  readonly now: () => number
  readonly signal: AbortSignal
}

/**
 * Writes events without being waited for. The same event of the same object is one object that counts; an object of
 * which too much is told is told of less; what cannot be written is lost.
 */
export function eventTeller(options: EventOptions): Tell {
  const { now, signal } = options
  const counts = new Map<string, Told>()
  const budgets = new Map<string, Budget>()
  let underWay = 0
  return (about, type, reason, message) => {
    const uid = about.metadata.uid ?? about.metadata.name
    if (signal.aborted || underWay >= MOST_UNDER_WAY || !spend(budgets, uid, now())) return
    const key = shortHash([options.component, about.kind, uid, type, reason, message], 13)
    const before = counts.get(key)
    const told: Told = { first: before?.first ?? now(), count: (before?.count ?? 0) + 1 }
    remember(counts, key, told)
    underWay += 1
    void write(options, eventOf(options, about, { type, reason, message, key, told })).finally(() => {
      underWay -= 1
    })
  }
}

interface Told {
  readonly first: number
  readonly count: number
}

interface Budget {
  readonly left: number
  readonly at: number
}

const MOST_UNDER_WAY = 64
const MOST_REMEMBERED = 4096
/** As many at once, and one more in so many milliseconds, for each object. */
const BURST = 25
const REFILL = 60_000

async function write({ api, signal }: EventOptions, event: KubeObject): Promise<void> {
  try {
    await api.create(EVENTS, event, signal)
  } catch (error) {
    if (error instanceof KubeError && error.code === 'KUBE_EXISTS') await repeat(api, event, signal)
  }
}

async function repeat(api: KubeApi, event: KubeObject, signal: AbortSignal): Promise<void> {
  const { name, namespace = 'default' } = event.metadata
  try {
    const before = await api.get(EVENTS, { name, namespace }, signal)
    const counted = before?.['count']
    const count = (typeof counted === 'number' ? counted : 0) + 1
    const patch = { count, lastTimestamp: event['lastTimestamp'] }
    await api.patch(EVENTS, { name, namespace }, 'merge', patch, undefined, signal)
  } catch {
    // It was told once already.
  }
}

interface Telling {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly key: string
  readonly told: Told
}

function eventOf({ component, now }: EventOptions, about: KubeObject, telling: Telling): KubeObject {
  const { name, namespace, uid, resourceVersion } = about.metadata
  const { type, reason, message, key, told } = telling
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 230)}.${key}`, namespace: namespace ?? 'default' },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
    type,
    reason,
    message: message.slice(0, 1024),
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: timestamp(told.first),
    lastTimestamp: timestamp(now()),
    eventTime: null,
    count: told.count,
  }
}

function spend(budgets: Map<string, Budget>, uid: string, now: number): boolean {
  const { left, at } = budgets.get(uid) ?? { left: BURST, at: now }
  const filled = Math.min(BURST, left + (now - at) / REFILL)
  if (filled < 1) return false
  remember(budgets, uid, { left: filled - 1, at: now })
  return true
}

/** The least recently used is forgotten first. */
function remember<T>(memory: Map<string, T>, key: string, value: T): void {
  memory.delete(key)
  memory.set(key, value)
  const [oldest] = memory.keys()
  if (memory.size > MOST_REMEMBERED && oldest !== undefined) memory.delete(oldest)
}
