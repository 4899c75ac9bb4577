/**
 * Whether a pool may be taken from for an interface: the demands in the order in which Spiderpool asks them.
 * @module
 */
import type { Family } from '../../../network/model/address.ts'
import type { Labels, Selector } from '../../../network/model/policy.ts'
import type { AddressPool } from '../../../network/model/pool.ts'
import { matchesSelector, namespaceLabels } from '../../../network/model/selector.ts'
import { withNamespace } from './definition.ts'
import { APPLICATION_KEYS } from './owner.ts'
import type { PoolQuestion } from './question.ts'

/** What is known of the interface beside the question. */
export interface InterfaceFacts {
  readonly question: PoolQuestion
  readonly installNamespace: string
  /** What selectors of pools made for an application find. */
  readonly application: Labels
  /** The network's definition, `<namespace>/<name>`; undefined where nothing says which. */
  readonly definition: () => string | undefined
  /** Why pools give nothing out, whoever asks. */
  readonly problemOf: (pool: string) => string | undefined
}

/** Why a pool is not to be taken from, to go on a sentence that begins with its name; undefined where it is. */
export function objectionTo(pool: AddressPool, family: Family, facts: InterfaceFacts): string | undefined {
  const { question } = facts
  return (
    objectionToItself(pool, family, facts) ??
    nodeObjection(pool, question) ??
    namespaceObjection(pool, question) ??
    // A pool that was made for an application is its own, of whichever network.
    (isOfApplication(pool.podSelector)
      ? selectorObjection('podAffinity', pool.podSelector, facts.application, 'it was made for another application')
      : (selectorObjection('podAffinity', pool.podSelector, question.pod.labels, 'the pod’s labels do not match it') ??
        definitionObjection(pool, facts)))
  )
}

function objectionToItself(pool: AddressPool, family: Family, { problemOf }: InterfaceFacts): string | undefined {
  if (pool.isTerminating) return 'is being deleted'
  if (pool.isDisabled) return 'is disabled (spec.disable)'
  if (pool.family !== family) return `is a pool of IPv${pool.family} (spec.ipVersion)`
  const problem = problemOf(pool.name)
  return problem === undefined ? undefined : `gives nothing out: ${problem}`
}

function nodeObjection({ nodes, nodeSelector }: AddressPool, { node }: PoolQuestion): string | undefined {
  if (nodes.length === 0) {
    return selectorObjection(
      'nodeAffinity',
      nodeSelector,
      node.labels,
      `the labels of node ${node.name} do not match it`,
    )
  }
  return nodes.includes(node.name) ? undefined : `is not for node ${node.name} (spec.nodeName)`
}

function namespaceObjection(pool: AddressPool, { namespace: { name, labels } }: PoolQuestion): string | undefined {
  if (pool.namespaces.length === 0) {
    const known = namespaceLabels(name, labels)
    return selectorObjection(
      'namespaceAffinity',
      pool.namespaceSelector,
      known,
      `the labels of ${name} do not match it`,
    )
  }
  return pool.namespaces.includes(name) ? undefined : `is not for namespace ${name} (spec.namespaceName)`
}

function definitionObjection(
  { definitions }: AddressPool,
  { definition, installNamespace, question: { ifname } }: InterfaceFacts,
): string | undefined {
  if (definitions.length === 0) return undefined
  const own = definition()
  if (own === undefined) return `is for named networks only (spec.multusName), and nothing names that of ${ifname}`
  const isMeant = definitions.some((one) => withNamespace(one, installNamespace) === own)
  return isMeant ? undefined : `is not for network ${own} (spec.multusName)`
}

function selectorObjection(
  field: string,
  selector: Selector | undefined,
  labels: Labels | undefined,
  why: string,
): string | undefined {
  return selector === undefined || matchesSelector(selector, labels)
    ? undefined
    : `is not for it (spec.${field}): ${why}`
}

const APPLICATION: ReadonlySet<string> = new Set(Object.values(APPLICATION_KEYS))

/** Whether it speaks of the pod's owner; no label of a pod counts there. */
function isOfApplication(selector: Selector | undefined): boolean {
  return selector?.some(({ key }) => APPLICATION.has(key)) === true
}
