/**
 * Addresses outside in words.
 * @module
 */
import { BITS, type Cidr, type Family, formatIp, type Ip, ipValue } from '../../network/model/address.ts'
import type { OutsideClass, Parties } from './parties.ts'

const MOST_RANGES = 4

/** `203.0.113.0/24, 198.51.100.7`, `addresses outside`, `addresses outside but 10.0.0.0/8`, `www.example.org`. */
export function outsideText(members: readonly OutsideClass[], parties: Parties): string {
  const names = new Set(members.flatMap(({ name }) => name ?? []))
  const cells = cellsOf(members, parties)
  const all = cellsOf(parties.outside, parties)
  if (cells.size === 0) return some([...names])
  const families = new Set([...cells].map((cell) => parties.cells.familyOf(cell)))
  const others = [...all].filter((cell) => !cells.has(cell) && families.has(parties.cells.familyOf(cell)))
  const everything = `${familyWord(families, parties)}addresses outside`
  if (others.length === 0) return everything
  const missing = rangesOf(new Set(others), all, parties)
  const named = rangesOf(cells, all, parties)
  return missing.length < named.length ? `${everything} but ${some(missing)}` : some([...names, ...named])
}

/** Said only where there are pods of the other family, too. */
function familyWord(families: ReadonlySet<Family>, { pods }: Parties): string {
  const [family] = families
  const isOnly = families.size === 1 && pods.some(({ points }) => points.some((point) => point.family !== family))
  return isOnly ? `IPv${family} ` : ''
}

function some(words: readonly string[]): string {
  const more = words.length - MOST_RANGES
  return more > 1 ? `${words.slice(0, MOST_RANGES).join(', ')} and ${more} more` : words.join(', ')
}

function cellsOf(members: readonly OutsideClass[], { cells }: Parties): ReadonlySet<number> {
  return new Set(members.flatMap(({ name, address }) => (name === undefined ? [cells.indexOf(address)] : [])))
}

/** The fewest ranges that hold these cells and none of the other ones outside. What is nobody's outside may be in them. */
export function rangesOf(wanted: ReadonlySet<number>, all: ReadonlySet<number>, { cells }: Parties): readonly string[] {
  const found: string[] = []
  let run: { readonly from: number; to: number } | undefined
  for (let cell = 0; cell <= cells.count; cell += 1) {
    const isBorder = cell === cells.count || (run !== undefined && cells.familyOf(cell) !== cells.familyOf(run.from))
    if (run !== undefined && (isBorder || (all.has(cell) && !wanted.has(cell)))) {
      found.push(...rangesBetween(cells.first(run.from), cells.last(run.to)))
      run = undefined
    }
    if (cell < cells.count && wanted.has(cell)) run = { from: run?.from ?? cell, to: cell }
  }
  return found
}

/** The fewest ranges from one address to another. */
function rangesBetween(first: Ip, last: Ip): readonly string[] {
  const family = first.includes(':') ? 6 : 4
  const end = ipValue(last)
  const found: string[] = []
  let start = ipValue(first)
  while (start <= end) {
    let host = 0
    while (host < BITS[family] && isAligned(start, host + 1) && start + (1n << BigInt(host + 1)) - 1n <= end) host += 1
    const text = formatIp(family, start)
    found.push(host === 0 ? text : (`${text}/${BITS[family] - host}` as Cidr))
    start += 1n << BigInt(host)
  }
  return found
}

function isAligned(value: bigint, bits: number): boolean {
  return value % (1n << BigInt(bits)) === 0n
}
