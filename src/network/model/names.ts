/**
 * Names, as Kubernetes has them (RFC 1123).
 * @module
 */
import { type Decode, reject, shown } from './decode.ts'

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
const DNS_LABEL = new RegExp(`^${LABEL}$`)
const DNS_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)
const DOMAIN_LABEL = '[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?'
const DOMAIN = new RegExp(`^${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*$`)
const MAX_NAME = 253
const IFNAME = /^(?!\.{1,2}$)[!-.0-9;-~]{1,15}$/
const SANDBOX = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/
const UID = /^[!-~]{1,253}$/

/** Whether a text can name a namespace: a DNS label. */
export function isNamespaceName(name: string): boolean {
  return name.length <= 63 && DNS_LABEL.test(name)
}

/** Whether a text can name a node or a pod: a DNS name. */
export function isObjectName(name: string): boolean {
  return name.length <= MAX_NAME && DNS_NAME.test(name)
}

/** Whether a text is a name that DNS can be asked for: in lower case, without the dot at its end, and no address. */
export function isDomain(name: string): boolean {
  return name.length <= MAX_NAME && DOMAIN.test(name) && !/^[\d.]+$/.test(name)
}

/** A namespace's name. */
export const namespaceName: Decode<string> = (input, at) =>
  typeof input === 'string' && isNamespaceName(input)
    ? input
    : reject(at, `${shown(input)} cannot name a namespace`, 'at most 63 lower-case letters, digits and inner dashes')

/** A node's or pod's name. */
export const objectName: Decode<string> = (input, at) =>
  typeof input === 'string' && isObjectName(input)
    ? input
    : reject(at, `${shown(input)} cannot be a name`, 'at most 253 lower-case letters, digits, inner dashes and dots')

/** An interface's name, as Linux and the CNI specification have it. */
export const ifname: Decode<string> = (input, at) =>
  typeof input === 'string' && IFNAME.test(input)
    ? input
    : reject(
        at,
        `${shown(input)} cannot name an interface`,
        '1 to 15 printable ASCII characters without /, : and blanks',
      )

/** The name that a container runtime gives to a pod's sandbox (CNI specification: as networks' names). */
export const sandboxId: Decode<string> = (input, at) =>
  typeof input === 'string' && SANDBOX.test(input)
    ? input
    : reject(
        at,
        `${shown(input)} cannot name a sandbox`,
        'at most 253 letters, digits, inner dashes, dots and underscores',
      )

/** What tells an object from an earlier one of the same name. */
export const uid: Decode<string> = (input, at) =>
  typeof input === 'string' && UID.test(input)
    ? input
    : reject(at, `${shown(input)} cannot be a uid`, '1 to 253 printable ASCII characters without blanks')
