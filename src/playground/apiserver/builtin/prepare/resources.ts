/**
 * Requests and limits of containers: what is wrong with them.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { invalidValue } from '../../objects/causes.ts'
import { type Fields, fieldsAt } from '../../objects/shape.ts'

/** What is wrong with what a container may use and what it needs. */
export function resourceProblems(container: Fields, path: string): readonly Cause[] {
  const limits = fieldsAt(container, 'resources', 'limits')
  const requests = fieldsAt(container, 'resources', 'requests')
  const over = Object.entries(requests).flatMap(([name, amount]) => {
    const limit = limits[name]
    if (limit === undefined || quantity(amount) <= quantity(limit)) return []
    const why = `must be less than or equal to ${name} limit of ${limit}`
    return [invalidValue(`${path}.resources.requests`, String(amount), why)]
  })
  return [...negative(limits, `${path}.resources.limits`), ...negative(requests, `${path}.resources.requests`), ...over]
}

function negative(amounts: Fields, path: string): readonly Cause[] {
  return Object.entries(amounts).flatMap(([name, amount]) =>
    quantity(amount) < 0
      ? [invalidValue(`${path}[${name}]`, String(amount), 'must be greater than or equal to 0')]
      : [],
  )
}

const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ...['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'].map((suffix, index) => [suffix, 1000 ** (index - 3)] as const),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index) => [suffix, 1024 ** (index + 1)] as const),
])

/** An amount such as `100m` or `1Gi` as a number; NaN for what is none. */
function quantity(amount: unknown): number {
  if (typeof amount === 'number') return amount
  const [, number = '', suffix = ''] =
    /^([+-]?[0-9.]+(?:[eE][-+]?[0-9]{1,3})?)([A-Za-z]{0,2})$/.exec(String(amount)) ?? []
  return Number(number === '' ? Number.NaN : number) * (SUFFIXES.get(suffix) ?? Number.NaN)
}
