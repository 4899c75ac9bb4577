/**
 * Answers of the switch to ARP requests.
 * @module
 */
import type { Action } from '../../flow/flow.ts'
import type { Mac } from '../model/address.ts'

/** Turns an ARP request into its answer: that address is at `mac`. */
export function answerArp(mac: Mac): Action[] {
  return [
    copy('eth_src', 'eth_dst', 48),
    { op: 'set', field: 'eth_src', value: mac },
    { op: 'set', field: 'arp_op', value: 2 },
    copy('arp_sha', 'arp_tha', 48),
    { op: 'set', field: 'arp_sha', value: mac },
    copy('arp_tpa', 'reg4', 32),
    copy('arp_spa', 'arp_tpa', 32),
    copy('reg4', 'arp_spa', 32),
    { op: 'output', port: 'in_port' },
  ]
}

/** Copies a field into another of the same size. */
export function copy(
  from: 'eth_src' | 'arp_sha' | 'arp_spa' | 'arp_tpa' | 'reg4' | 'ipv6_src' | 'nd_target',
  to: 'eth_dst' | 'arp_tha' | 'arp_spa' | 'arp_tpa' | 'reg4' | 'ipv6_dst' | 'ipv6_src',
  bits: number,
): Action {
  return { op: 'move', from: { field: from, offset: 0, bits }, to: { field: to, offset: 0, bits } }
}
