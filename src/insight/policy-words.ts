/**
 * Policies, and what they speak of, in words.
 * @module
 */
import type { Condition, Holder } from '../network/model/condition.ts'
import {
  type AddressRange,
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

/** `tcp port 80`, `udp ports 30000–30999`, `every sctp port`, `the tcp port named http`, `icmp type 8`, `protocol 47`. */
export function portWords(match: PortMatch): string {
  if (match.type === 'ip') return `protocol ${match.number}`
  if (match.type === 'icmp') {
    const type = match.icmpType === undefined ? '' : ` type ${match.icmpType}`
    return `${match.family === 4 ? 'icmp' : 'icmpv6'}${type}${match.code === undefined ? '' : ` code ${match.code}`}`
  }
  const protocol = match.protocol?.toLowerCase()
  if (match.type === 'protocol') return `every ${protocol} port`
  if (match.type === 'named') return `the ${protocol === undefined ? '' : `${protocol} `}port named ${match.name}`
  return match.from === match.to ? `${protocol} port ${match.from}` : `${protocol} ports ${match.from}–${match.to}`
}

/** `pods with app=web in namespaces with team=sales`, `192.0.2.0/24 without 192.0.2.128/25`, `www.example.org`. */
export function peerWords(peer: Peer): string {
  if (peer.type === 'name') return peer.name
  if (peer.type === 'pods') return `${podSetWords(peer)}${withinWords(peer.within)}`
  if (peer.type === 'sets') return `network sets with ${conditionWords(peer.where)}${withinWords(peer.within)}`
  return rangeWords(peer)
}

function withinWords(within: readonly AddressRange[] | undefined): string {
  return within === undefined ? '' : ` within ${listWords(within.map(rangeWords)) || 'no addresses'}`
}

function rangeWords(peer: AddressRange): string {
  return peer.except.length === 0 ? peer.range : `${peer.range} without ${listWords(peer.except)}`
}

/** `all pods of namespace shop`, `pods with app=web in namespaces with team=sales`. */
export function podSetWords({ namespaces, pods, where }: PodSet): string {
  const demands = [...(pods.length === 0 ? [] : [selectorWords(pods)]), ...(where ? [conditionWords(where)] : [])]
  const which = demands.length === 0 ? 'all pods' : `pods with ${demands.join(' and ')}`
  if ('name' in namespaces) return `${which} of namespace ${namespaces.name}`
  if (namespaces.labels.length === 0) return `${which} of every namespace`
  return `${which} in namespaces with ${selectorWords(namespaces.labels)}`
}

const COMPARISON_WORDS = { in: 'in', contains: 'contains', startsWith: 'starts with', endsWith: 'ends with' } as const

/** Near to what Calico's selectors look like: `a in {b,c} && !has(d)`; labels of namespaces with `namespace:` in front. */
export function conditionWords(condition: Condition): string {
  switch (condition.type) {
    case 'all':
      return 'all()'
    case 'namespaced':
      return '!global()'
    case 'has':
      return `has(${keyWords(condition)})`
    case 'compare': {
      const { how, values } = condition
      const value = how === 'in' ? `{${values.join(',')}}` : values.join()
      return `${keyWords(condition)} ${COMPARISON_WORDS[how]} ${value}`
    }
    case 'not':
      return `!(${conditionWords(condition.condition)})`
    default: {
      const sign = condition.type === 'and' ? ' && ' : ' || '
      return condition.conditions.map((one) => `(${conditionWords(one)})`).join(sign)
    }
  }
}

function keyWords({ of, key }: { readonly of: Holder; readonly key: string }): string {
  return of === 'own' ? key : `namespace:${key}`
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
