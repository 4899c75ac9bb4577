/**
 * Connections of pods on the physical network: what guards them and which policies hold there. The way itself is Open
 * vSwitch's own switching and the network's, of which nobody here knows.
 * @module
 */
import type { UnderlayFact } from '../../agent/control/facts.ts'
import { gatewayOf } from '../../ipam/pool.ts'
import { isPodAddress } from '../../network/context.ts'
import { familyOf } from '../../network/model/address.ts'
import { type ClusterView, clusterOf, nodeOf, registryOf } from '../view.ts'
import type { Conversation, Step } from './conversation.ts'
import type { End } from './ends.ts'
import { policySteps } from './policy-step.ts'
import { tenantStep } from './tenant-step.ts'
import { guardStep, homeOf } from './way-steps.ts'

/** Whether an end is a pod by an address that is none of the overlay's. */
export function isPhysical(view: ClusterView, end: End): boolean {
  return end.kind === 'pod' && !isPodAddress(clusterOf(view), end.address)
}

/** The steps of a connection with such an end, but for service and answer. */
export function physicalSteps(conversation: Conversation): readonly Step[] {
  const { view, from, to } = conversation
  const [fromWire, toWire] = [from, to].map((end) => isPhysical(view, end))
  const byNode = fromWire === true && toWire !== true && to.kind !== 'outside'
  return [
    fromWire ? wireGuard(view, from) : guardStep(conversation),
    byNode
      ? tenantStep(conversation)
      : { name: 'tenant', outcome: 'passes', says: 'on the physical network there are no tenants' },
    route(conversation, byNode),
    ...policies(conversation, fromWire === true, toWire === true, byNode),
    { name: 'MTU', outcome: 'unknown', says: 'what the physical network carries is not known here' },
  ]
}

function wireGuard(view: ClusterView, from: End): Step {
  const name = 'spoof guard'
  const place = placeOf(view, from)
  if (typeof place === 'string') return { name, outcome: 'unknown', says: place }
  const { bridge, guard, addresses, mac } = place
  const where = `bridge ${bridge} of ${homeOf(from)}`
  if (guard === 'others')
    return { name, outcome: 'passes', says: `${where} is none of Weft’s: nobody guards what ${from.name} sends there` }
  if (guard === 'missing')
    return { name, outcome: 'unknown', says: `${where} does not know ${from.name} yet`, remedy: 'see weft audit' }
  const own = `${addresses.join(' and ')} with ${mac ?? 'its MAC address'}`
  return { name, outcome: 'passes', says: `${own} is what ${where} lets ${from.name} send` }
}

function route({ view, from, to }: Conversation, byNode: boolean): Step {
  const name = 'route'
  if (byNode)
    return {
      name,
      outcome: 'passes',
      says: `by the network stack of ${homeOf(from)}, as a guest with the node’s address`,
    }
  const end = isPhysical(view, from) ? from : to
  const place = placeOf(view, end)
  const bridge = typeof place === 'string' ? `the interface of ${end.name}` : `bridge ${place.bridge} of ${homeOf(end)}`
  return { name, outcome: 'unknown', says: `the way beyond ${bridge} is the physical network’s, and is not traced` }
}

/** What the objects say, and where nobody enforces it, that. */
function policies(conversation: Conversation, fromWire: boolean, toWire: boolean, byNode: boolean): readonly Step[] {
  const { view, from, to } = conversation
  const [egress, , firewall] = policySteps(conversation)
  const seen = { ...conversation, from: asSeenBy(view, from, to, byNode) }
  const ingress = policySteps(seen).find(({ name }) => name === 'ingress policies')
  const past = byNode ? `what ${from.name} sends by its node does not pass them` : whyOpen(view, from, fromWire)
  const wall = fromWire ? 'it is about leaving by way of the node' : undefined
  const mayDetour = fromWire && to.kind === 'outside'
  return [
    ...(egress === undefined ? [] : [mayDetour ? unlessHijacked(enforced(egress, past)) : enforced(egress, past)]),
    ...(ingress === undefined ? [] : [enforced(ingress, whyOpen(view, to, toWire))]),
    ...(firewall === undefined ? [] : [enforced(firewall, wall)]),
  ]
}

/** A guest, and an overlay's pod on another node than its peer on the physical network, come with their node's address. */
function asSeenBy(view: ClusterView, from: End, to: End, byNode: boolean): End {
  const isAcross = from.kind === 'pod' && !isPhysical(view, from) && isPhysical(view, to) && homeOf(from) !== homeOf(to)
  if (!byNode && !isAcross) return from
  const network = registryOf(view).networks.find(({ node }) => node === homeOf(from))
  const family = familyOf(to.address)
  const own = byNode ? network?.ranges.map(gatewayOf) : network?.addresses
  const address = own?.find((one) => familyOf(one) === family)
  return address === undefined ? from : { kind: 'outside', name: `${from.name}, by ${homeOf(from)},`, address }
}

/** Which way a pod sends to an address outside is its own routes' matter, and an administrator's. */
function unlessHijacked(step: Step): Step {
  return { ...step, says: `${step.says}; not where a hijackCIDR of an administrator leads there by the node` }
}

/** Why policies of an end are not enforced; undefined where they are. */
function whyOpen(view: ClusterView, end: End, isWire: boolean): string | undefined {
  if (!isWire) return undefined
  const place = placeOf(view, end)
  if (typeof place === 'string') return place
  return place.guard === 'others' ? `bridge ${place.bridge} of ${homeOf(end)} is none of Weft’s` : undefined
}

function enforced(step: Step, open: string | undefined): Step {
  if (open === undefined) return step
  const { name } = step
  const wish = step.outcome === 'stops' ? `; the objects refuse it: ${step.says}` : ''
  return { name, outcome: 'passes', says: `not enforced here: ${open}${wish}` }
}

/** The pod's port on a bridge, or why none is known. */
function placeOf(view: ClusterView, end: End): UnderlayFact | string {
  const facts = nodeOf(view, homeOf(end))
  if (facts === undefined) return `the agent of ${homeOf(end)} does not answer`
  const found = facts.underlay.find(({ addresses }) => addresses.includes(end.address))
  return found ?? `${homeOf(end)} knows no port of ${end.name} on a bridge: interfaces of other kinds are not guarded`
}
