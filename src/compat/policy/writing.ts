/**
 * The parts that policies of every kind have, as Kubernetes has words for them.
 * @module
 */
import type { Namespaces, Requirement, Selector } from '../../network/model/policy.ts'
import type { MergePatch } from '../merge.ts'

/** What every namespace has its name in. */
export const NAME_LABEL = 'kubernetes.io/metadata.name'

/** A label selector. */
export function selectorOf(selector: Selector): MergePatch {
  return selector.length === 0 ? {} : { matchExpressions: selector.map(expressionOf) }
}

/** A selector of namespaces; one alone is selected by the label that says its name. */
export function namespaceSelectorOf(namespaces: Namespaces): MergePatch {
  return 'name' in namespaces ? { matchLabels: { [NAME_LABEL]: namespaces.name } } : selectorOf(namespaces.labels)
}

function expressionOf({ key, operator, values }: Requirement): MergePatch {
  return { key, operator, ...(values.length === 0 ? {} : { values }) }
}
