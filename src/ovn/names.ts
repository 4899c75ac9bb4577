/**
 * Names of rows. They follow from what a row is for, so that whoever asks twice finds what the first call made.
 * @module
 */
import { createHash } from 'node:crypto'
import { familyOf, type Ip, ipValue, type Mac } from '../network/model/address.ts'

/** An attachment of a pod. */
export interface Attachment {
  /** The sandbox's identifier, as the container runtime gives it. */
  readonly sandbox: string
  readonly interface: string
}

/** The port of a pod's attachment: what OVN's chassis know as `iface-id`. */
export function podPortName(cluster: string, { sandbox, interface: name }: Attachment): string {
  const digest = createHash('sha256').update(`${sandbox}/${name}`).digest('hex')
  return `weft.${cluster}.${digest.slice(0, 24)}`
}

/** The two ends of what joins a switch to a router. */
export function joinNames(router: string, lswitch: string): { readonly routerEnd: string; readonly switchEnd: string } {
  return { routerEnd: `${router}-to-${lswitch}`, switchEnd: `${lswitch}-to-${router}` }
}

/** A name in the grammar of address sets and port groups, out of names that have no underscore. */
export function setName(...parts: readonly string[]): string {
  return ['weft', ...parts].map((part) => part.replaceAll('-', '_')).join('.')
}

/** Whether a name may stand in a rule's match behind `$` or `@`. */
export function isSetName(name: string): boolean {
  return /^[a-zA-Z_.][a-zA-Z_.0-9]{0,254}$/.test(name)
}

/** A local MAC address that follows from an IP address: of IPv4 its bytes, of IPv6 a digest. */
export function macOf(address: Ip): Mac {
  const bytes =
    familyOf(address) === 4
      ? ipValue(address).toString(16).padStart(8, '0')
      : createHash('sha256').update(address).digest('hex').slice(0, 8)
  return `0a:58:${bytes.replace(/(..)(?!$)/g, '$1:')}` as Mac
}
