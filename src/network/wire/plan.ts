/**
 * The plan of one bridge of ours on the physical network: what its pods may send, and the node's policies for them, which
 * it has the same rows of as the overlay's bridge.
 * @module
 */
import type { Flow, Group, Meter } from '../../flow/flow.ts'
import type { NodeContext } from '../context.ts'
import { type FragmentChange, FragmentSet } from '../fragment-set.ts'
import { BASE_KEY, endpointKey, type Fragment } from '../fragments/fragment.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { POLICY_STAGES, STAGES, type StageName } from '../pipeline/stages.ts'
import type { PolicyMirror } from '../planner.ts'
import { policerOf } from '../qos/shaping.ts'
import { wireBase } from './base.ts'
import { wireEndpointFragment } from './endpoint.ts'

/** Egress firewalls are about leaving the cluster by way of the node, and stay with the overlay's bridge. */
const FIREWALL: readonly StageName[] = ['firewall', 'firewallRules']
const MIRRORED: ReadonlySet<number> = new Set(
  POLICY_STAGES.filter((stage) => !FIREWALL.includes(stage)).map((stage) => STAGES[stage].table),
)

/** The plan of a bridge. */
export class WirePlan implements PolicyMirror {
  readonly #fragments = new FragmentSet()
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #changed: () => void

  /** `changed` is called when policies' rows are others now. */
  constructor(context: NodeContext, changed: () => void) {
    this.#changed = changed
    this.setContext(context)
  }

  /** The cluster or the node's place in it is another. */
  setContext(context: NodeContext): void {
    this.#fragments.set(BASE_KEY, wireBase(context))
  }

  putEndpoint(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.id, endpoint)
    this.#fragments.set(endpointKey(endpoint.id), wireEndpointFragment(endpoint))
  }

  removeEndpoint(id: string): void {
    this.#endpoints.delete(id)
    this.#fragments.set(endpointKey(id), undefined)
  }

  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values()
  }

  /** Takes over what changed of policies in the node's plan. */
  follow(changes: readonly FragmentChange[]): void {
    let isTouched = false
    for (const { key, before, after } of changes) {
      if (key === BASE_KEY) continue
      const flows = after.flows.filter(({ table }) => MIRRORED.has(table))
      if (flows.length === 0 && !before.flows.some(({ table }) => MIRRORED.has(table))) continue
      this.#fragments.set(`${MIRROR}${key}`, flows.length === 0 ? undefined : { key, title: key, flows, groups: [] })
      isTouched = true
    }
    if (isTouched) this.#changed()
  }

  /** Every fragment of the plan; those of policies have no titles of their own. */
  fragments(): Iterable<Fragment> {
    return this.#fragments.values()
  }

  /** Every flow of the plan. */
  flows(): Flow[] {
    return [...this.#fragments.values()].flatMap((fragment) => fragment.flows)
  }

  groups(): Group[] {
    return []
  }

  /** Every meter of endpoints that the flows name. */
  meters(): Meter[] {
    return [...this.#endpoints.values()].flatMap((endpoint) => policerOf(endpoint) ?? [])
  }

  take(): FragmentChange[] {
    return this.#fragments.take()
  }
}

/** An endpoint here and a policy's row of the same key are two fragments. */
const MIRROR = 'mirror/'
