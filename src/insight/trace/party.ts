/**
 * Who is meant by a name on the command line: a pod, a node, or an address.
 * @module
 */

import type { Lease } from '../../agent/attach/lease.ts'
import type { NodeFacts, UnderlayFact } from '../../agent/control/facts.ts'
import { localRange } from '../../network/context.ts'
import { type Family, familyOf, type Ip, parseIp } from '../../network/model/address.ts'
import { InsightError } from '../errors.ts'
import type { ClusterView } from '../view.ts'

/** One end of a conversation. */
export type Party =
  | {
      readonly kind: 'pod'
      readonly name: string
      readonly address: Ip
      readonly facts: NodeFacts
      readonly lease: Lease
    }
  | { readonly kind: 'node'; readonly name: string; readonly address: Ip; readonly facts: NodeFacts }
  /** Nobody that an agent here knows. */
  | { readonly kind: 'address'; readonly name: string; readonly address: Ip }

/** An end that can send: its node's agent answers. */
export type Sender = Exclude<Party, { readonly kind: 'address' }>

/** What narrows a name down. */
export interface Narrow {
  readonly family: Family
  /** Only pods on this node. */
  readonly node?: string | undefined
}

/**
 * Who is meant by `text`: `<namespace>/<pod>`, a node, a pod's name where only one pod has it, or an address. Throws
 * `INSIGHT_NAME_UNKNOWN`, `INSIGHT_NAME_AMBIGUOUS`, `INSIGHT_NO_ADDRESS`.
 */
export function findParty(view: ClusterView, text: string, narrow: Narrow): Party {
  const address = parseIp(text)
  if (address !== undefined) return atAddress(view, address)
  const node = view.nodes.find(({ status }) => status.node === text)
  if (node !== undefined) return nodeParty(node, narrow.family)
  const found = podsNamed(view, text, narrow.node)
  const [first] = found
  if (first === undefined) throw onWire(view, text) ?? unknown(view, text, narrow.node)
  if (found.length === 1) return podParty(first.facts, first.lease, narrow.family)
  const places = found.map(({ facts, lease }) => `${nameOf(lease)} on ${facts.status.node}`)
  throw new InsightError(
    'INSIGHT_NAME_AMBIGUOUS',
    `${shown(text)} could be ${places.slice(0, 5).join(', ')}`,
    'write <namespace>/<pod>, or --from-node',
  )
}

/** The end that is at an address, whoever that is. */
export function atAddress(view: ClusterView, address: Ip): Party {
  for (const facts of view.nodes) {
    const lease = facts.leases.find(({ endpoint }) => endpoint.addresses.includes(address))
    if (lease !== undefined) return { kind: 'pod', name: nameOf(lease), address, facts, lease }
    if (facts.self.ranges.some((range) => localRange(range).gateway === address))
      return { kind: 'node', name: facts.status.node, address, facts }
    const wired = facts.underlay.find(({ addresses }) => addresses.includes(address))
    if (wired !== undefined) return { kind: 'address', name: `${wiredName(wired)} on the physical network`, address }
  }
  return { kind: 'address', name: address, address }
}

/** `shop/web`, or the attachment's id where the runtime named no pod. */
export function nameOf({ endpoint }: Lease): string {
  return endpoint.pod === '' ? endpoint.id : `${endpoint.namespace}/${endpoint.pod}`
}

/** The node's own address in the overlay. */
export function gatewayOf({ self }: NodeFacts, family: Family): Ip | undefined {
  return self.ranges.map(localRange).find((range) => range.family === family)?.gateway
}

function podsNamed(view: ClusterView, text: string, node: string | undefined) {
  return view.nodes
    .filter(({ status }) => node === undefined || status.node === node)
    .flatMap((facts) => facts.leases.map((lease) => ({ facts, lease })))
    .filter(({ lease }) => nameOf(lease) === text || (!text.includes('/') && lease.endpoint.pod === text))
}

function podParty(facts: NodeFacts, lease: Lease, family: Family): Party {
  const name = nameOf(lease)
  const address = lease.endpoint.addresses.find((one) => familyOf(one) === family)
  if (address === undefined) throw noAddress(`pod ${name}`, family)
  return { kind: 'pod', name, address, facts, lease }
}

function nodeParty(facts: NodeFacts, family: Family): Party {
  const name = facts.status.node
  const address = gatewayOf(facts, family)
  if (address === undefined) throw noAddress(`node ${name}`, family)
  return { kind: 'node', name, address, facts }
}

function noAddress(who: string, family: Family): InsightError {
  const other = family === 4 ? 'try -6' : 'try without -6'
  return new InsightError('INSIGHT_NO_ADDRESS', `${who} has no IPv${family} address in the overlay`, other)
}

function unknown(view: ClusterView, text: string, node: string | undefined): InsightError {
  const pod = view.registry?.pods.find((one) => `${one.namespace}/${one.name}` === text)
  if (pod !== undefined && node === undefined) {
    const silent = !view.nodes.some(({ status }) => status.node === pod.node)
    const why = silent ? `its node ${pod.node} does not answer` : `${pod.node} has not attached it`
    return new InsightError(
      'INSIGHT_NAME_UNKNOWN',
      `pod ${shown(text)} exists, but ${why}`,
      '`weft status --nodes` says more',
    )
  }
  const where = node === undefined ? '' : ` on ${shown(node)}`
  return new InsightError(
    'INSIGHT_NAME_UNKNOWN',
    `there is no pod or node ${shown(text)}${where}`,
    '`weft status` lists them; write <namespace>/<pod>',
  )
}

/** A pod that has no interface on the overlay. */
function onWire(view: ClusterView, text: string): InsightError | undefined {
  for (const { status, underlay } of view.nodes) {
    const wired = underlay.find((one) => wiredName(one) === text || (one.pod !== '' && one.pod === text))
    if (wired === undefined) continue
    const { ifname, bridge, addresses } = wired
    return new InsightError(
      'INSIGHT_NOT_TRACED',
      `pod ${wiredName(wired)} is on the physical network (${ifname} on bridge ${bridge} of ${status.node}): ` +
        'its way is Open vSwitch’s own switching and the network’s, which is not traced',
      `\`weft explain\` says which policies decide; to follow a packet from the overlay to it, give its address${addresses[0] === undefined ? '' : `: ${addresses[0]}`}`,
    )
  }
  return undefined
}

function wiredName({ id, namespace, pod }: UnderlayFact): string {
  return pod === '' ? id : `${namespace}/${pod}`
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
