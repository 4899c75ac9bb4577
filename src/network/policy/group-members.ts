/**
 * Who is in a group of addresses.
 * @module
 */
import { type Cidr, familyOf, hostCidr, type Ip } from '../model/address.ts'
import type { NamedPort } from '../model/pod.ts'
import type { AddressRange, Direction, Peer } from '../model/policy.ts'
import type { ChosenNets } from './chosen-nets.ts'
import type { Inventory, Member } from './inventory.ts'
import type { MachineAddresses } from './machines.ts'
import { inRange } from './ranges.ts'
import { matchesPodSet } from './selector.ts'

/** What a group holds. With `named`, only pods that have this port. */
export interface GroupSpec {
  /** `anybody` makes sense with `named` alone: every pod that has it. */
  readonly peer: Peer | 'anybody'
  readonly direction: Direction
  readonly named?: NamedPort
}

/** What somebody's addresses are held against. */
interface Holding {
  readonly spec: GroupSpec
  readonly chosen?: ChosenNets
}

/** The addresses of a pod that a group has. */
export function addressesIn(group: Holding, member: Member, inventory: Inventory): readonly Cidr[] {
  const { peer, named } = group.spec
  if (named !== undefined && !member.namedPorts.some((port) => isSame(port, named))) return []
  if (peer === 'anybody') return member.addresses.map(hostCidr)
  switch (peer.type) {
    case 'pods':
      if (!matchesPodSet(peer, member, inventory.labelsOf(member.namespace))) return []
      return member.addresses.filter((address) => isWithin(peer.within, address)).map(hostCidr)
    case 'sets':
    case 'range':
      return member.addresses.filter((address) => isNamed(group, address)).map(hostCidr)
    case 'name':
      return []
  }
}

/** Packets of a machine come from its gateway addresses, whatever address of that family a rule names. */
export function gatewaysIn(group: Holding, { addresses, gateways }: MachineAddresses): readonly Cidr[] {
  const families = new Set(addresses.filter((address) => isNamed(group, address)).map(familyOf))
  return gateways.filter((gateway) => families.has(familyOf(gateway))).map(hostCidr)
}

/** Whether a rule names an address by a range or by network sets. */
function isNamed({ spec: { peer }, chosen }: Holding, address: Ip): boolean {
  if (peer === 'anybody') return false
  if (peer.type === 'range') return inRange(peer.range, peer.except, address)
  return peer.type === 'sets' && chosen?.hold(address) === true && isWithin(peer.within, address)
}

function isWithin(within: readonly AddressRange[] | undefined, address: Ip): boolean {
  return within === undefined || within.some(({ range, except }) => inRange(range, except, address))
}

function isSame(a: NamedPort, b: NamedPort): boolean {
  return a.name === b.name && a.protocol === b.protocol && a.port === b.port
}
