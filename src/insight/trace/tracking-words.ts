/**
 * What connection tracking says of a packet, in words.
 * @module
 */
import type { Action } from '../../flow/flow.ts'
import { formatIp } from '../../network/model/address.ts'
import { CT_STATE } from '../../network/simulate/connections.ts'
import type { Packet, Step } from '../../network/simulate/simulate.ts'
import { tupleOf } from '../../network/simulate/tuple.ts'

/** The words for a `ct` action; `next` is the step in which the packet went on. */
export function trackingWords({ nat, commit }: Action & { readonly op: 'ct' }, next: Step | undefined): string[] {
  if (nat?.direction === 'src') return [`from here on its source is ${nat.address?.min}`]
  if (nat?.direction === 'dst') return [`led to ${nat.address?.min}`]
  const packet = next?.packet
  const state = packet?.get('ct_state') ?? 0n
  if (packet === undefined) return ['asks connection tracking']
  if (has(state, CT_STATE.inv)) return ['nothing that connection tracking could follow']
  if (commit === true) return ['its connection is remembered']
  if (has(state, CT_STATE.new)) return ['begins a connection, as far as this switch knows']
  if (has(state, CT_STATE.dnat)) return [`of a known connection: goes to ${ends(packet).destination}`]
  if (has(state, CT_STATE.snat)) return [`an answer in a known connection: its source is ${ends(packet).source} again`]
  return ['of a known connection']
}

function has(state: bigint, bit: bigint): boolean {
  return (state & bit) !== 0n
}

function ends(packet: Packet): { readonly source: string; readonly destination: string } {
  const tuple = tupleOf(packet)
  if (tuple === undefined) return { source: 'another', destination: 'another' }
  const { family, source, destination } = tuple
  return { source: formatIp(family, source), destination: formatIp(family, destination) }
}
