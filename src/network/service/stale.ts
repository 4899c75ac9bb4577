/**
 * Connections that a change leaves behind. TCP notices a dead end by itself; a UDP client that keeps its port would be
 * led to an endpoint that is gone for as long as it goes on sending.
 * @module
 */
import type { Action, Bucket, Flow } from '../../flow/flow.ts'
import type { SwitchTables } from '../fragments/fragment.ts'
import type { Ip } from '../model/address.ts'
import { PROTO_UDP } from '../pipeline/build.ts'
import type { Backend } from './backends.ts'

/** The UDP endpoints that connections were led to `before` and none is led to `after`, each once. */
export function deadEnds(before: SwitchTables, after: SwitchTables): readonly Backend[] {
  const standing = new Set(udpBackends(after).keys())
  return [...udpBackends(before)].flatMap(([key, backend]) => (standing.has(key) ? [] : [backend]))
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
