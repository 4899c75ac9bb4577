/**
 * Lists and selectors in one cell.
 * @module
 */
import { arrayAt, type Fields, fieldsAt, isFields, textAt } from '../objects/shape.ts'
import { NONE } from './columns.ts'

/** Items joined by commas; `<none>` for none. */
export function listed(items: readonly unknown[]): string {
  return items.length === 0 ? NONE : items.join(',')
}

/** The first three of many. */
export function shortened(items: readonly string[], empty: string): string {
  if (items.length === 0) return empty
  const most = 3
  const more = items.length > most ? ` + ${items.length - most} more...` : ''
  return items.slice(0, most).join(',') + more
}

/** Labels as `a=b,c=d`; `<none>` for none. */
export function labels(map: Fields): string {
  return listed(
    Object.entries(map)
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
  )
}

/** A label selector as clients write it. */
export function selector(value: unknown): string {
  const equal = Object.entries(fieldsAt(value, 'matchLabels')).map(
    ([key, wanted]) => [key, `${key}=${wanted}`] as const,
  )
  const others = arrayAt(value, 'matchExpressions')
    .filter(isFields)
    .map((expression) => [textAt(expression, 'key') ?? '', requirement(expression)] as const)
  return listed([...equal, ...others].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, words]) => words))
}

function requirement(expression: Fields): string {
  const key = textAt(expression, 'key') ?? ''
  const values = arrayAt(expression, 'values').map(String).sort().join(',')
  switch (textAt(expression, 'operator')) {
    case 'In':
      return `${key} in (${values})`
    case 'NotIn':
      return `${key} notin (${values})`
    case 'DoesNotExist':
      return `!${key}`
    default:
      return key
  }
}

/** One field of every container. */
export function ofContainers(spec: Fields, field: string): string {
  return arrayAt(spec, 'containers')
    .map((container) => textAt(container, field) ?? '')
    .join(',')
}
