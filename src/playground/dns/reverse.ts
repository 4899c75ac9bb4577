/**
 * Names of addresses: `4.3.2.1.in-addr.arpa`, `….ip6.arpa`, `1-2-3-4.<namespace>.pod.<domain>`.
 * @module
 */
import { familyOf, type Ip, ipValue, parseIp } from '../../network/model/address.ts'

/** The zones of reverse names. */
export const REVERSE_ZONES: readonly string[] = ['in-addr.arpa', 'ip6.arpa']

/** The name under which an address's own name is found. */
export function reverseName(address: Ip): string {
  if (familyOf(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const digits = ipValue(address).toString(16).padStart(32, '0')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}

/** The address that a pod's name is made of: dashes for dots or colons. */
export function podAddress(label: string): Ip | undefined {
  if (!/^[0-9a-f-]+$/.test(label)) return undefined
  return (
    (/^\d+-\d+-\d+-\d+$/.test(label) ? parseIp(label.replaceAll('-', '.')) : undefined) ??
    parseIp(label.replaceAll('-', ':'))
  )
}
