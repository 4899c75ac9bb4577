/**
 * Keeps the plan's endpoints equal to the lease records: what was recorded before the agent started, what somebody
 * removed by hand, and ports that OVS renumbered.
 * @module
 */
import { sameLimits, UNLIMITED } from '../../network/model/bandwidth.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { Ports } from './ports.ts'

/** Brings the plan's endpoints in line; those with an operation under way are left to it. Whether anything changed. */
export function syncEndpoints(planner: NodePlanner, ports: Ports, busy: ReadonlySet<string>): boolean {
  const recorded = new Map(
    ports.leases().map((lease) => [lease.endpoint.id, withActualPort(lease.endpoint, ports, lease.link)]),
  )
  const planned = new Map([...planner.endpoints()].map((endpoint) => [endpoint.id, endpoint]))
  let changed = false
  for (const [id, endpoint] of recorded) {
    const known = planned.get(id)
    if (busy.has(id) || (known !== undefined && sameEndpoint(known, endpoint))) continue
    planner.putEndpoint(endpoint)
    changed = true
  }
  for (const id of planned.keys()) {
    if (busy.has(id) || recorded.has(id)) continue
    planner.removeEndpoint(id)
    changed = true
  }
  return changed
}

/** OVS was seen renumbering a running port: the flows follow what it has, not what was asked for. */
function withActualPort(endpoint: Endpoint, ports: Ports, link: string): Endpoint {
  const ofport = ports.ofportOf(link)
  return ofport === undefined || ofport === endpoint.ofport ? endpoint : { ...endpoint, ofport }
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.ofport === b.ofport &&
    a.mac === b.mac &&
    a.namespace === b.namespace &&
    sameLimits(a.limits ?? UNLIMITED, b.limits ?? UNLIMITED) &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, i) => address === b.addresses[i])
  )
}
