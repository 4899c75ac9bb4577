/**
 * Whether a network may have a port on a bridge.
 * @module
 */
import { type BridgeGrant, type Grants, isTrusted, type Origin, type VlanRange } from './grants.ts'

/** What is refused, and why, for people. */
export interface Refusal {
  readonly field: 'bridge' | 'vlan'
  readonly reason: string
}

/**
 * Why a configuration of this origin may not have a port with these VLANs on a bridge; undefined where it may. Of a
 * definition its own namespace counts; of a caller that nobody knows, the pod's.
 */
export function bridgeProblem(
  grants: Grants,
  origin: Origin,
  podNamespace: string | undefined,
  bridge: string,
  vlans: readonly VlanRange[],
): Refusal | undefined {
  if (isTrusted(grants, origin)) return undefined
  const namespace = origin.kind === 'definition' ? origin.namespace : podNamespace
  const who = namespace === undefined ? 'whoever calls without naming a pod' : `namespace ${namespace}`
  const granted = grants.bridges.filter((one) => one.bridge === bridge && isGrantedTo(one, namespace))
  if (granted.length === 0) return { field: 'bridge', reason: `bridge ${bridge} is not granted to ${who}` }
  const allowed = granted.some((one) => one.vlans.length === 0) ? ALL : join(granted.flatMap((one) => one.vlans))
  const outside = vlans.find((vlan) => !allowed.some(({ first, last }) => first <= vlan.first && vlan.last <= last))
  if (outside === undefined) return undefined
  return { field: 'vlan', reason: `VLAN ${textOf(outside)} of bridge ${bridge} is not granted to ${who}` }
}

const ALL: readonly VlanRange[] = [{ first: 0, last: 4095 }]

function isGrantedTo({ namespaces }: BridgeGrant, namespace: string | undefined): boolean {
  return namespaces.length === 0 || (namespace !== undefined && namespaces.includes(namespace))
}

/** Ranges that touch are one. */
function join(ranges: readonly VlanRange[]): readonly VlanRange[] {
  const joined: VlanRange[] = []
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = joined.at(-1)
    if (before === undefined || range.first > before.last + 1) joined.push(range)
    else joined.splice(-1, 1, { first: before.first, last: Math.max(before.last, range.last) })
  }
  return joined
}

function textOf({ first, last }: VlanRange): string {
  return first === last ? `${first}` : `${first}-${last}`
}
