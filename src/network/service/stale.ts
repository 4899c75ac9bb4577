/**
 * Connections that a change leaves behind. TCP notices a dead end by itself; a UDP client that keeps its port would be
 * led to an endpoint that is gone for as long as it goes on sending.
 * @module
 */
import type { Action, Bucket, Flow, Group } from '../../flow/flow.ts'
import type { SwitchTables } from '../fragments/fragment.ts'
import type { Ip } from '../model/address.ts'
import { PROTO_UDP } from '../pipeline/build.ts'
import type { Backend } from './backends.ts'

/** The UDP endpoints that connections were led to `before` and none is led to `after`, each once. */
export function deadEnds(before: SwitchTables, after: SwitchTables): readonly Backend[] {
  const standing = new Set(udpBackends(after).keys())
  return [...udpBackends(before)].flatMap(([key, backend]) => (standing.has(key) ? [] : [backend]))
}

/** A service as its clients call it. */
export interface CalledAt {
  readonly address: Ip
  readonly port: number
  /** An IP protocol number. */
  readonly protocol: number
}

/**
 * Where services are called whose tenant is another now. Standing connections carry the old one; once forgotten, their
 * next packet chooses anew, the same endpoint as before, in the new tenant's name.
 */
export function retagged(before: SwitchTables, after: SwitchTables): readonly CalledAt[] {
  const marks = new Map(before.groups.map((group) => [group.id, markOf(group)]))
  const changed = new Set(
    after.groups
      .filter((group) => marks.has(group.id) && marks.get(group.id) !== markOf(group))
      .map((group) => group.id),
  )
  if (changed.size === 0) return []
  return after.flows.filter((flow) => groupsOf(flow).some((id) => changed.has(id))).flatMap(calledAt)
}

function calledAt({ match }: Flow): readonly CalledAt[] {
  const address = match.ipv4_dst ?? match.ipv6_dst
  const { ct_tp_dst: port, ct_nw_proto: protocol } = match
  if (typeof address !== 'string' || typeof port !== 'number' || typeof protocol !== 'number') return []
  return [{ address: address as Ip, port, protocol }]
}

function markOf({ buckets }: Group): unknown {
  for (const action of buckets.flatMap(({ actions }) => actions)) {
    const mark = action.op === 'ct' ? action.exec?.find((inner) => inner.op === 'set') : undefined
    if (mark?.op === 'set') return Number(mark.value)
  }
  return undefined
}

function udpBackends({ flows, groups }: SwitchTables): ReadonlyMap<string, Backend> {
  const udp = new Set(flows.filter(({ match }) => match.ct_nw_proto === PROTO_UDP).flatMap(groupsOf))
  const backends = groups
    .filter(({ id }) => udp.has(id))
    .flatMap(({ buckets }) => buckets.flatMap(({ actions }: Bucket) => actions.flatMap(targetOf)))
  return new Map(backends.map((backend) => [`${backend.address} ${backend.port}`, backend]))
}

function groupsOf({ actions }: Flow): readonly number[] {
  return actions.flatMap((action) => (action.op === 'group' ? [action.group] : []))
}

function targetOf(action: Action): readonly Backend[] {
  if (action.op !== 'ct' || action.nat?.address === undefined || action.nat.port === undefined) return []
  return [{ address: action.nat.address.min as Ip, port: action.nat.port.min }]
}
