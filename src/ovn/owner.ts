/**
 * Whose a row is. Every row that we make carries the cluster's name in `external_ids`; what does not is never changed,
 * and nothing of ours carries a key of Neutron's: its synchronisation goes by them.
 * @module
 */
import { OvnError } from './errors.ts'

/** The cluster that a row belongs to. */
export const CLUSTER_KEY = 'weft-cluster'

/** What a row is there for. */
export const FOR_KEY = 'weft-for'

/** What rows of ours are there for. */
export type Purpose =
  | 'switch'
  | 'router'
  | 'join'
  | 'route'
  | 'port'
  | 'group'
  | 'rule'
  | 'addresses'
  | 'balancer'
  | 'registry'

/** Anything with `external_ids`. */
export interface Marked {
  readonly external_ids: ReadonlyMap<string, string>
}

const CLUSTER_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** What stands in the way of a cluster's name, or undefined. */
export function clusterProblem(name: string): string | undefined {
  return CLUSTER_NAME.test(name) ? undefined : 'a cluster is named by 1 to 63 lower-case letters, digits and dashes'
}

/** The `external_ids` of a new row. `more` are keys that begin with `weft-`. Throws OVN_BAD_REQUEST for any other. */
export function marks(
  cluster: string,
  purpose: Purpose,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const strange = Object.keys(more).find((key) => !key.startsWith('weft-') || key === CLUSTER_KEY || key === FOR_KEY)
  if (strange !== undefined) {
    const remedy = 'name the key weft-something'
    throw new OvnError('OVN_BAD_REQUEST', `external_ids of ours have no key ${JSON.stringify(strange)}`, remedy)
  }
  return { ...more, [CLUSTER_KEY]: cluster, [FOR_KEY]: purpose }
}

/** The condition that only rows of a cluster meet. */
export function ofCluster(cluster: string) {
  return ['external_ids', 'includes', { [CLUSTER_KEY]: cluster }] as const
}

/** Whether a row is this cluster's. What Neutron has laid its hand on is not, whatever else it carries. */
export function isOurs(row: Marked, cluster: string): boolean {
  return row.external_ids.get(CLUSTER_KEY) === cluster && !isNeutrons(row)
}

/** Whether Neutron keeps a row. */
export function isNeutrons({ external_ids }: Marked): boolean {
  return [...external_ids.keys()].some((key) => key.startsWith('neutron:'))
}
