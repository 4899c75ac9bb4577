/**
 * The parts that policies of every kind have, as Kubernetes has words for them.
 * @module
 */
import { NAMESPACE_NAME_LABEL } from '../../network/model/pod.ts'
import type { Namespaces, Peer, PlainPort, PortMatch, Requirement, Selector } from '../../network/model/policy.ts'
import type { MergePatch } from '../merge.ts'

/** No label is there and is not. */
export const NOTHING: Selector = [
  { key: NAMESPACE_NAME_LABEL, operator: 'Exists', values: [] },
  { key: NAMESPACE_NAME_LABEL, operator: 'DoesNotExist', values: [] },
]

/** A label selector. */
export function selectorOf(selector: Selector): MergePatch {
  return selector.length === 0 ? {} : { matchExpressions: selector.map(expressionOf) }
}

/** A selector of namespaces; one alone is selected by the label that says its name. */
export function namespaceSelectorOf(namespaces: Namespaces): MergePatch {
  return 'name' in namespaces
    ? { matchLabels: { [NAMESPACE_NAME_LABEL]: namespaces.name } }
    : selectorOf(namespaces.labels)
}

function expressionOf({ key, operator, values }: Requirement): MergePatch {
  return { key, operator, ...(values.length === 0 ? {} : { values }) }
}

/** A peer as kinds have it that are not Calico's. Throws a TypeError for what validation refuses in them. */
export function plainPeer(peer: Peer): PlainPeer {
  if (peer.type === 'sets' || (peer.type === 'pods' && (peer.where !== undefined || peer.within !== undefined))) {
    throw new TypeError('only policies of Calico select so')
  }
  return peer
}

type PlainPeer = Exclude<Peer, { readonly type: 'sets' }>

/** A port as kinds have it that are not Calico's. Throws a TypeError for what validation refuses in them. */
export function plainPort(port: PortMatch): PlainPort {
  if (port.type === 'icmp' || port.type === 'ip') throw new TypeError('only policies of Calico speak of such protocols')
  return port
}
