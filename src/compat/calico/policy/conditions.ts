/**
 * Calico's selectors as conditions on labels that the cluster has. Of what Calico's own programs add to the labels of pods
 * (namespace, orchestrator, labels of the namespace with `pcns.`) each is looked up where it comes from.
 * @module
 */
import { COMPARISONS, type Condition, type Holder } from '../../../network/model/condition.ts'
import { NAMESPACE_NAME_LABEL } from '../../../network/model/pod.ts'
import type { Namespaces, PodSet, Requirement, Selector } from '../../../network/model/policy.ts'
import type { Notes } from '../../policy/notes.ts'
import type { Expression } from '../selector/expression.ts'
import { parseSelector } from '../selector/parse.ts'

/** Whose labels a selector is about. A namespace has labels only, and no labels of its own beside. */
export type About = 'pods' | 'sets' | 'namespaces'

export const ALL: Condition = { type: 'all' }
export const NONE: Condition = { type: 'not', condition: ALL }

const NAMESPACE = 'projectcalico.org/namespace'
const ORCHESTRATOR = 'projectcalico.org/orchestrator'
const SERVICE_ACCOUNT = 'projectcalico.org/serviceaccount'
/** What a namespace is called in selectors of namespaces. */
const NAME = 'projectcalico.org/name'
const OF_NAMESPACE = 'pcns.'
const OF_SERVICE_ACCOUNT = 'pcsa.'

/** A selector as it was read. */
export interface Selecting {
  readonly expression: Expression
}

/** Reads a selector. Undefined where it cannot be read, or asks for what nobody here knows; then that is noted. */
export function selectingIn(input: unknown, notes: Notes, unread: () => void): Selecting | undefined {
  if (typeof input !== 'string') {
    unread()
    return notes.problem('a selector is a text')
  }
  const parsed = parseSelector(input)
  if (!parsed.ok) {
    unread()
    return notes.problem(`at character ${parsed.at}: ${parsed.reason}`)
  }
  const strange = keysOf(parsed.expression).find((key) => key === SERVICE_ACCOUNT || key.startsWith(OF_SERVICE_ACCOUNT))
  if (strange !== undefined) return notes.problem(`${strange}: service accounts are not known here; use labels of pods`)
  return parsed
}

/** What a selector demands of pods, of network sets, or of namespaces. */
export function conditionOf({ expression }: Selecting, about: About): Condition {
  // Alone it means every namespace, and so nothing that is in none.
  if (about === 'namespaces' && expression.type === 'all') return { type: 'namespaced' }
  return simple(conditionFor(expression, about))
}

/** Both of these. */
export function both(...conditions: readonly Condition[]): Condition {
  return simple({ type: 'and', conditions })
}

/** Not this. */
export function none(condition: Condition): Condition {
  return simple({ type: 'not', condition })
}

/** The namespace of this name. */
export function inNamespace(name: string): Condition {
  return { type: 'compare', of: 'namespace', key: NAMESPACE_NAME_LABEL, how: 'in', values: [name] }
}

/** Whether nobody meets it. */
export function isNone(condition: Condition): boolean {
  return condition.type === 'not' && condition.condition.type === 'all'
}

/**
 * The pods that meet a condition, of one namespace or of all. What Kubernetes' selectors have words for is said by them:
 * pods are found by those without looking at all.
 */
export function podSetOf(demand: Condition, namespace?: string): PodSet {
  const condition = simple(namespaced(demand))
  const parts = condition.type === 'and' ? condition.conditions : [condition]
  const rest: Condition[] = []
  const pods: Requirement[] = []
  const labels: Requirement[] = []
  for (const part of parts) {
    const requirement = requirementOf(part)
    if (requirement === undefined || (requirement.of === 'namespace' && namespace !== undefined)) rest.push(part)
    else (requirement.of === 'own' ? pods : labels).push(requirement.demand)
  }
  const where = both(...rest)
  return {
    namespaces: namespace === undefined ? namespacesOf(labels) : { name: namespace },
    pods,
    ...(where.type === 'all' ? {} : { where }),
  }
}

/** Of something that is in a namespace, as all pods are. */
function namespaced(condition: Condition): Condition {
  switch (condition.type) {
    case 'namespaced':
      return ALL
    case 'not':
      return { type: 'not', condition: namespaced(condition.condition) }
    case 'and':
    case 'or':
      return { type: condition.type, conditions: condition.conditions.map(namespaced) }
    default:
      return condition
  }
}

function namespacesOf(labels: Selector): Namespaces {
  const [only, ...others] = labels
  const isName = only?.key === NAMESPACE_NAME_LABEL && only.operator === 'In' && only.values.length === 1
  const [name] = only?.values ?? []
  return isName && others.length === 0 && name !== undefined && NAMESPACE_PATTERN.test(name) ? { name } : { labels }
}

const NAMESPACE_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** More than any label has: a selector with longer keys and values is none of Kubernetes'. */
const MOST = { key: 317, value: 253 } as const

function requirementOf(part: Condition): { readonly of: Holder; readonly demand: Requirement } | undefined {
  const inner = part.type === 'not' ? part.condition : part
  const isNot = part.type === 'not'
  if ((inner.type !== 'has' && inner.type !== 'compare') || inner.key.length > MOST.key) return undefined
  const { of, key } = inner
  if (inner.type === 'has') return { of, demand: { key, operator: isNot ? 'DoesNotExist' : 'Exists', values: [] } }
  if (inner.how !== 'in' || inner.values.length === 0) return undefined
  if (inner.values.some((value) => value.length > MOST.value)) return undefined
  return { of, demand: { key, operator: isNot ? 'NotIn' : 'In', values: inner.values } }
}

function conditionFor(expression: Expression, about: About): Condition {
  switch (expression.type) {
    case 'all':
      return ALL
    case 'global':
      return none({ type: 'namespaced' })
    case 'not':
      return { type: 'not', condition: conditionFor(expression.of, about) }
    case 'and':
    case 'or':
      return { type: expression.type, conditions: expression.of.map((one) => conditionFor(one, about)) }
    case 'has':
      return labelled(expression.key, about, (of, key) => ({ type: 'has', of, key }), true)
    case 'compare': {
      const { how, values } = expression
      const test = (value: string): boolean => values.some((wanted) => COMPARISONS[how](value, wanted))
      return labelled(expression.key, about, (of, key) => ({ type: 'compare', of, key, how, values }), test('k8s'))
    }
  }
}

/** A demand on a label where it is to be found. `ofPods`: whether pods, which Kubernetes runs, meet it as an orchestrator's. */
function labelled(key: string, about: About, make: (of: Holder, key: string) => Condition, ofPods: boolean): Condition {
  if (about === 'namespaces') return make('namespace', key === NAME ? NAMESPACE_NAME_LABEL : key)
  if (key === NAMESPACE) return make('namespace', NAMESPACE_NAME_LABEL)
  if (key === ORCHESTRATOR) return about === 'pods' && ofPods ? ALL : NONE
  if (key.startsWith(OF_NAMESPACE)) {
    const name = key.slice(OF_NAMESPACE.length)
    return make('namespace', name === NAME ? NAMESPACE_NAME_LABEL : name)
  }
  return make('own', key)
}

/** The same with constants taken out, and no `and` directly in an `and`. */
function simple(condition: Condition): Condition {
  if (condition.type === 'not') {
    const inner = simple(condition.condition)
    if (inner.type === 'not') return inner.condition
    return { type: 'not', condition: inner }
  }
  if (condition.type !== 'and' && condition.type !== 'or') return condition
  const { type } = condition
  const parts = condition.conditions.map(simple).flatMap((one) => (one.type === type ? one.conditions : [one]))
  const [absorbing, neutral] = type === 'and' ? [isNone, isAll] : [isAll, isNone]
  if (parts.some(absorbing)) return type === 'and' ? NONE : ALL
  const left = parts.filter((one) => !neutral(one))
  const [only] = left
  if (only === undefined) return type === 'and' ? ALL : NONE
  return left.length === 1 ? only : { type, conditions: left }
}

function isAll(condition: Condition): boolean {
  return condition.type === 'all'
}

function keysOf(expression: Expression): readonly string[] {
  switch (expression.type) {
    case 'has':
    case 'compare':
      return [expression.key]
    case 'not':
      return keysOf(expression.of)
    case 'and':
    case 'or':
      return expression.of.flatMap(keysOf)
    default:
      return []
  }
}
