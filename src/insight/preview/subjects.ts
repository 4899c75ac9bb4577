/**
 * The policies that pods are subject to, before and after, and what they say of everybody else. Pods of the same
 * policies are asked about once, and so are peers that these policies cannot tell apart.
 * @module
 */
import type { Namespace } from '../../network/model/pod.ts'
import type { Direction, Policy } from '../../network/model/policy.ts'
import { judge } from '../../network/policy/oracle.ts'
import type { Decision, Party, PolicyWorld } from '../../network/policy/verdict.ts'
import type { Members } from './members.ts'
import { type Parties, type PodClass, type Point, portKey } from './parties.ts'
import { bordersOf, type Step, stepsOf, type Transport } from './steps.ts'
import type { PreviewWorld } from './world.ts'

/** What is said of connections between a pod and some others, by port. Equal ones are the same object. */
export interface Outcome {
  /** From 1. */
  readonly id: number
  /** The same for those that allow and deny the same, whoever decides it. From 1. */
  readonly shape: number
  readonly steps: readonly Step[]
  /** Whether any of it changes. */
  readonly differs: boolean
}

/** The policies of some pods in one direction. */
export interface Subject {
  readonly direction: Direction
  readonly before: readonly Policy[]
  readonly after: readonly Policy[]
  /** Whether these are others than before. */
  readonly isTouched: boolean
  /** The number of everybody, by point, whom these policies cannot tell apart. */
  readonly groups: () => Int32Array
  readonly outcomes: Map<number, Outcome>
}

/** All subjects of a world. */
export class Subjects {
  readonly #world: PreviewWorld
  readonly #parties: Parties
  readonly #members: Members
  readonly #namespaces: ReadonlyMap<string, Namespace>
  readonly #policiesOf: { readonly [D in Direction]: ReadonlyMap<number, Pick<Subject, 'before' | 'after'>> }
  readonly #subjects = new Map<string, Subject>()
  readonly #outcomes = new Map<string, Outcome>()
  readonly #shapes = new Map<string, number>()
  readonly #decisions = new Map<string, Decision>()
  readonly #numbers = new Map<Decision | Policy, number>()

  constructor(world: PreviewWorld, parties: Parties, members: Members) {
    this.#world = world
    this.#parties = parties
    this.#members = members
    this.#namespaces = new Map(world.namespaces.map((namespace) => [namespace.name, namespace]))
    this.#policiesOf = {
      ingress: policiesByClass(world, members, 'ingress'),
      egress: policiesByClass(world, members, 'egress'),
    }
  }

  /** What pods of a class are subject to. */
  of(one: PodClass, direction: Direction): Subject {
    const { before, after } = this.#policiesOf[direction].get(one.index) ?? NONE
    // Names of ports are the destination's: of connections that come, these pods' own.
    const named = direction === 'ingress' ? namedIn(one, portNamesIn([...before, ...after], direction)) : []
    const numbersOf = (policies: readonly Policy[]) => policies.map((policy) => this.#numberOf(policy))
    // Rules that ask for the pod's own address tell apart who has the same policies.
    const asksOwn = [...before, ...after].some((policy) => policy[direction]?.some(({ own }) => own !== undefined))
    const itself = asksOwn ? one.index : undefined
    const key = JSON.stringify([direction, numbersOf(before), numbersOf(after), named, itself])
    const known = this.#subjects.get(key)
    if (known !== undefined) return known
    let groups: Int32Array | undefined
    const subject: Subject = {
      direction,
      before,
      after,
      isTouched: before.length !== after.length || before.some((policy, i) => policy !== after[i]),
      groups: () => {
        groups ??= this.#groupsOf({ direction, before, after })
        return groups
      },
      outcomes: new Map(),
    }
    this.#subjects.set(key, subject)
    return subject
  }

  /**
   * What a subject's policies say of connections with whoever has a point. `ask` gives one such connection's ends that
   * are not exempt from policies: neither the same pod, nor a pod and its own node.
   */
  outcome(subject: Subject, { index }: Point, ask: () => Ends): Outcome {
    const group = subject.groups()[index] ?? 0
    const known = subject.outcomes.get(group)
    if (known !== undefined) return known
    const outcome = this.#judge(subject, ask())
    subject.outcomes.set(group, outcome)
    return outcome
  }

  #judge({ direction, before, after, isTouched }: Subject, ends: Ends): Outcome {
    const { nodes, podNetworks, sets = [] } = this.#world
    const both = [ends.source, ends.destination]
    const namespaces = both.flatMap((one) =>
      one.type === 'pod' ? (this.#namespaces.get(one.pod.namespace) ?? []) : [],
    )
    // Of a network set its namespace's labels count, wherever the ends are.
    const spaces = sets.length === 0 ? namespaces : this.#world.namespaces
    const near = nodes.filter(({ node }) => both.some((one) => one.type === 'node' && one.node === node))
    const world = { namespaces: spaces, pods: [], nodes: near, podNetworks, names: this.#parties.names, sets }
    const decide = (policies: readonly Policy[], protocol: Transport, port: number): Decision =>
      this.#same(judge({ ...world, policies } satisfies PolicyWorld, { ...ends, protocol, port })[direction])
    const { destination } = ends
    const named = destination.type === 'pod' ? (destination.pod.namedPorts ?? []) : []
    const steps = stepsOf(bordersOf(new Set([...before, ...after]), direction, named), (protocol, port) => {
      const now = decide(before, protocol, port)
      return { before: now, after: isTouched ? decide(after, protocol, port) : now }
    })
    const key = steps
      .map((one) => [one.protocol, one.from, this.#numberOf(one.before), this.#numberOf(one.after)])
      .join(' ')
    const known = this.#outcomes.get(key)
    if (known !== undefined) return known
    const differs = steps.some((one) => one.before.allowed !== one.after.allowed)
    const outcome = { id: this.#outcomes.size + 1, shape: this.#shapeOf(steps), steps, differs }
    this.#outcomes.set(key, outcome)
    return outcome
  }

  #shapeOf(steps: readonly Step[]): number {
    const words = steps.map(({ protocol, from, before, after }) => [protocol, from, before.allowed, after.allowed])
    const key = words.join(' ')
    const shape = this.#shapes.get(key) ?? this.#shapes.size + 1
    this.#shapes.set(key, shape)
    return shape
  }

  /** Equal decisions are the same object. */
  #same(decision: Decision): Decision {
    const key = decisionKey(decision)
    const known = this.#decisions.get(key) ?? decision
    this.#decisions.set(key, known)
    return known
  }

  #numberOf(thing: Decision | Policy): number {
    const number = this.#numbers.get(thing) ?? this.#numbers.size
    this.#numbers.set(thing, number)
    return number
  }

  /** Numbers everybody by what the policies' rules can ask of them. */
  #groupsOf({ direction, before, after }: Pick<Subject, 'direction' | 'before' | 'after'>): Int32Array {
    const policies = [...new Set([...before, ...after])]
    const numbers = new Map<string | number, number>()
    const numberOf = (key: string | number): number => {
      const number = numbers.get(key) ?? numbers.size
      numbers.set(key, number)
      return number
    }
    // Names of ports are the destination's.
    const names = direction === 'egress' ? portNamesIn(policies, direction) : NO_NAMES
    const groups = Int32Array.from(this.#parties.points, ({ index, isInside }) => {
      const one = this.#parties.classes[index]
      const named = names.size > 0 && one?.type === 'pods' ? namedIn(one, names).join() : ''
      return numberOf(`${one?.type} ${isInside} ${named}`)
    })
    const seen = new Set<string>()
    for (const peer of policies.flatMap((policy) => (policy[direction] ?? []).flatMap(({ peers = [] }) => peers))) {
      const { key, points } = this.#members.pointsOf(peer, direction)
      if (seen.has(key)) continue
      for (const point of points) groups[point] = numberOf((groups[point] ?? 0) * 2 ** 26 + seen.size)
      seen.add(key)
    }
    return groups
  }
}

/** Two ends of a connection. */
export interface Ends {
  readonly source: Party
  readonly destination: Party
}

const NONE = { before: [], after: [] } as const

function policiesByClass({ before, after }: PreviewWorld, members: Members, direction: Direction) {
  const found = new Map<number, { readonly before: Policy[]; readonly after: Policy[] }>()
  for (const [when, policies] of [
    ['before', before],
    ['after', after],
  ] as const) {
    for (const policy of policies) {
      if (policy[direction] === undefined) continue
      for (const { index } of members.podsIn(policy.subject)) {
        const known = found.get(index) ?? { before: [], after: [] }
        known[when].push(policy)
        found.set(index, known)
      }
    }
  }
  return found
}

const NO_NAMES: ReadonlySet<string> = new Set()

/** The names of ports in these policies' rules. */
function portNamesIn(policies: Iterable<Policy>, direction: Direction): ReadonlySet<string> {
  const names = new Set<string>()
  for (const policy of policies) {
    for (const { ports = [] } of policy[direction] ?? []) {
      for (const match of ports) if (match.type === 'named') names.add(match.name)
    }
  }
  return names
}

/** The pods' ports that have one of these names. */
function namedIn({ pods }: PodClass, names: ReadonlySet<string>): readonly string[] {
  const own = pods[0]?.namedPorts ?? []
  return own
    .filter(({ name }) => names.has(name))
    .map(portKey)
    .sort()
}

/** Decisions for the same reason; which peer and port of a rule matched is no other reason. */
function decisionKey(decision: Decision): string {
  if (decision.because !== 'rule') return JSON.stringify(decision)
  const { policy, direction, index } = decision.rule
  return JSON.stringify([decision.allowed, policy, direction, index])
}
