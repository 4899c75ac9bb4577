/**
 * Policies, and what they speak of, in words.
 * @module
 */
import {
  type Peer,
  type PodSet,
  type Policy,
  type PolicyAction,
  type PolicyRef,
  type PortMatch,
  policyKey,
  type Selector,
} from '../network/model/policy.ts'
import { listWords } from '../network/policy/rule-names.ts'

/** The policy that a reference names, if it is there. */
export function policyOf(policies: Iterable<Policy>, ref: PolicyRef): Policy | undefined {
  const key = policyKey(ref)
  return [...policies].find((one) => policyKey(one) === key)
}

/** `tcp port 80`, `udp ports 30000–30999`, `every sctp port`, `the tcp port named http`. */
export function portWords(match: PortMatch): string {
  const protocol = match.protocol?.toLowerCase()
  if (match.type === 'protocol') return `every ${protocol} port`
  if (match.type === 'named') return `the ${protocol === undefined ? '' : `${protocol} `}port named ${match.name}`
  return match.from === match.to ? `${protocol} port ${match.from}` : `${protocol} ports ${match.from}–${match.to}`
}

/** `pods with app=web in namespaces with team=sales`, `192.0.2.0/24 without 192.0.2.128/25`, `www.example.org`. */
export function peerWords(peer: Peer): string {
  if (peer.type === 'name') return peer.name
  if (peer.type === 'pods') return podSetWords(peer)
  return peer.except.length === 0 ? peer.range : `${peer.range} without ${listWords(peer.except)}`
}

/** `all pods of namespace shop`, `pods with app=web in namespaces with team=sales`. */
export function podSetWords({ namespaces, pods }: PodSet): string {
  const which = pods.length === 0 ? 'all pods' : `pods with ${selectorWords(pods)}`
  if ('name' in namespaces) return `${which} of namespace ${namespaces.name}`
  if (namespaces.labels.length === 0) return `${which} of every namespace`
  return `${which} in namespaces with ${selectorWords(namespaces.labels)}`
}

/** As kubectl writes them: `app=web,tier in (a,b),!old`. */
function selectorWords(selector: Selector): string {
  return selector
    .map(({ key, operator, values }) => {
      if (operator === 'Exists') return key
      if (operator === 'DoesNotExist') return `!${key}`
      if (operator === 'In' && values.length === 1) return `${key}=${values[0]}`
      return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
    })
    .join(',')
}

/** What a rule does. */
export const ACTION_WORDS: Readonly<Record<PolicyAction, string>> = {
  allow: 'allows',
  deny: 'denies',
  pass: 'passes on',
}
