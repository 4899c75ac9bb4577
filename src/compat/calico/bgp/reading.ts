/**
 * The parts that Calico's objects for BGP have in common.
 * @module
 */
import { at, textAt } from '../../fields.ts'

/** Seconds in a duration as Go writes it (`1m30s`), what is none as it is. Fractions of a second are left out. */
export function secondsIn(input: unknown): unknown {
  if (typeof input !== 'string' || input.length > 32) return input
  const [, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?$/.exec(input) ?? []
  if (hours === undefined && minutes === undefined && seconds === undefined) return input
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
}

/** Seconds as a duration. */
export function secondsText(seconds: number | undefined): string | null {
  return seconds === undefined ? null : `${seconds}s`
}

/** The name of a password: `{secretKeyRef: {name, key}}`. */
export function passwordIn(input: unknown): unknown {
  if (input === undefined) return undefined
  const ref = at(input, 'secretKeyRef')
  return `${textAt(ref, 'name') ?? ''}/${textAt(ref, 'key') ?? ''}`
}

/** The same as Calico has it. */
export function passwordOf(name: string | undefined): unknown {
  if (name === undefined) return null
  const [secret, key] = name.split('/')
  return { secretKeyRef: { name: secret, key } }
}
