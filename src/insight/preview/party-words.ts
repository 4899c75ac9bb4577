/**
 * Who is meant, in words: as few as say it.
 * @module
 */
import type { Pod } from '../../network/model/pod.ts'
import { outsideText } from './address-words.ts'
import type { Side } from './compare.ts'
import type { Parties } from './parties.ts'

const MOST_TERMS = 4
/** Of more pods it is not looked for a short way to say who is left out. */
const MOST_LEFT_OUT = 200

/** What is known of everybody, to say who is left out. */
export interface Population {
  readonly parties: Parties
  /** All pods by namespace. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>
  /** How many there are. */
  readonly count: number
  readonly nodes: number
  /** What was said before: the same sides come again and again. */
  readonly words: Map<string, string>
}

/** Everybody, for {@link sidesText}. */
export function populationOf(parties: Parties): Population {
  return {
    parties,
    pods: byNamespace(parties.pods.flatMap(({ pods }) => pods)),
    count: parties.pods.reduce((sum, { pods }) => sum + pods.length, 0),
    words: new Map(),
    nodes: parties.nodes.reduce((sum, { nodes }) => sum + nodes.length, 0),
  }
}

/** `shop/web-* (2 pods), bank/vault`, `every pod (120)`, `node node1`, `addresses outside but 10.0.0.0/8`. */
export function sidesText(sides: readonly Side[], population: Population): string {
  const key = sides.map((side) => (side.type === 'addresses' ? `-${side.id}` : side.index)).join()
  const text = population.words.get(key) ?? textOf(sides, population)
  population.words.set(key, text)
  return text
}

function textOf(sides: readonly Side[], population: Population): string {
  const pods = sides.flatMap((side) => (side.type === 'pods' ? side.pods : []))
  const nodes = sides.flatMap((side) => (side.type === 'nodes' ? side.nodes : []))
  const far = sides.flatMap((side) => (side.type === 'addresses' ? side.members : []))
  return [
    ...(pods.length === 0 ? [] : [podsText(pods, population)]),
    ...(nodes.length === 0 ? [] : [nodesText(nodes, population)]),
    ...(far.length === 0 ? [] : [outsideText([...new Set(far)], population.parties)]),
  ].join(', ')
}

function nodesText(nodes: readonly string[], population: Population): string {
  if (nodes.length === population.nodes && nodes.length > 1) return `every node (${nodes.length})`
  const more = nodes.length - MOST_TERMS
  const names = [...nodes].sort().slice(0, MOST_TERMS).join(', ')
  return `${nodes.length === 1 ? 'node' : 'nodes'} ${names}${more > 0 ? ` and ${more} more` : ''}`
}

function podsText(pods: readonly Pod[], { pods: all, count }: Population): string {
  const own = byNamespace(pods)
  const others = count - pods.length
  if (others === 0 && pods.length > 1 && all.size > 1) return `every pod (${pods.length})`
  if (own.size > MOST_TERMS && others <= MOST_LEFT_OUT) {
    const leftOut = termsOf(byNamespace(missingIn(own, all)), all)
    if (leftOut.length <= 2) return `every pod but ${listed(leftOut)} (${pods.length} pods)`
  }
  const terms = termsOf(own, all)
  const rest = terms.slice(MOST_TERMS).reduce((sum, term) => sum + term.count, 0)
  return `${listed(terms.slice(0, MOST_TERMS))}${rest === 0 ? '' : `, and ${podCount(rest)} more`}`
}

function missingIn(own: ReadonlyMap<string, readonly Pod[]>, all: ReadonlyMap<string, readonly Pod[]>): readonly Pod[] {
  return [...all].flatMap(([namespace, everybody]) => {
    const there = own.get(namespace) ?? []
    if (there.length === everybody.length) return []
    const known = new Set(there)
    return everybody.filter((pod) => !known.has(pod))
  })
}

function listed(terms: readonly Term[]): string {
  return terms.map(({ text }) => text).join(', ')
}

interface Term {
  readonly text: string
  readonly count: number
}

function termsOf(own: ReadonlyMap<string, readonly Pod[]>, all: ReadonlyMap<string, readonly Pod[]>): readonly Term[] {
  const namespaces = [...own].sort(([a], [b]) => (a < b ? -1 : 1))
  return namespaces.flatMap(([namespace, pods]) => {
    const isWhole = pods.length === all.get(namespace)?.length && pods.length > 1
    const stems = isWhole ? new Map([['', pods]]) : byStem(pods)
    return [...stems].map(([stem, some]) => termOf(namespace, stem, some))
  })
}

function termOf(namespace: string, stem: string, pods: readonly Pod[]): Term {
  const [first] = pods
  if (pods.length === 1) return { text: `${namespace}/${first?.name}`, count: 1 }
  return { text: `${namespace}/${stem}* (${podCount(pods.length)})`, count: pods.length }
}

/** Pods whose names were made from one: `web-7d4b9c6f5-x2x9k`, `db-0`. */
function byStem(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const stems = Map.groupBy(pods, ({ name }) => stemOf(name))
  return new Map([...stems].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function stemOf(name: string): string {
  const made = /^(?<stem>.+?)(-[a-z0-9]{6,10})?-[a-z0-9]{5}$/.exec(name) ?? /^(?<stem>.+)-\d+$/.exec(name)
  return made?.groups?.['stem'] === undefined ? name : `${made.groups['stem']}-`
}

function byNamespace(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  return Map.groupBy(pods, ({ namespace }) => namespace)
}

function podCount(count: number): string {
  return `${count} ${count === 1 ? 'pod' : 'pods'}`
}
