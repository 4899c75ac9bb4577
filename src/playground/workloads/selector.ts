/**
 * Label selectors as objects carry them, and the requirements of node affinity, which are written alike.
 * @module
 */
import { fields, list, text, texts } from './values.ts'

/** One requirement on labels. */
export interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

/** Which labels are wanted: all requirements hold. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[]
}

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>

/** The operators that {@link meets} knows. */
export const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/**
 * A `LabelSelector` of the API. Undefined when there is none, or when it has a requirement that is not understood:
 * such a selector must select nothing rather than too much.
 */
export function labelSelector(value: unknown): LabelSelector | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { matchLabels, matchExpressions } = fields(value)
  const equal = Object.entries(fields(matchLabels)).map(([key, wanted]) => requirement(key, 'In', [wanted]))
  const requirements = [...equal, ...requirementsOf(matchExpressions)]
  return requirements.every(isKnown) ? { requirements } : undefined
}

/** The selector of a Service: labels that must be equal. Undefined when it has none. */
export function serviceSelector(value: unknown): LabelSelector | undefined {
  const wanted = Object.entries(texts(value))
  return wanted.length === 0 ? undefined : { requirements: wanted.map(([key, one]) => requirement(key, 'In', [one])) }
}

/** Requirements as written under `matchExpressions`, also those with operators that are not understood. */
export function requirementsOf(value: unknown): readonly Requirement[] {
  return list(value).map((each) => {
    const { key, operator, values } = fields(each)
    return requirement(text(key) ?? '', text(operator) ?? '', list(values))
  })
}

/** Whether labels are what a selector wants. An empty selector wants everything. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  return selector.requirements.every((one) => meets(one, labels))
}

/** Whether labels meet one requirement. An unknown operator is never met. */
export function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}

/** The selector as the API writes it in one line, for `status.selector` and messages. */
export function selectorText({ requirements }: LabelSelector): string {
  return requirements.map(requirementText).join(',')
}

function requirementText({ key, operator, values }: Requirement): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  if (operator === 'In' && values.length === 1) return `${key}=${values[0]}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
}

function requirement(key: string, operator: string, values: readonly unknown[]): Requirement {
  return { key, operator, values: values.filter((one) => typeof one === 'string') }
}

function isKnown({ key, operator, values }: Requirement): boolean {
  if (key === '' || !OPERATORS.includes(operator)) return false
  return operator === 'In' || operator === 'NotIn' ? values.length > 0 : true
}
