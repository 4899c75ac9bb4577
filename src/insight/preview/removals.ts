/**
 * Which policies a command line means to delete.
 * @module
 */
import { weftBindings } from '../../compat/bindings.ts'
import { POLICY_KINDS, type Policy, type PolicyKind, policyKey } from '../../network/model/policy.ts'
import { InsightError } from '../errors.ts'

/** What kubectl calls these kinds besides. */
const SHORT: Readonly<Record<string, PolicyKind>> = {
  netpol: 'NetworkPolicy',
  anp: 'AdminNetworkPolicy',
  banp: 'BaselineAdminNetworkPolicy',
  cnp: 'ClusterNetworkPolicy',
  gnp: 'GlobalNetworkPolicy',
}

/** The policy that `kind/namespace/name`, or `kind/name` of the cluster's, names. Throws INSIGHT_USAGE and INSIGHT_NAME_UNKNOWN. */
export function policyNamed(text: string, policies: readonly Policy[]): Policy {
  const [word = '', ...rest] = text.split('/')
  const kind = kindNamed(word)
  if (kind === undefined) {
    throw new InsightError(
      'INSIGHT_USAGE',
      `${shortened(word)} is no kind of policies`,
      `write <kind>/<namespace>/<name>, or <kind>/<name> of the whole cluster’s; kinds are ${POLICY_KINDS.join(', ')}`,
    )
  }
  const form = weftBindings[kind].resource.namespaced ? `${kind}/<namespace>/<name>` : `${kind}/<name>`
  if (rest.length !== form.split('/').length - 1 || rest.includes('')) {
    throw new InsightError('INSIGHT_USAGE', `${shortened(text)} names no policy`, `write ${form}`)
  }
  const found = policies.find((policy) => policyKey(policy) === [kind, ...rest].join('/'))
  if (found !== undefined) return found
  throw new InsightError(
    'INSIGHT_NAME_UNKNOWN',
    `there is no ${kind} ${shortened(rest.join('/'))}`,
    'see weft policy list',
  )
}

function kindNamed(word: string): PolicyKind | undefined {
  const lower = word.toLowerCase()
  const plural = (kind: PolicyKind): string => weftBindings[kind].resource.plural
  return SHORT[lower] ?? POLICY_KINDS.find((kind) => kind.toLowerCase() === lower || plural(kind) === lower)
}

function shortened(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
