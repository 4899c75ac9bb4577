/**
 * The parts that Spiderpool's objects have in common. A reader gives what it understands and notes what it does not.
 * @module
 */
import { type Cidr, hostCidr, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import { shown } from '../../network/model/decode.ts'
import { type IpRange, parseIpRange } from '../../network/model/ip-range.ts'
import { at } from '../fields.ts'
import { cut, type Notes } from '../policy/notes.ts'

/** The longest text that can be an address, a network or a range. */
const LONGEST = 100
/** The most problems that one sentence tells. */
const MOST_TOLD = 3

/** A list that may be absent, each item read; what is not understood is left out and noted. */
export function eachIn<T>(
  input: unknown,
  most: number,
  notes: Notes,
  read: (item: unknown, notes: Notes) => T | undefined,
): readonly T[] {
  if (input === undefined) return []
  if (!Array.isArray(input)) return notes.problem(`${shown(input)} is not a list`) ?? []
  if (input.length > most) notes.problem(`${input.length} items are more than the ${most} that can be`)
  return input.slice(0, most).flatMap((item, index) => read(item ?? undefined, notes.at(index)) ?? [])
}

/** `a` or `a-b`. */
export function rangeIn(input: unknown, notes: Notes): IpRange | undefined {
  const range = isShort(input) ? parseIpRange(input) : undefined
  return range ?? notes.problem(`${shown(input)} is neither an address nor a range such as 192.0.2.10-192.0.2.20`)
}

/** A network without host bits. */
export function networkIn(input: unknown, notes: Notes): Cidr | undefined {
  const network = isShort(input) ? parseCidr(input) : undefined
  return network ?? notes.problem(`${shown(input)} is no network such as 192.0.2.0/24, every bit after the prefix zero`)
}

/** A network, or an address for a network of it alone. */
export function networkOrAddressIn(input: unknown, notes: Notes): Cidr | undefined {
  const address = isShort(input) ? parseIp(input) : undefined
  return address === undefined ? networkIn(input, notes) : hostCidr(address)
}

/** An address. */
export function addressIn(input: unknown, notes: Notes): Ip | undefined {
  const address = isShort(input) ? parseIp(input) : undefined
  return address ?? notes.problem(`${shown(input)} is no IP address`)
}

/** `{dst, gw}`. */
export function routeIn(
  input: unknown,
  notes: Notes,
): { readonly destination: Cidr; readonly gateway: Ip } | undefined {
  const destination = networkIn(at(input, 'dst'), notes.at('dst'))
  const gateway = addressIn(at(input, 'gw'), notes.at('gw'))
  return destination === undefined || gateway === undefined ? undefined : { destination, gateway }
}

/** A text that is not empty and of no more than `most` characters. */
export function nameIn(most: number): (input: unknown, notes: Notes) => string | undefined {
  return (input, notes) =>
    typeof input === 'string' && input !== '' && input.length <= most
      ? input
      : notes.problem(`${shown(input)} is no text of 1 to ${most} characters`)
}

/** `true` or `false`; absent: `otherwise`. */
export function flagIn(input: unknown, otherwise: boolean, notes: Notes): boolean {
  if (input === undefined || typeof input === 'boolean') return input ?? otherwise
  return notes.problem(`${shown(input)} is neither true nor false`) ?? otherwise
}

/** What was noted, as one sentence; undefined for nothing. */
export function problemOf({ problems }: Notes, most: number): string | undefined {
  if (problems.length === 0) return undefined
  const told = problems.slice(0, MOST_TOLD).map(({ field, reason }) => `${field}: ${reason}`)
  const rest = problems.length - told.length
  return cut(`${told.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`).slice(0, most)
}

function isShort(input: unknown): input is string {
  return typeof input === 'string' && input.length <= LONGEST
}
