/**
 * What a pod wishes of its node.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import {
  type LabelSelector,
  type Labels,
  labelSelector,
  OPERATORS,
  type Requirement,
  requirementsOf,
  selects,
} from '../workloads/selector.ts'
import { at, fields, list, text, texts } from '../workloads/values.ts'
import { isExtended } from './node.ts'

/** A pod's wishes; all of them are required. */
export interface Wishes {
  readonly nodeSelector: Labels
  /** One of them has to be met; absent: none is asked for. */
  readonly nodeTerms: readonly (readonly Requirement[])[] | undefined
  /** A pod of each kind has to be on the node. */
  readonly near: readonly PodTerm[]
  /** No pod of these kinds may be on the node. */
  readonly apart: readonly PodTerm[]
  readonly tolerations: readonly unknown[]
  /** Extended resources that its containers ask for, by name: how many is not counted. */
  readonly resources: readonly string[]
  /** What is asked for and cannot be done here, in words; such a pod is not scheduled. */
  readonly unsupported: readonly string[]
}

/** Which pods a rule of affinity is about. */
export interface PodTerm {
  readonly selector: LabelSelector
  /** Absent: of every namespace. */
  readonly namespaces: readonly string[] | undefined
}

/** The one topology that is known here. */
export const HOSTNAME = 'kubernetes.io/hostname'

/** Decodes the wishes of a pod. */
export function wishesOf(pod: KubeObject): Wishes {
  const unsupported: string[] = []
  const affinity = fields(at(pod, 'spec', 'affinity'))
  const required = (kind: string): unknown => at(affinity, kind, 'requiredDuringSchedulingIgnoredDuringExecution')
  const terms = (kind: string): readonly PodTerm[] =>
    list(required(kind)).flatMap((term) => podTerm(pod, kind, term, unsupported))
  const spread = list(at(pod, 'spec', 'topologySpreadConstraints'))
  if (spread.some((one) => at(one, 'whenUnsatisfiable') !== 'ScheduleAnyway')) {
    unsupported.push('topologySpreadConstraints with whenUnsatisfiable: DoNotSchedule')
  }
  return {
    nodeSelector: texts(at(pod, 'spec', 'nodeSelector')),
    nodeTerms: nodeTerms(required('nodeAffinity'), unsupported),
    near: terms('podAffinity'),
    apart: terms('podAntiAffinity'),
    tolerations: list(at(pod, 'spec', 'tolerations')),
    resources: resourcesOf(pod),
    unsupported,
  }
}

/** Whether a term is about a pod. */
export function isAbout(term: PodTerm, namespace: string, labels: Labels): boolean {
  return (term.namespaces?.includes(namespace) ?? true) && selects(term.selector, labels)
}

/** What is limited is asked for. */
function resourcesOf(pod: KubeObject): readonly string[] {
  const containers = ['initContainers', 'containers'].flatMap((key) => list(at(pod, 'spec', key)))
  const amounts = containers.flatMap((one) => ['requests', 'limits'].map((key) => fields(at(one, 'resources', key))))
  const named = amounts.flatMap((some) =>
    Object.entries(some).flatMap(([name, n]) => (String(n) === '0' ? [] : [name])),
  )
  return [...new Set(named.filter(isExtended))].toSorted()
}

function nodeTerms(value: unknown, unsupported: string[]): Wishes['nodeTerms'] {
  if (value === undefined || value === null) return undefined
  return list(at(value, 'nodeSelectorTerms')).flatMap((term) => {
    if (list(at(term, 'matchFields')).length > 0) unsupported.push('matchFields in nodeAffinity')
    const requirements = requirementsOf(at(term, 'matchExpressions'))
    for (const { operator } of requirements) {
      if (!OPERATORS.includes(operator)) unsupported.push(`operator ${JSON.stringify(operator)} in nodeAffinity`)
    }
    // An empty term matches nothing.
    return requirements.length === 0 ? [] : [requirements]
  })
}

function podTerm(pod: KubeObject, kind: string, term: unknown, unsupported: string[]): readonly PodTerm[] {
  const known = unsupported.length
  const topology = text(at(term, 'topologyKey')) ?? ''
  if (topology !== HOSTNAME) unsupported.push(`topologyKey ${JSON.stringify(topology)} in ${kind}`)
  for (const name of ['matchLabelKeys', 'mismatchLabelKeys']) {
    if (list(at(term, name)).length > 0) unsupported.push(`${name} in ${kind}`)
  }
  const everywhere = at(term, 'namespaceSelector')
  const isEverywhere = everywhere !== undefined && everywhere !== null
  const narrowed = [...list(at(everywhere, 'matchExpressions')), ...Object.keys(fields(at(everywhere, 'matchLabels')))]
  if (narrowed.length > 0) unsupported.push(`namespaceSelector with requirements in ${kind}`)
  const given = at(term, 'labelSelector')
  const selector = labelSelector(given)
  if (selector === undefined && given !== undefined && given !== null) unsupported.push(`labelSelector in ${kind}`)
  // Without a selector a term is about no pod.
  if (selector === undefined || unsupported.length > known) return []
  const named = list(at(term, 'namespaces')).filter((one) => typeof one === 'string')
  const namespaces = named.length > 0 ? named : [pod.metadata.namespace ?? '']
  return [{ selector, namespaces: isEverywhere ? undefined : namespaces }]
}
