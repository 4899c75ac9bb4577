/**
 * Label selectors within objects: what is wrong with them, and what they match.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { forbiddenField, goStringMap, invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, textAt } from '../../objects/shape.ts'
import { labels, labelValue, qualifiedName } from './syntax.ts'

/** What is wrong with a selector. */
export function selectorProblems(selector: Fields, path: string): readonly Cause[] {
  return [
    ...labels(`${path}.matchLabels`, fieldsAt(selector, 'matchLabels')),
    ...arrayAt(selector, 'matchExpressions').flatMap((expression, index) =>
      expressionProblems(fieldsAt(expression), `${path}.matchExpressions[${index}]`, NO_OPERATORS),
    ),
  ]
}

const NO_OPERATORS: readonly string[] = []

/** What is wrong with one condition; `more` are operators beside the four of every selector. */
export function expressionProblems(expression: Fields, at: string, more: readonly string[]): readonly Cause[] {
  const operator = textAt(expression, 'operator') ?? ''
  const values = arrayAt(expression, 'values')
  const found: Cause[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      found.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    if (values.length > 0) found.push(forbiddenField(`${at}.values`, why))
  } else if (!more.includes(operator)) {
    found.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'))
  }
  found.push(...qualifiedName(`${at}.key`, textAt(expression, 'key') ?? ''))
  return [...found, ...values.flatMap((value, index) => labelValue(`${at}.values[${index}]`, String(value)))]
}

/** Whether it selects by anything at all. */
export function isEmptySelector(selector: Fields): boolean {
  return (
    Object.keys(fieldsAt(selector, 'matchLabels')).length === 0 && arrayAt(selector, 'matchExpressions').length === 0
  )
}

/** Whether labels fulfil a selector. */
export function selects(selector: Fields, given: Fields): boolean {
  const wanted = Object.entries(fieldsAt(selector, 'matchLabels'))
  return (
    wanted.every(([key, value]) => Object.hasOwn(given, key) && given[key] === value) &&
    arrayAt(selector, 'matchExpressions').every((expression) => holds(fieldsAt(expression), given))
  )
}

function holds(expression: Fields, given: Fields): boolean {
  const key = textAt(expression, 'key') ?? ''
  const isThere = Object.hasOwn(given, key)
  const isListed = isThere && arrayAt(expression, 'values').includes(given[key])
  switch (textAt(expression, 'operator')) {
    case 'In':
      return isListed
    case 'NotIn':
      return !isListed
    case 'Exists':
      return isThere
    default:
      return !isThere
  }
}

/** A selector as Go prints it. */
export function printedSelector(selector: Fields): string {
  const expressions = arrayAt(selector, 'matchExpressions').map((expression) => {
    const values = arrayAt(expression, 'values').map((value) => JSON.stringify(value))
    const list = values.length === 0 ? '[]string(nil)' : `[]string{${values.join(', ')}}`
    const [key, operator] = [textAt(expression, 'key') ?? '', textAt(expression, 'operator') ?? '']
    return `v1.LabelSelectorRequirement{Key:${JSON.stringify(key)}, Operator:${JSON.stringify(operator)}, Values:${list}}`
  })
  const list = expressions.length === 0 ? '(nil)' : `{${expressions.join(', ')}}`
  const matched = goStringMap(fieldsAt(selector, 'matchLabels'))
  return `v1.LabelSelector{MatchLabels:${matched}, MatchExpressions:[]v1.LabelSelectorRequirement${list}}`
}
