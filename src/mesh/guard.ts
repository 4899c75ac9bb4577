/**
 * Who may speak in a machine's name: what a tunnel packet's sender says is all that a mesh knows of who sent it. Pure.
 * @module
 */
import { type Family, familyOf } from '../network/model/address.ts'
import type { Tunnel } from './config.ts'
import type { MeshPlan } from './plan.ts'

/** Rules by the hook that they are for; `leaving` is behind every address translation. */
export interface TunnelGuard {
  readonly forward: readonly string[]
  readonly input: readonly string[]
  readonly leaving: readonly string[]
}

const WORD: { readonly [F in Family]: 'ip' | 'ip6' } = { 4: 'ip', 6: 'ip6' }
/** As Open vSwitch has them. */
const PORTS = { vxlan: 4789, geneve: 6081 } as const

/**
 * Rules that drop tunnel packets between machines of the mesh that a machine of it did not send: of its containers, whomever they say
 * that they are; with a machine's address, by a link that does not lead to that machine, unless the plan has no such guard, or they are for
 * this machine itself and come by the link that has its address; and with this machine's own, which it forwards, or which an address translation
 * gave them. Tunnel packets of others, to and from other addresses, are none of its business.
 */
export function tunnelGuard({ attach, self, peers, guard, uplink }: MeshPlan, tunnel: Tunnel): TunnelGuard {
  const word = WORD[familyOf(self.address)]
  const others = peers.map(({ host }) => host.address)
  const all = [self.address, ...others]
  const packet = packetOf(tunnel)
  const contained = `iifname "${attach}" ${word} daddr ${set(all)} ${packet} counter drop`
  if (others.length === 0) return { forward: [contained], input: [contained], leaving: [] }
  const elsewhere = (to: readonly string[]): string =>
    `${word} saddr ${set(others)} ${word} daddr ${set(to)} ${packet} fib saddr . iif oif missing counter drop`
  // The kernel itself refuses to forward in its own name over IPv4 alone.
  const inOwnName = `${word} saddr ${self.address} ${word} daddr ${set(others)} ${packet} counter drop`
  return {
    forward: [contained, inOwnName, ...(guard ? [elsewhere(others)] : [])],
    // Ways there and back may differ: what is for an address comes by the link that has it, whatever the way back is.
    input: [contained, ...(guard ? [`iifname != "${uplink}" ${elsewhere([self.address])}`] : [])],
    leaving: [
      `${word} saddr ${self.address} ${word} daddr ${set(others)} ${packet} ct original ${word} saddr != ${self.address} counter drop`,
    ],
  }
}

function packetOf({ type, port }: Tunnel): string {
  return type === 'gre' ? 'meta l4proto gre' : `udp dport ${port ?? PORTS[type]}`
}

function set(addresses: readonly string[]): string {
  return `{ ${addresses.join(', ')} }`
}
