/**
 * The lists of a machine's port that pods' addresses are put into. Neutron replaces them as a whole: what others put there
 * has to be sent back as it is. Pure.
 * @module
 */
import type { AddressPair, FixedIp, Port, PortChange } from './model.ts'

/** Addresses that are to be in a list and are not to be in it. */
export interface ListChange<T> {
  readonly add: readonly T[]
  /** Addresses. */
  readonly remove: readonly string[]
}

/** What has to be written for a change of address pairs; undefined where nothing has. */
export function pairChange(port: Port, { add, remove }: ListChange<AddressPair>): PortChange | undefined {
  const gone = new Set(remove)
  const kept = port.addressPairs.filter(({ address }) => !gone.has(address))
  const missing = add.filter((pair) => !kept.some((one) => isSamePair(one, pair, port.mac)))
  if (missing.length === 0 && kept.length === port.addressPairs.length) return undefined
  return { addressPairs: [...kept, ...missing] }
}

/** Addresses of a port that are to come and to go. */
export interface AddressListChange extends ListChange<{ readonly subnetId: string; readonly address?: string }> {
  /** The machine's own. They stay, whatever is asked; which they are has to be known: Neutron keeps no order. */
  readonly own: readonly string[]
}

/** What has to be written for so many more addresses of a subnet, and without some; undefined where nothing has. */
export function addressChange(port: Port, { add, remove, own }: AddressListChange): PortChange | undefined {
  const gone = new Set(remove.filter((address) => !own.includes(address)))
  const kept = port.fixedIps.filter(({ address }) => !gone.has(address))
  const missing = add.filter(({ address }) => !port.fixedIps.some((one) => one.address === address))
  if (missing.length === 0 && kept.length === port.fixedIps.length) return undefined
  return { fixedIps: [...kept, ...missing] }
}

/** What a port has that it had not before. */
export function newAddresses(before: Port, after: Port): readonly FixedIp[] {
  const had = new Set(before.fixedIps.map(({ address }) => address))
  return after.fixedIps.filter(({ address }) => !had.has(address))
}

/** Neutron fills in the port's own MAC where none is given. */
function isSamePair(one: AddressPair, other: AddressPair, mac: string): boolean {
  return one.address === other.address && (one.mac ?? mac) === (other.mac ?? mac).toLowerCase()
}
