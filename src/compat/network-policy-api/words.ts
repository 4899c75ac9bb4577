/**
 * What a policy says, in the words of `policy.networking.k8s.io`.
 * @module
 */
import type { Peer, PodSet, Policy, PolicyAction, PolicyRule, PortMatch } from '../../network/model/policy.ts'
import type { MergePatch } from '../merge.ts'
import { NOTHING, namespaceSelectorOf, plainPeer, selectorOf } from '../policy/writing.ts'

/** What tells a version's words from another's. */
export interface Words {
  readonly actions: { readonly [A in PolicyAction]: string }
  /** The field that lists ports. */
  readonly ports: string
  portOf(port: PortMatch): MergePatch
}

/** Subject and rules. */
export function specOf(words: Words, { subject, ingress, egress }: Policy): MergePatch {
  return {
    subject: podSetOf(subject),
    ingress: ingress?.map((rule) => ruleOf(words, rule, 'from')) ?? null,
    egress: egress?.map((rule) => ruleOf(words, rule, 'to')) ?? null,
  }
}

function ruleOf(words: Words, { action, name, peers, ports }: PolicyRule, key: 'from' | 'to'): MergePatch {
  const isForNobody = peers?.length === 0 || ports?.length === 0
  return {
    ...(name === undefined ? {} : { name }),
    action: words.actions[action],
    [key]: isForNobody ? [NOBODY] : (peers?.map(peerOf) ?? everybody(key)),
    ...(ports === undefined || isForNobody ? {} : { [words.ports]: ports.map((port) => words.portOf(port)) }),
  }
}

/** Whoever it is: as a source there are words for pods alone. */
function everybody(key: 'from' | 'to'): readonly MergePatch[] {
  return key === 'from' ? [{ namespaces: {} }] : [{ networks: ['0.0.0.0/0', '::/0'] }]
}

const NOBODY: MergePatch = { namespaces: selectorOf(NOTHING) }

function peerOf(one: Peer): MergePatch {
  const peer = plainPeer(one)
  if (peer.type === 'range') return { networks: [peer.range] }
  return peer.type === 'name' ? { domainNames: [peer.name] } : podSetOf(peer)
}

function podSetOf({ namespaces, pods }: PodSet): MergePatch {
  const namespaceSelector = namespaceSelectorOf(namespaces)
  if (pods.length === 0) return { namespaces: namespaceSelector }
  return { pods: { namespaceSelector, podSelector: selectorOf(pods) } }
}
