/**
 * What of the kernel's settings a leg needs. Both sides are strict by other means than the reverse path filter, which knows neither
 * connections nor rules: the node by nftables, the pod by its rules.
 * @module
 */
import type { Family } from '../../network/model/address.ts'
import type { SysctlWish } from '../../network/model/ways.ts'

/** Of the stricter of an interface's value and that of all the kernel takes the greater number: 2 is the laxer one. */
const LOOSE = '2'

/** In the pod: answers come by the one link to what left by the other. */
export function podSysctls(wire: string, leg: string, families: readonly Family[]): readonly SysctlWish[] {
  return [
    ...(families.includes(4)
      ? [wire, leg].flatMap((link) => [wish(4, link, 'rp_filter', LOOSE), wish(4, link, 'forwarding', '1')])
      : []),
    ...(families.includes(6)
      ? [
          wish(6, leg, 'disable_ipv6', '0'),
          wish(6, leg, 'accept_ra', '0'),
          // IPv6 knows forwarding for all links of a namespace alone.
          wish(6, 'all', 'forwarding', '1'),
        ]
      : []),
    ...families.map((family) => wish(family, leg, 'accept_redirects', '0')),
  ]
}

/** On the node. */
export function nodeSysctls(leg: string, uplink: string, families: readonly Family[]): readonly SysctlWish[] {
  return [
    ...(families.includes(4)
      ? [
          wish(4, leg, 'rp_filter', LOOSE),
          wish(4, leg, 'forwarding', '1'),
          wish(4, leg, 'send_redirects', '0'),
          wish(4, uplink, 'forwarding', '1'),
          // The way back to a caller of a pod's node port is the pod's own, as far as the filter can see.
          wish(4, uplink, 'rp_filter', LOOSE),
        ]
      : []),
    ...(families.includes(6)
      ? [wish(6, leg, 'disable_ipv6', '0'), wish(6, leg, 'accept_ra', '0'), wish(6, 'all', 'forwarding', '1')]
      : []),
    ...families.map((family) => wish(family, leg, 'accept_redirects', '0')),
  ]
}

function wish(family: Family, link: string, key: string, value: string): SysctlWish {
  return [['net', `ipv${family}`, 'conf', link, key], value]
}
