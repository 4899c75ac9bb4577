/**
 * Which connections a change of policies allows and denies, exactly: between classes of pods, nodes and addresses that no
 * policy tells apart, for all ports. What is decided is asked of the oracle; here is only who has to be asked about.
 * @module
 */
import type { Family } from '../../network/model/address.ts'
import type { Direction } from '../../network/model/policy.ts'
import { Members } from './members.ts'
import {
  type NodeClass,
  type OutsideClass,
  type Parties,
  type PartyClass,
  type PodClass,
  type Point,
  partiesOf,
  partyIn,
} from './parties.ts'
import { type Ends, type Outcome, type Subject, Subjects } from './subjects.ts'
import { type Change, Turns, UNJUDGED } from './turns.ts'
import { closedWorld, type PreviewWorld } from './world.ts'

/** Addresses outside that are treated alike. Equal ones are the same object. */
export interface OutsideGroup {
  readonly type: 'addresses'
  readonly id: number
  readonly members: readonly OutsideClass[]
}

/** One side of a difference. */
export type Side = PodClass | NodeClass | OutsideGroup

/** A change for all connections between two sides: of their members, each with each, but for those that are exempt. */
export interface Difference {
  readonly source: Side
  readonly destination: Side
  readonly change: Change
  /** As many pairs it is. Addresses outside that are treated alike count as one. */
  readonly pairs: number
  /** Between these of their points only. Absent: between all of a family. */
  readonly points?: readonly (readonly [Point, Point])[]
}

/** What was compared. */
export interface Comparison {
  /** Pairs of a pod and another pod, a node, or addresses outside that are treated alike. */
  readonly pairs: number
  readonly parties: Parties
  /** What each policy selects. */
  readonly members: Members
  readonly subjects: Subjects
}

/** Tells every difference that the change of policies makes. Those that are told one after another have one source. */
export function compare(written: PreviewWorld, tell: (difference: Difference) => void): Comparison {
  const world = closedWorld(written)
  const parties = partiesOf(world)
  const members = new Members(world, parties)
  const subjects = new Subjects(world, parties, members)
  const pairs = new Comparer(world, parties, subjects, tell).run()
  return { pairs, parties, members, subjects }
}

class Comparer {
  readonly #world: PreviewWorld
  readonly #parties: Parties
  readonly #subjects: Subjects
  readonly #tell: (difference: Difference) => void
  readonly #turns = new Turns()
  readonly #subjectOf: { readonly [D in Direction]: Map<number, Subject> } = { ingress: new Map(), egress: new Map() }
  readonly #outside = new Map<Subject, Map<string, ReadonlyMap<Change, OutsideGroup>>>()
  readonly #groups = new Map<string, OutsideGroup>()
  #pairs = 0

  constructor(world: PreviewWorld, parties: Parties, subjects: Subjects, tell: (difference: Difference) => void) {
    this.#world = world
    this.#parties = parties
    this.#subjects = subjects
    this.#tell = tell
    for (const one of parties.pods) {
      this.#subjectOf.ingress.set(one.index, subjects.of(one, 'ingress'))
      this.#subjectOf.egress.set(one.index, subjects.of(one, 'egress'))
    }
  }

  run(): number {
    const { pods, nodes } = this.#parties
    const receivers = pods.filter((one) => this.#isTouched(one, 'ingress'))
    for (const source of pods) {
      const isTouched = this.#isTouched(source, 'egress')
      for (const destination of isTouched ? pods : receivers) this.#pair(source, destination)
      if (!isTouched) continue
      for (const node of nodes) this.#pair(source, node)
      this.#compareOutside(source, 'egress')
    }
    for (const destination of receivers) {
      for (const node of nodes) this.#pair(node, destination)
      this.#compareOutside(destination, 'ingress')
    }
    return this.#pairs
  }

  #isTouched({ index }: PodClass, direction: Direction): boolean {
    return this.#subjectOf[direction].get(index)?.isTouched ?? false
  }

  #pair(source: PodClass | NodeClass, destination: PodClass | NodeClass): void {
    const meeting = meetingOf(source, destination)
    if (meeting === undefined || !this.#mayTalk(source, destination)) return
    const found = this.#changesBetween(source, destination, meeting)
    if (found.every(([, , changes]) => changes.length === 0)) return
    this.#pairs += meeting.count
    this.#tellPair({ source, destination, pairs: meeting.count }, found)
  }

  #changesBetween(source: PodClass | NodeClass, destination: PodClass | NodeClass, meeting: Meeting): Found {
    const found: (readonly [Point, Point, readonly Change[]])[] = []
    for (const [i, from] of source.points.entries()) {
      for (const [j, to] of destination.points.entries()) {
        if (from.family !== to.family) continue
        const ends = (): Ends => ({
          source: partyIn(source, meeting.source, i),
          destination: partyIn(destination, meeting.destination, j),
        })
        const egress = this.#outcome(source, 'egress', to, ends)
        const ingress = this.#outcome(destination, 'ingress', from, ends)
        found.push([from, to, this.#turns.of(egress, ingress)])
      }
    }
    return found
  }

  #tellPair(ends: Omit<Difference, 'change' | 'points'>, found: Found): void {
    const [first] = found
    if (found.every(([, , changes]) => changes === first?.[2])) {
      for (const change of first?.[2] ?? []) this.#tell({ ...ends, change })
      return
    }
    for (const change of new Set(found.flatMap(([, , changes]) => changes))) {
      const points = found.flatMap(([from, to, changes]) => (changes.includes(change) ? [[from, to] as const] : []))
      this.#tell({ ...ends, change, ...(points.length === found.length ? {} : { points }) })
    }
  }

  #outcome(one: PartyClass, direction: Direction, other: Point, ends: () => Ends): Outcome {
    const subject = one.type === 'pods' ? this.#subjectOf[direction].get(one.index) : undefined
    return subject === undefined ? UNJUDGED : this.#subjects.outcome(subject, other, ends)
  }

  #mayTalk(a: PodClass | NodeClass, b: PodClass | NodeClass): boolean {
    if (a.type !== 'pods' || b.type !== 'pods') return true
    return this.#world.mayTalk?.(a.namespace, b.namespace) ?? true
  }

  /** Of addresses outside only the pod's own policies speak: those of one subject treat them alike. */
  #compareOutside(one: PodClass, direction: Direction): void {
    const subject = this.#subjectOf[direction].get(one.index)
    if (subject === undefined) return
    const groups = this.#outsideOf(subject, one)
    const changes = new Map<OutsideGroup, Change[]>()
    for (const [change, group] of groups) {
      changes.set(group, [...(changes.get(group) ?? []), change])
      const ends = direction === 'egress' ? { source: one, destination: group } : { source: group, destination: one }
      this.#tell({ ...ends, change, pairs: one.pods.length })
    }
    this.#pairs += changes.size * one.pods.length
  }

  #outsideOf(subject: Subject, one: PodClass): ReadonlyMap<Change, OutsideGroup> {
    const families = [...new Set(one.points.map(({ family }) => family))]
    const known = this.#outside.get(subject) ?? new Map<string, ReadonlyMap<Change, OutsideGroup>>()
    this.#outside.set(subject, known)
    const groups = known.get(families.join()) ?? this.#groupOutside(subject, one, families)
    known.set(families.join(), groups)
    return groups
  }

  #groupOutside(subject: Subject, one: PodClass, families: readonly Family[]): ReadonlyMap<Change, OutsideGroup> {
    const { direction } = subject
    const found = new Map<Change, OutsideClass[]>()
    for (const other of this.#parties.outside) {
      const [point] = other.points
      const place = one.points.findIndex(({ family }) => family === point?.family)
      if (point === undefined || !families.includes(point.family)) continue
      const ends = (): Ends => {
        const [pod, far] = [partyIn(one, 0, place), partyIn(other, 0, 0)]
        return direction === 'egress' ? { source: pod, destination: far } : { source: far, destination: pod }
      }
      const outcome = this.#subjects.outcome(subject, point, ends)
      const changes = direction === 'egress' ? this.#turns.of(outcome, UNJUDGED) : this.#turns.of(UNJUDGED, outcome)
      for (const change of changes) {
        const members = found.get(change)
        if (members === undefined) found.set(change, [other])
        else members.push(other)
      }
    }
    return new Map([...found].map(([change, members]) => [change, this.#groupOf(members)]))
  }

  #groupOf(members: readonly OutsideClass[]): OutsideGroup {
    const key = members.map(({ index }) => index).join()
    const group = this.#groups.get(key) ?? { type: 'addresses', id: this.#groups.size, members }
    this.#groups.set(key, group)
    return group
  }
}

/** What changes between each two points of one family. */
type Found = readonly (readonly [Point, Point, readonly Change[]])[]

interface Meeting {
  readonly source: number
  readonly destination: number
  readonly count: number
}

/** Two members that policies are asked about, and how many such pairs there are; undefined when there is none. */
function meetingOf(source: PodClass | NodeClass, destination: PodClass | NodeClass): Meeting | undefined {
  if (source.type === 'pods' && destination.type === 'pods') return meetingOfPods(source, destination)
  if (source.type !== 'nodes' || destination.type !== 'pods') {
    return { source: 0, destination: 0, count: sizeOf(source) * sizeOf(destination) }
  }
  // A node reaches its own pods whatever policies say.
  const { nodes } = source
  const { pods } = destination
  const known = new Set(nodes)
  const exempt = pods.filter(({ node }) => known.has(node)).length
  const count = nodes.length * pods.length - exempt
  if (count === 0) return undefined
  const node = nodes.findIndex((name) => pods.some((pod) => pod.node !== name))
  return { source: node, destination: pods.findIndex((pod) => pod.node !== nodes[node]), count }
}

function meetingOfPods(source: PodClass, destination: PodClass): Meeting | undefined {
  if (source !== destination) return { source: 0, destination: 0, count: source.pods.length * destination.pods.length }
  const count = source.pods.length
  return count < 2 ? undefined : { source: 0, destination: 1, count: count * (count - 1) }
}

function sizeOf(one: PodClass | NodeClass): number {
  return one.type === 'pods' ? one.pods.length : one.nodes.length
}
