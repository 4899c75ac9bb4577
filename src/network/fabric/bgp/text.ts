/**
 * What may stand in BIRD's configuration. Its strings know no escapes and its symbols are letters, digits and `_`: what
 * somebody wrote becomes one of these, or is left out.
 * @module
 */
import { type Cidr, parseCidr, parseIp } from '../../model/address.ts'
import type { Community } from './model.ts'

/** The longest password that the kernel's TCP MD5 takes, in bytes. */
const LONGEST_PASSWORD = 80
/** An interface's name has at most 15 characters. */
const PATTERN = /^[A-Za-z0-9_.:@*?-]{1,15}$/
const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/
/** BIRD's symbols have at most 64 characters. */
const LONGEST_NAME = 24

/** A string, or undefined for a text that BIRD cannot have as one. */
export function quoted(text: string): string | undefined {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('"') ? `"${text}"` : undefined
}

/** A pattern of interface names as a string; undefined for what can be none. */
export function interfacePattern(text: string): string | undefined {
  return PATTERN.test(text) ? `"${text}"` : undefined
}

/** A line that says which node it is about; nothing for a name that no node can have. */
export function description(name: string | undefined): readonly string[] {
  return name !== undefined && NODE_NAME.test(name) ? [`description "${name}";`] : []
}

/** Why a password cannot be used, for people; undefined for one that can. Nothing of it is told. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'it is empty'
  if (password.length > LONGEST_PASSWORD) return `it is longer than the ${LONGEST_PASSWORD} characters of TCP MD5`
  if (quoted(password) !== undefined) return undefined
  return 'it has a quotation mark, a line break or a character beyond ASCII, which BIRD cannot read'
}

/** A symbol for each of some names, the same for the same names: readable, and never one symbol for two. */
export function symbolsFor(prefix: string, names: readonly string[]): ReadonlyMap<string, string> {
  const symbols = new Map<string, string>()
  const taken = new Set<string>()
  for (const name of [...new Set(names)].toSorted()) {
    const start = `${prefix}_${name.replaceAll(/[^A-Za-z0-9]/g, '_').slice(0, LONGEST_NAME)}_${hash64(name)}`
    let symbol = start
    for (let i = 2; taken.has(symbol); i += 1) symbol = `${start}_${i}`
    taken.add(symbol)
    symbols.set(name, symbol)
  }
  return symbols
}

/** A whole number within bounds. */
export function whole(value: number, least: number, most: number): string {
  if (Number.isInteger(value) && value >= least && value <= most) return String(value)
  throw new TypeError(`${value} is no whole number of ${least} to ${most}`)
}

/** An AS number, which is never 0. */
export function asNumber(value: number): string {
  return whole(value, 1, 0xffff_ffff)
}

/** An address. */
export function addressText(address: string): string {
  return parseIp(address) ?? refuse(address, 'an address')
}

/** A network. */
export function networkText(network: string): Cidr {
  return parseCidr(network) ?? refuse(network, 'a network')
}

/** A community as a pair or a triple, and the attribute that it is of. */
export function communityText(community: Community): { readonly value: string; readonly attribute: string } {
  const isLarge = community.length === 3
  const parts = community.map((part) => whole(part, 0, isLarge ? 0xffff_ffff : 0xffff))
  return { value: `(${parts.join(', ')})`, attribute: isLarge ? 'bgp_large_community' : 'bgp_community' }
}

/** Whether a route is of a set, as an expression: BIRD has no empty sets. Longer prefixes are theirs too. */
export function isWithin(networks: readonly Cidr[]): string {
  return isOneOf(networks.map((network) => `${networkText(network)}+`))
}

/** The same for items that say which prefixes they mean. */
export function isOneOf(items: readonly string[]): string {
  return items.length === 0 ? 'false' : `net ~ [ ${[...new Set(items)].toSorted().join(', ')} ]`
}

/** Lines, indented by two blanks. */
export function indented(lines: readonly string[]): string {
  return lines.map((line) => `${line.replaceAll(/^(?=.)/gm, '  ')}\n`).join('')
}

function refuse(text: string, what: string): never {
  throw new TypeError(`${JSON.stringify(text.slice(0, 80))} is not ${what}`)
}

function hash64(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (let i = 0; i < text.length; i += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n)
  }
  return hash.toString(16).padStart(16, '0')
}
