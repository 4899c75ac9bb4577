/**
 * Times for people.
 * @module
 */
import type { Look } from './look.ts'
import { count } from './words.ts'

/** A span of seconds in its largest unit: `2 hours`. */
export function duration(seconds: number, look: Look): string {
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const
  for (const [size, unit] of units) if (seconds >= size) return count(Math.floor(seconds / size), unit, look)
  return count(Math.max(0, Math.floor(seconds)), 'second', look)
}
