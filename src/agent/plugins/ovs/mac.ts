/**
 * MAC addresses that follow from a pod's first address, so that no two pods of a wire have the same.
 * @module
 */
import { familyOf, type Ip, type Mac, macFromIp } from '../../../network/model/address.ts'

/** As ovs-cni: `0a:58` and the four bytes of an IPv4 address; of IPv6 the first four of the SHA-256 of its text. */
export function macFromAddress(address: Ip): Mac {
  if (familyOf(address) === 4) return macFromIp(address)
  const digest = new Bun.CryptoHasher('sha256').update(address).digest('hex').slice(0, 8)
  return `0a:58:${digest.replace(/(..)(?=.)/g, '$1:')}` as Mac
}
