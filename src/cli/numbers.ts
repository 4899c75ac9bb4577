/**
 * Option values, checked before anything is done.
 * @module
 */
import { InvalidArgumentError } from 'commander'

/** A parser of whole numbers between two bounds, for commander. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= low && value <= high) return value
    throw new InvalidArgumentError(`a whole number from ${low} to ${high} is wanted.`)
  }
}

/** A parser of names as Kubernetes has them (RFC 1123 labels), for commander. */
export function objectName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text
  throw new InvalidArgumentError('up to 63 lower case letters, digits and dashes are wanted.')
}

/** A parser of machines' names (RFC 1123 subdomains), for commander. */
export function machineName(text: string): string {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return text
  throw new InvalidArgumentError('lower case letters, digits, dashes and dots are wanted.')
}

/** A pod's name with its namespace. */
export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** A parser of `namespace/name`, for commander. */
export function podName(text: string): PodName {
  const [namespace = '', name, ...rest] = text.split('/')
  if (name === undefined || rest.length > 0) throw new InvalidArgumentError('namespace/name is wanted.')
  return { namespace: objectName(namespace), name: objectName(name) }
}
