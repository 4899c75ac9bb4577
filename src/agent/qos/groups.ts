/**
 * Namespaces' totals on this node: what is asked for, what of it can be had, and who is told where it cannot.
 * @module
 */
import { TOTAL_ANNOTATIONS } from '../../compat/kubernetes/bandwidth.ts'
import {
  type Bandwidth,
  DIRECTIONS,
  type Limits,
  limitsFrom,
  problemsOf,
  UNLIMITED,
} from '../../network/model/bandwidth.ts'
import { groupNumbers } from '../../network/qos/groups.ts'
import type { Lease } from '../attach/lease.ts'
import type { AgentLog } from '../log.ts'
import type { PodNotices } from '../notices.ts'
import type { LimitFact } from './limiter.ts'
import { DETOURS } from './on-node.ts'
import type { Group, InForce } from './shaper.ts'
import type { NamespaceTotals } from './totals.ts'

/** What groups are made of. */
export interface GroupParts {
  readonly datapath: 'system' | 'netdev'
  readonly totals: Pick<NamespaceTotals, 'wantedFor'>
  readonly notices: Pick<PodNotices, 'warn'>
  readonly log: AgentLog
}

const REFUSED =
  'a total needs the kernel’s datapath: the userspace one of this node hands packets on past every queue of the node'

/** The namespaces of this node's endpoints, as groups that share a total. */
export class Groups {
  readonly #parts: GroupParts
  #numbers: ReadonlyMap<string, number> = new Map()
  readonly #decided = new Map<string, Limits>()
  readonly #told = new Map<string, string>()

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  /** Looks at what namespaces ask for now. */
  refresh(leases: readonly Lease[]): void {
    const members = new Map(leases.map(({ endpoint }) => [endpoint.namespace, endpoint]))
    this.#numbers = groupNumbers(members.keys())
    for (const known of [this.#decided, this.#told]) {
      for (const namespace of known.keys()) if (!members.has(namespace)) known.delete(namespace)
    }
    for (const [namespace, endpoint] of members) {
      const wanted = this.#wanted(namespace)
      if (wanted === undefined) continue
      this.#decided.set(namespace, limitsFrom(wanted, this.#decided.get(namespace) ?? UNLIMITED))
      const problem = problemsOf(wanted).join('; ')
      if (problem !== '' && this.#told.get(namespace) !== problem) {
        this.#parts.log.warn({ namespace }, `refused: ${problem}`)
        this.#parts.notices.warn(endpoint, 'BandwidthTotalRefused', `namespace ${namespace}: ${problem}`)
      }
      this.#told.set(namespace, problem)
    }
  }

  /** The group of a namespace's endpoints; undefined where there are none. */
  of(namespace: string): Group | undefined {
    const number = this.#numbers.get(namespace)
    if (number === undefined || this.#parts.datapath !== 'system') return undefined
    return { number, limits: this.#decided.get(namespace) }
  }

  /** What is asked for and in force, of every namespace that asks for anything. */
  facts(inForce: (group: number) => InForce): readonly LimitFact[] {
    return [...this.#numbers].flatMap(([namespace, number]) => {
      const wanted = this.#wanted(namespace)
      const limits = this.#decided.get(namespace) ?? UNLIMITED
      const isNobodys = DIRECTIONS.every((one) => wanted?.[one] === undefined && limits[one] === undefined)
      if (isNobodys) return []
      const endpoint = `namespace/${namespace}`
      return [{ endpoint, namespace, pod: '', link: DETOURS.fromPod.name, wanted, limits, inForce: inForce(number) }]
    })
  }

  /** What is asked for; on a datapath that cannot, why it is refused. */
  #wanted(namespace: string): Bandwidth | undefined {
    const wanted = this.#parts.totals.wantedFor(namespace)
    if (wanted === undefined || this.#parts.datapath === 'system') return wanted
    return Object.fromEntries(
      DIRECTIONS.flatMap((one) =>
        wanted[one] === undefined ? [] : [[one, { problem: `${TOTAL_ANNOTATIONS[one]}: ${REFUSED}` }]],
      ),
    )
  }
}
