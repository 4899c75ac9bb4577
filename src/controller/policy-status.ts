/**
 * Tells the authors of policies, and of network sets that policies select, what of them is not understood, or cannot be
 * done: in a condition where the kind has a status, else by an event at the object, once for each generation of it.
 * @module
 */
import { weftBindings } from '../compat/bindings.ts'
import { at, listAt } from '../compat/fields.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import type { EventRecorder } from '../kube/events.ts'
import { apiVersionOf, type KubeObject, type ObjectMeta } from '../kube/object.ts'
import { WorkQueue } from '../kube/queue.ts'
import { type Picked, reflectPicked } from '../kube/reflector.ts'
import { NETWORK_SET_KINDS, type NetworkSetKind } from '../network/model/network-set.ts'
import { POLICY_KINDS, type PolicyKind, type PolicyProblem } from '../network/model/policy.ts'
import type { MapChange, SourceReflection } from '../registry/reflect.ts'
import { Complaints } from './complaints.ts'
import type { ControllerLog } from './controller.ts'
import {
  conditionsWith,
  NOT_UNDERSTOOD,
  problemsText,
  SET_NOT_UNDERSTOOD,
  setProblemsText,
} from './policy-condition.ts'

/** What policies are looked after with. */
export interface PolicyStatusOptions {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly signal: AbortSignal
  readonly log: ControllerLog
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
}

/** What is kept of a policy. */
interface Facts {
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion' | 'generation'>
  /** Of some kinds only one name does. */
  readonly counts: boolean
  readonly problems: readonly PolicyProblem[]
  /** A selector of it cannot be read. */
  readonly isUnread: boolean
  readonly conditions: readonly unknown[]
}

/** What is looked after. */
type Kind = PolicyKind | NetworkSetKind

const KINDS: readonly Kind[] = [...POLICY_KINDS, ...NETWORK_SET_KINDS]

type Reflections = { readonly [K in Kind]: SourceReflection<Picked<Facts>> }

const WITH_STATUS: ReadonlySet<Kind> = new Set([
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'ClusterNetworkPolicy',
])

/** Of these there is nothing to say but problems. */
const TOLD_BY_EVENTS: ReadonlySet<Kind> = new Set([
  ...(['NetworkPolicy', 'CalicoNetworkPolicy', 'GlobalNetworkPolicy'] as const),
  ...NETWORK_SET_KINDS,
])

/** Whoever undoes what was written has it written again after this time, and not before. */
const INSIST_MS = 300_000

/** Looks after policies until `signal` aborts. Does not reject for anything that the API does. */
export async function runPolicyStatus(options: PolicyStatusOptions): Promise<void> {
  const { signal, log } = options
  const complaints = new Complaints(log)
  const queue = new WorkQueue({
    signal,
    work: (key) => clerk.lookAfter(key),
    onError: (key, error) => complaints.say(`cannot say how ${key} does`, error),
  })
  const reflections = Object.fromEntries(
    KINDS.map((kind) => {
      const onChange = (change: MapChange<Picked<Facts>>): void => {
        for (const name of clerk.concerned(kind, change)) queue.add(`${kind}/${name}`)
      }
      const onError = (error: unknown): void => complaints.say(`cannot watch ${kind}`, error)
      return [kind, reflectPicked(options.api, pickingOf(kind), { signal, onChange, onError })]
    }),
  ) as Reflections
  const clerk = new Clerk(options, reflections)
  await Promise.all([...Object.values(reflections).map(({ done }) => done), queue.done])
}

/** Of kinds without a status only those count that there is something to say about; of firewalls also how many. */
function pickingOf(kind: Kind) {
  const { resource, isOptional = false, decode, nameOf } = weftBindings[kind]
  return {
    resource,
    isOptional,
    pick: (object: KubeObject): Facts => {
      const { name, namespace, uid, resourceVersion, generation } = object.metadata
      const counts = nameOf(object) !== undefined
      const decoded = counts ? decode(object) : undefined
      const problems = listAt(decoded, 'problems')
      return {
        metadata: {
          name,
          ...(namespace === undefined ? {} : { namespace }),
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
          ...(generation === undefined ? {} : { generation }),
        },
        counts,
        problems: problems as readonly PolicyProblem[],
        isUnread: at(decoded, 'isUnread') === true,
        conditions: WITH_STATUS.has(kind) ? listAt(at(object, 'status'), 'conditions') : [],
      }
    },
    keep: ({ counts, problems }: Facts) => counts && (!TOLD_BY_EVENTS.has(kind) || problems.length > 0),
  }
}

class Clerk {
  readonly #options: PolicyStatusOptions
  readonly #reflections: Reflections
  /** What was told of a policy, and of which state of it. */
  readonly #told = new Map<string, { readonly words: string; readonly at: number }>()

  /** Names of egress firewalls, by namespace. */
  readonly #firewalls = new Map<string, Set<string>>()

  constructor(options: PolicyStatusOptions, reflections: Reflections) {
    this.#options = options
    this.#reflections = reflections
  }

  /** The policies of a kind of which something else may be to be said after a change of one of them. */
  concerned(kind: Kind, { type, object: { name, value } }: MapChange<Picked<Facts>>): readonly string[] {
    const { namespace } = value.metadata
    if (kind !== 'EgressNetworkPolicy' || namespace === undefined) return [name]
    const siblings = this.#firewalls.get(namespace) ?? new Set()
    this.#firewalls.set(namespace, siblings)
    if (type === 'put') siblings.add(name)
    else siblings.delete(name)
    if (siblings.size === 0) this.#firewalls.delete(namespace)
    return [name, ...siblings]
  }

  /** Says what is to be said of `<kind>/<name>`. A number: again after so many milliseconds. */
  async lookAfter(key: string): Promise<number | undefined> {
    const slash = key.indexOf('/')
    const kind = KINDS.find((one) => one === key.slice(0, slash))
    if (kind !== undefined) await this.#reflections[kind].synced
    const facts = kind && this.#reflections[kind].store.get(key.slice(slash + 1))?.value
    if (kind === undefined || facts === undefined) {
      this.#told.delete(key)
      return undefined
    }
    const problems = [...facts.problems, ...this.#rivalry(kind, facts)]
    if (WITH_STATUS.has(kind)) return await this.#patch(key, kind, facts, problems)
    const text = isSet(kind) ? setProblemsText(problems) : problemsText(problems, facts.isUnread)
    this.#record(key, kind, facts, problems, text)
    return undefined
  }

  async #patch(
    key: string,
    kind: Kind,
    { metadata, conditions }: Facts,
    problems: readonly PolicyProblem[],
  ): Promise<number | undefined> {
    const { name, resourceVersion, generation } = metadata
    const wanted = conditionsWith(problems, { conditions, generation }, new Date())
    if (wanted === undefined) return undefined
    const words = `${metadata.uid} ${generation} ${problemsText(problems)}`
    const before = this.#told.get(key)
    const pause = before?.words === words ? before.at + INSIST_MS - this.#now() : 0
    if (pause > 0) return pause
    const patch = { metadata: { resourceVersion }, status: { conditions: wanted } }
    try {
      await this.#options.api.patch(weftBindings[kind].resource, { name }, 'merge', patch, 'status')
    } catch (error) {
      // What somebody else did meanwhile is told by the watch, and decided about then.
      if (!(error instanceof KubeError) || !OVERTAKEN.has(error.code)) throw error
      return undefined
    }
    this.#told.set(key, { words, at: this.#now() })
    this.#log(kind, metadata, problems, problemsText(problems))
    return undefined
  }

  #record(key: string, kind: Kind, { metadata }: Facts, problems: readonly PolicyProblem[], message: string): void {
    const words = `${metadata.uid} ${metadata.generation} ${message}`
    if (this.#told.get(key)?.words === words) return
    if (problems.length === 0) {
      this.#told.delete(key)
      return
    }
    this.#told.set(key, { words, at: this.#now() })
    const { resource } = weftBindings[kind]
    const about = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata }
    const reason = isSet(kind) ? SET_NOT_UNDERSTOOD : NOT_UNDERSTOOD
    this.#options.events.record(about, { type: 'Warning', reason, message })
    this.#log(kind, metadata, problems, message)
  }

  #log(kind: Kind, { name, namespace }: Facts['metadata'], problems: readonly PolicyProblem[], text: string): void {
    if (problems.length === 0) return
    const about = { kind, name: namespace === undefined ? name : `${namespace}/${name}` }
    this.#options.log.warn(about, `not all of the ${isSet(kind) ? 'network set' : 'policy'} is understood: ${text}`)
  }

  /** Which of several egress firewalls counts, nobody can say. */
  #rivalry(kind: Kind, { metadata: { namespace = '' } }: Facts): readonly PolicyProblem[] {
    const count = kind === 'EgressNetworkPolicy' ? (this.#firewalls.get(namespace)?.size ?? 0) : 0
    if (count < 2) return []
    const reason = `the namespace has ${count} egress firewalls, and one is what it can have: nothing may leave the cluster`
    return [{ field: 'metadata.namespace', reason }]
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }
}

function isSet(kind: Kind): kind is NetworkSetKind {
  return NETWORK_SET_KINDS.some((one) => one === kind)
}

const OVERTAKEN: ReadonlySet<string> = new Set(['KUBE_CONFLICT', 'KUBE_NOT_FOUND'])
