/**
 * The canonical form of flows. A flow that was sent and the same flow dumped by a switch have one canonical form, and
 * that is what level-triggered comparison rests on.
 *
 * Nothing is implied: a match names its `eth_type`, `ip_proto` and the like itself, and is refused without them.
 * @module
 */

import { FlowError } from './errors.ts'
import { canonicalFieldMatch, type FieldCodec, fieldCodec } from './field-value.ts'
import type { FieldName } from './fields.ts'
import type { FieldMatch, Flow, Masked, Match } from './flow.ts'
import { normalizeActions } from './normalize-actions.ts'
import { requirePrerequisites } from './prerequisites.ts'

const CANONICAL = new WeakSet<object>()

/**
 * The canonical form: fields in one order, integers as numbers (bigints above 32 bits), CIDRs without host bits, full
 * masks removed, fields that match everything dropped, `vlan_tci` as `vlan_vid` and `vlan_pcp`, actions without
 * default arguments. Normalizing it again costs nothing, so it must not be changed. Throws FlowError.
 */
export function normalize(flow: Flow): Flow {
  if (CANONICAL.has(flow)) return flow
  requireRange('table', flow.table, 254)
  requireRange('priority', flow.priority, 65535)
  const canonical: Flow = {
    table: flow.table,
    priority: flow.priority,
    cookie: BigInt.asUintN(64, flow.cookie),
    match: normalizeMatch(flow.match),
    actions: normalizeActions(flow.actions),
  }
  CANONICAL.add(canonical)
  return canonical
}

/** The canonical form of a match; see `normalize`. */
export function normalizeMatch(match: Match): Match {
  if (CANONICAL.has(match)) return match
  const given = match.vlan_tci === undefined ? match : splitVlanTci(match)
  const parts: MatchPart[] = []
  for (const name in given) {
    const codec = fieldCodec(name)
    const value = given[codec.name]
    const normal = value === undefined ? undefined : canonicalFieldMatch(codec, value)
    if (normal !== undefined) parts.push([codec, normal])
  }
  const canonical = matchOf(parts)
  requirePrerequisites(canonical)
  return canonical
}

/** A field and what it must be, canonical. */
export type MatchPart = readonly [codec: FieldCodec, value: FieldMatch]

/** A canonical match of parts that are canonical already, as a switch sends them; sorts them in place. */
export function matchOf(parts: MatchPart[]): Match {
  parts.sort(byOrder)
  const canonical: { [field in FieldName]?: FieldMatch } = {}
  for (const [codec, value] of parts) canonical[codec.name] = value
  CANONICAL.add(canonical)
  return canonical
}

function byOrder([a]: MatchPart, [b]: MatchPart): number {
  return a.order - b.order
}

function requireRange(name: string, value: number, top: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= top) return
  throw new FlowError('FLOW_VALUE_INVALID', `${name} ${value} is not within 0 to ${top}`, `choose a ${name} in range`)
}

const VLAN_PRESENT = 0x1000

/**
 * Open vSwitch dumps a match on the TCI as one on its parts: 13 bits of `vlan_vid` (the VLAN-present bit among them)
 * and the whole of `vlan_pcp`.
 */
function splitVlanTci(match: Match): Match {
  const { vlan_tci: tci, ...rest } = match
  if (rest.vlan_vid !== undefined || rest.vlan_pcp !== undefined) {
    throw new FlowError('FLOW_MATCH_CONFLICT', 'vlan_tci beside vlan_vid or vlan_pcp', 'use vlan_vid and vlan_pcp')
  }
  const canonical = tci === undefined ? undefined : canonicalFieldMatch(fieldCodec('vlan_tci'), tci)
  if (canonical === undefined) return rest
  const { value, mask } = typeof canonical === 'object' ? canonical : ({ value: canonical, mask: 0xffff } as Masked)
  const [bits, covered] = [Number(value), Number(mask)]
  const vid = { value: bits & 0x1fff, mask: covered & 0x1fff }
  const priorityMask = covered >>> 13
  if (priorityMask === 0) return { ...rest, vlan_vid: vid }
  if ((bits & VLAN_PRESENT) === 0) {
    if (bits === 0 && covered === 0xffff) return { ...rest, vlan_vid: 0 }
  } else if (priorityMask === 7) return { ...rest, vlan_vid: vid, vlan_pcp: bits >>> 13 }
  throw new FlowError(
    'FLOW_MASK_REFUSED',
    'vlan_tci: the priority bits are matched in part, or without a VLAN',
    'match all three priority bits together with the VLAN-present bit 0x1000, or none',
  )
}
