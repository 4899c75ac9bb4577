/**
 * Leased addresses: each once, and each of its node's ranges.
 * @module
 */

import type { Lease } from '../../agent/attach/lease.ts'
import type { NodeFacts } from '../../agent/control/facts.ts'
import { localRange } from '../../network/context.ts'
import { contains, type Ip, overlaps } from '../../network/model/address.ts'
import { objectOf } from './attachments.ts'
import type { Finding } from './findings.ts'

/** Addresses that are leased twice, anywhere, or do not belong to their node; ranges that two nodes own. */
export function auditAddresses(nodes: readonly NodeFacts[]): Finding[] {
  return [...nodes.flatMap(outOfPlace), ...leasedTwice(nodes), ...overlapping(nodes)]
}

function outOfPlace({ status, self, leases }: NodeFacts): Finding[] {
  const gateways = new Set(self.ranges.map((range) => localRange(range).gateway))
  return leases.flatMap((lease) =>
    lease.endpoint.addresses.flatMap((address): Finding[] => {
      const found = { node: status.node, object: objectOf(lease), step: undefined }
      if (gateways.has(address)) return [{ ...found, code: 'address-is-gateway', detail: address }]
      if (self.ranges.some((range) => contains(range, address))) return []
      const detail = `${address} is not of ${self.ranges.join(' or ') || 'any range: the node has none'}`
      return [{ ...found, code: 'address-outside-range', detail }]
    }),
  )
}

function leasedTwice(nodes: readonly NodeFacts[]): Finding[] {
  const holders = new Map<Ip, readonly [node: string, lease: Lease]>()
  const findings: Finding[] = []
  for (const { status, leases } of nodes) {
    for (const lease of leases) {
      for (const address of lease.endpoint.addresses) {
        const first = holders.get(address)
        holders.set(address, first ?? [status.node, lease])
        if (first === undefined) continue
        const detail = `${address} is held by ${objectOf(first[1])} on ${first[0]}, too`
        const object = objectOf(lease)
        findings.push({ code: 'address-leased-twice', node: status.node, object, detail, step: undefined })
      }
    }
  }
  return findings
}

function overlapping(nodes: readonly NodeFacts[]): Finding[] {
  return nodes.flatMap((one, i) =>
    nodes.slice(0, i).flatMap((other) =>
      one.self.ranges.flatMap((range): Finding[] => {
        const shared = other.self.ranges.find((theirs) => overlaps(range, theirs))
        if (shared === undefined) return []
        const detail = `${other.status.node} has ${shared}`
        return [{ code: 'ranges-overlap', node: one.status.node, object: `range ${range}`, detail, step: undefined }]
      }),
    ),
  )
}
