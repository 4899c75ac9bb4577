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

/**
 * What has to be written for so many more addresses of a subnet, and without some; undefined where nothing has. The port's
 * first address is the machine's own and stays first, whatever is asked.
 */
export function addressChange(
  port: Port,
  { add, remove }: ListChange<{ readonly subnetId: string; readonly address?: string }>,
): PortChange | undefined {
  const [own, ...others] = port.fixedIps
  const gone = new Set(remove)
  const kept = others.filter(({ address }) => !gone.has(address))
  const has = (address: string | undefined): boolean =>
    address !== undefined && port.fixedIps.some((one) => one.address === address)
  const missing = add.filter(({ address }) => !has(address))
  if (missing.length === 0 && kept.length === others.length) return undefined
  const asked = (own === undefined ? kept : [own, ...kept]).map(({ subnetId, address }) => ({ subnetId, address }))
  return { fixedIps: [...asked, ...missing] }
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
