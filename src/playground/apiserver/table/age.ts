/**
 * Times as kubectl prints them.
 * @module
 */
import { UNKNOWN } from './columns.ts'

/** How long ago a time was, such as `3m12s` or `5d3h`; `<unknown>` for what is no time. */
export function ageOf(time: unknown, now: Date): string {
  const since = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(since) ? UNKNOWN : duration(now.getTime() - since)
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/** Up to where a duration is told in which units: the larger one always, the smaller one where it is not zero. */
const SCALES: readonly (readonly [
  until: number,
  unit: number,
  name: string,
  smaller?: number,
  smallerName?: string,
])[] = [
  [2 * MINUTE, 1, 's'],
  [10 * MINUTE, MINUTE, 'm', 1, 's'],
  [3 * HOUR, MINUTE, 'm'],
  [8 * HOUR, HOUR, 'h', MINUTE, 'm'],
  [2 * DAY, HOUR, 'h'],
  [8 * DAY, DAY, 'd', HOUR, 'h'],
  [2 * YEAR, DAY, 'd'],
  [8 * YEAR, YEAR, 'y', DAY, 'd'],
  [Number.POSITIVE_INFINITY, YEAR, 'y'],
]

/** Milliseconds in words of at most two units. A clock that is a second behind is forgiven. */
export function duration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  const [, unit, name, smaller, smallerName] = SCALES.find(([until]) => seconds < until) ?? [0, YEAR, 'y']
  const whole = `${Math.floor(seconds / unit)}${name}`
  const rest = smaller === undefined ? 0 : Math.floor((seconds % unit) / smaller)
  return rest === 0 ? whole : `${whole}${rest}${smallerName}`
}
