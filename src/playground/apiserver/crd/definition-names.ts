/**
 * The names of a CustomResourceDefinition.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Cause } from '../http/status.ts'
import { invalidValue, required, wrongType } from '../objects/causes.ts'
import { LABEL_1035, LABEL_1035_TEXT, SUBDOMAIN, SUBDOMAIN_TEXT } from '../objects/names.ts'
import { arrayAt, valueAt } from '../objects/shape.ts'

/** What is wrong with a definition's own name, its group, and what its objects are called. */
export function nameProblems(crd: KubeObject): readonly Cause[] {
  const { name } = crd.metadata
  const plural = valueAt(crd, 'spec', 'names', 'plural')
  const group = valueAt(crd, 'spec', 'group') ?? ''
  const isNamedSo = name === `${plural}.${group}`
  return [
    ...(isNamedSo ? [] : [invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group')]),
    ...groupProblems(group),
    ...labelProblems('spec.names.plural', plural),
    ...labelProblems('spec.names.singular', valueAt(crd, 'spec', 'names', 'singular')),
    ...kindProblems('spec.names.kind', valueAt(crd, 'spec', 'names', 'kind')),
    ...kindProblems('spec.names.listKind', valueAt(crd, 'spec', 'names', 'listKind')),
    ...['shortNames', 'categories'].flatMap((list) =>
      arrayAt(crd, 'spec', 'names', list).flatMap((each, index) => labelProblems(`spec.names.${list}[${index}]`, each)),
    ),
  ]
}

/** What is wrong with a label of RFC 1035 in this field. */
export function labelProblems(field: string, value: unknown): readonly Cause[] {
  return checked(field, value, (text) => (isLabel(text) ? undefined : LABEL_1035_TEXT))
}

function kindProblems(field: string, value: unknown): readonly Cause[] {
  return checked(field, value, (text) =>
    isLabel(text.toLowerCase()) ? undefined : `may have mixed case, but should otherwise match: ${LABEL_1035_TEXT}`,
  )
}

function groupProblems(group: unknown): readonly Cause[] {
  return checked('spec.group', group, (text) => {
    if (text.length > 253 || !SUBDOMAIN.test(text)) return SUBDOMAIN_TEXT
    return text.includes('.') ? undefined : 'should be a domain with at least one dot'
  })
}

function isLabel(text: string): boolean {
  return text.length <= 63 && LABEL_1035.test(text)
}

function checked(field: string, value: unknown, problemOf: (text: string) => string | undefined): readonly Cause[] {
  const text = value ?? ''
  if (text === '') return [required(field)]
  if (typeof text !== 'string') return [wrongType(field, text, ['string'])]
  const problem = problemOf(text)
  return problem === undefined ? [] : [invalidValue(field, text, problem)]
}
