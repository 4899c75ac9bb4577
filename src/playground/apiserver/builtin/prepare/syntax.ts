/**
 * Names, labels, ports and addresses within objects.
 * @module
 */
import { familyOf, type Ip, parseIp } from '../../../../network/model/address.ts'
import type { Cause } from '../../http/status.ts'
import { invalidValue, required, unsupported } from '../../objects/causes.ts'
import {
  LABEL,
  LABEL_TEXT,
  LABEL_VALUE,
  LABEL_VALUE_TEXT,
  QUALIFIED_TEXT,
  SUBDOMAIN,
  SUBDOMAIN_TEXT,
} from '../../objects/names.ts'
import type { Fields } from '../../objects/shape.ts'

const NONE: readonly Cause[] = []
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

/** What is wrong with a label of RFC 1123. */
export function dnsLabel(field: string, value: string): readonly Cause[] {
  if (value.length > 63) return [invalidValue(field, value, 'must be no more than 63 characters')]
  return LABEL.test(value) ? NONE : [invalidValue(field, value, LABEL_TEXT)]
}

/** What is wrong with a subdomain of RFC 1123. */
export function dnsSubdomain(field: string, value: string): readonly Cause[] {
  if (value.length > 253) return [invalidValue(field, value, 'must be no more than 253 characters')]
  return SUBDOMAIN.test(value) ? NONE : [invalidValue(field, value, SUBDOMAIN_TEXT)]
}

/** What is wrong with the key of a label or an annotation. */
export function qualifiedName(field: string, key: string): readonly Cause[] {
  const parts = key.split('/')
  const [name = '', prefix] = parts.toReversed()
  if (parts.length > 2) {
    const words = QUALIFIED_TEXT.replace('name part must', 'a qualified name must')
    const rest = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
    return [invalidValue(field, key, words + rest)]
  }
  const found: Cause[] = []
  if (prefix === '') found.push(invalidValue(field, key, 'prefix part must be non-empty'))
  else if (prefix !== undefined && !SUBDOMAIN.test(prefix)) {
    found.push(invalidValue(field, key, `prefix part ${SUBDOMAIN_TEXT}`))
  }
  if (name === '') found.push(invalidValue(field, key, 'name part must be non-empty'))
  else if (name.length > 63) found.push(invalidValue(field, key, 'name part must be no more than 63 characters'))
  if (!QUALIFIED.test(name)) found.push(invalidValue(field, key, QUALIFIED_TEXT))
  return found
}

/** What is wrong with the value of a label. */
export function labelValue(field: string, value: string): readonly Cause[] {
  if (value.length > 63) return [invalidValue(field, value, 'must be no more than 63 characters')]
  return LABEL_VALUE.test(value) ? NONE : [invalidValue(field, value, LABEL_VALUE_TEXT)]
}

/** What is wrong with labels. */
export function labels(field: string, given: Fields): readonly Cause[] {
  return Object.entries(given).flatMap(([key, value]) => [
    ...qualifiedName(field, key),
    ...labelValue(field, String(value)),
  ])
}

/** What is wrong with the number of a port. */
export function portNumber(field: string, value: number): readonly Cause[] {
  return inRange(field, value, 1, 65_535)
}

/** What is wrong with a number that has bounds, both included. */
export function inRange(field: string, value: number, least: number, most: number): readonly Cause[] {
  if (value >= least && value <= most) return NONE
  return [invalidValue(field, value, `must be between ${least} and ${most}, inclusive`)]
}

/** What is wrong with the name of a port (RFC 6335). */
export function portName(field: string, value: string): readonly Cause[] {
  const problems = [
    value.length > 15 ? 'must be no more than 15 characters' : '',
    /^[-a-z0-9]+$/.test(value) ? '' : 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    /[a-z]/.test(value) ? '' : 'must contain at least one letter (a-z)',
    value.includes('--') ? 'must not contain consecutive hyphens' : '',
    /^-|-$/.test(value) ? 'must not begin or end with a hyphen' : '',
  ]
  return problems.filter((problem) => problem !== '').map((problem) => invalidValue(field, value, problem))
}

/** What is wrong with a port that is given by its number or its name. */
export function portReference(field: string, value: unknown): readonly Cause[] {
  return typeof value === 'string' ? portName(field, value) : portNumber(field, typeof value === 'number' ? value : 0)
}

/** What is wrong with a number that may not be negative; nothing where there is none. */
export function notNegative(field: string, value: unknown): readonly Cause[] {
  if (typeof value !== 'number' || value >= 0) return NONE
  return [invalidValue(field, value, 'must be greater than or equal to 0')]
}

/** What is wrong with one of a few words; nothing where there is none. */
export function oneOf(field: string, value: unknown, words: readonly string[]): readonly Cause[] {
  if (value === undefined || words.some((word) => word === value)) return NONE
  return [unsupported(field, value, words)]
}

/** What is wrong with an IP address. */
export function ipAddress(field: string, value: string): readonly Cause[] {
  if (parseIp(value) !== undefined) return NONE
  return [invalidValue(field, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

/** What keeps an address from being that of a backend. */
export function backendAddress(field: string, value: string): readonly Cause[] {
  const address = parseIp(value)
  if (address === undefined) return [invalidValue(field, value, 'must be a valid IP address')]
  const problem = SPECIAL.find(([isSpecial]) => isSpecial(address))
  return problem === undefined ? NONE : [invalidValue(field, value, problem[1].replace('%', address))]
}

const SPECIAL: readonly (readonly [(address: Ip) => boolean, string])[] = [
  [(address) => address === '0.0.0.0' || address === '::', 'may not be unspecified (%)'],
  [
    (address) => (familyOf(address) === 4 ? address.startsWith('127.') : address === '::1'),
    'may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    (address) => (familyOf(address) === 4 ? address.startsWith('169.254.') : /^fe[89ab]/.test(address)),
    'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  ],
  [
    (address) => (familyOf(address) === 4 ? address.startsWith('224.0.0.') : /^ff.2:/.test(address)),
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  ],
]

/** That a text is given, and what is wrong with it then. */
export function needed(
  field: string,
  value: string | undefined,
  problemsOf: (field: string, value: string) => readonly Cause[] = () => NONE,
): readonly Cause[] {
  return value === undefined || value === '' ? [required(field)] : problemsOf(field, value)
}

/** What is wrong with a text, where one is given. */
export function given(
  field: string,
  value: string | undefined,
  problemsOf: (field: string, value: string) => readonly Cause[],
): readonly Cause[] {
  return value === undefined || value === '' ? NONE : problemsOf(field, value)
}
