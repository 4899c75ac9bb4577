/**
 * Which classes and firewalls this node's pods are under now, and the flows that send their connections there.
 * @module
 */
import type { Fragment } from '../fragments/fragment.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { DIRECTIONS, type Direction } from '../model/policy.ts'
import type { Classes, ClassUse } from './classes.ts'
import type { Firewalls } from './firewalls.ts'
import type { Inventory } from './inventory.ts'
import { callerOf, type ProxiedServices } from './proxied.ts'
import { subjectFlows } from './subject-flows.ts'
import type { ClassSpec, Subject, Subjects } from './subjects.ts'

/** What pods are enrolled with. */
export interface EnrolmentParts {
  readonly inventory: Inventory
  readonly subjects: Subjects
  readonly classes: Classes
  readonly firewalls: Firewalls
  readonly proxied: ProxiedServices
  set(key: string, fragment: Fragment | undefined): void
}

interface Enrolment {
  readonly look: string
  readonly uses: ReadonlyMap<Direction, ClassUse>
}

const NO_USES: ReadonlyMap<Direction, ClassUse> = new Map()

/** This node's pods under their policies. */
export class Enrolments {
  readonly #parts: EnrolmentParts
  /** Per endpoint, a class per direction that policies speak of. */
  readonly #enrolled = new Map<string, Enrolment>()
  /** Endpoints, here or gone, that may be subject to other policies than before. */
  readonly #dirty = new Map<string, Endpoint>()
  #areServicesDirty = false
  /** Keys of policies that may judge services outside otherwise than before. */
  readonly #judges = new Set<string>()

  constructor(parts: EnrolmentParts) {
    this.#parts = parts
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#areServicesDirty || this.#judges.size > 0
  }

  /** An endpoint, here or gone, may be subject to other policies than before. */
  mark(endpoint: Endpoint): void {
    this.#dirty.set(endpoint.id, endpoint)
  }

  /** Services that lead outside do so to other places, or under other names. */
  servicesChanged(): void {
    this.#areServicesDirty = true
  }

  /** These policies, which select whom they selected before, may say something else of services that lead outside. */
  judgementsChanged(policies: Iterable<string>): void {
    if (this.#parts.proxied.isEmpty) return
    for (const key of policies) this.#judges.add(key)
  }

  /** Enrols whom {@link mark} named since the last call. Classes have their numbers then, and are to be settled. */
  settle(): void {
    for (const endpoint of this.#dirty.values()) this.#enroll(endpoint)
    const renumbered = this.#parts.classes.number()
    if (renumbered.size > 0) {
      for (const endpoint of this.#parts.inventory.endpoints()) {
        const { uses = NO_USES } = this.#enrolled.get(endpoint.id) ?? {}
        if ([...uses.values()].some((use) => renumbered.has(use))) this.#dirty.set(endpoint.id, endpoint)
      }
    }
    for (const endpoint of this.#dirty.values()) this.#planSubject(endpoint)
    this.#dirty.clear()
    if (this.#areServicesDirty || this.#judges.size > 0) {
      for (const endpoint of this.#parts.inventory.endpoints()) {
        if (this.#areServicesDirty || this.#isJudgedAnew(endpoint)) this.#planProxied(endpoint)
      }
    }
    this.#areServicesDirty = false
    this.#judges.clear()
  }

  #isJudgedAnew({ id }: Endpoint): boolean {
    const use = this.#enrolled.get(id)?.uses.get('egress')
    return use?.spec.policies.some((key) => this.#judges.has(key)) === true
  }

  /** Has a pod join the classes that it is of now, and leave others. */
  #enroll(endpoint: Endpoint): void {
    const { id } = endpoint
    const before = this.#enrolled.get(id)
    const isHere = this.#parts.inventory.endpoint(id) !== undefined
    const look = isHere ? lookOf(this.#subjectOf(endpoint)) : ''
    const uses = new Map(
      [...this.#specsOf(endpoint)].map(([direction, spec]) => [
        direction,
        this.#parts.classes.join(spec, `${direction} ${look}`),
      ]),
    )
    if (isHere) this.#enrolled.set(id, { look, uses })
    else this.#enrolled.delete(id)
    for (const [direction, use] of before?.uses ?? []) this.#parts.classes.leave(use, `${direction} ${before?.look}`)
  }

  /** Sends a pod's connections to the flows of its classes. */
  #planSubject(endpoint: Endpoint): void {
    const { id, namespace } = endpoint
    const isHere = this.#parts.inventory.endpoint(id) !== undefined
    const classes = this.#enrolled.get(id)?.uses ?? NO_USES
    const firewall = this.#parts.firewalls.follow(namespace, id, isHere)
    const key = subjectKey(id)
    const flows = subjectFlows(key, endpoint, { classes, firewall })
    const title = `policies of pod ${podOf(endpoint)}`
    this.#parts.set(key, isHere && flows.length > 0 ? { key, title, flows, groups: [] } : undefined)
    this.#planProxied(endpoint)
  }

  /** The classes that an endpoint is of; none when it is gone. */
  #specsOf(endpoint: Endpoint): ReadonlyMap<Direction, ClassSpec> {
    const specs = new Map<Direction, ClassSpec>()
    if (this.#parts.inventory.endpoint(endpoint.id) === undefined) return specs
    const subject = this.#subjectOf(endpoint)
    for (const direction of DIRECTIONS) {
      const spec = this.#parts.subjects.classOf(subject, direction)
      if (spec !== undefined) specs.set(direction, spec)
    }
    return specs
  }

  #subjectOf(endpoint: Endpoint): Subject {
    const pod = this.#parts.inventory.podOf(endpoint)
    return {
      namespace: endpoint.namespace,
      namespaceLabels: this.#parts.inventory.labelsOf(endpoint.namespace),
      isNamespaceKnown: this.#parts.inventory.isToldOf(endpoint.namespace),
      labels: pod === undefined ? undefined : (pod.labels ?? {}),
      namedPorts: pod?.namedPorts ?? [],
    }
  }

  /** Where kube-proxy leads a pod out of the pod networks. */
  #planProxied(endpoint: Endpoint): void {
    const key = proxiedKey(endpoint.id)
    const isHere = this.#parts.inventory.endpoint(endpoint.id) !== undefined
    const flows =
      isHere && !this.#parts.proxied.isEmpty
        ? this.#parts.proxied.flows(
            key,
            endpoint,
            callerOf(this.#parts.subjects, this.#subjectOf(endpoint), {
              names: this.#parts.firewalls.addresses,
              sets: [...this.#parts.inventory.sets.values()],
            }),
          )
        : []
    const title = `services outside the pod networks, for pod ${podOf(endpoint)}`
    this.#parts.set(key, flows.length > 0 ? { key, title, flows, groups: [] } : undefined)
  }
}

/** What policies can tell pods apart by. */
function lookOf({ namespace, labels, namedPorts }: Subject): string {
  return JSON.stringify([namespace, labels === undefined ? null : Object.entries(labels).sort(), namedPorts])
}

function subjectKey(id: string): string {
  return `policy-subject/${id}`
}

function proxiedKey(id: string): string {
  return `policy-proxied/${id}`
}

function podOf({ namespace, pod }: Endpoint): string {
  return `${namespace}/${pod}`
}
