/**
 * What nodes do against what the registry says.
 * @module
 */

import type { Lease } from '../../agent/attach/lease.ts'
import type { NodeFacts } from '../../agent/control/facts.ts'
import { isPodAddress } from '../../network/context.ts'
import type { Ip } from '../../network/model/address.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { RegistryView } from '../view.ts'
import { objectOf } from './attachments.ts'
import type { Finding, FindingCode } from './findings.ts'
import type { RepairStep } from './repair.ts'

/** Differences between a node and the registry. */
export function auditShared(facts: NodeFacts, registry: RegistryView): Finding[] {
  const report: Report = (code, object, detail, step) => ({ code, node: facts.status.node, object, detail, step })
  return [
    ...auditPods(facts, registry.pods, report),
    ...auditTenants(facts, registry, report),
    ...auditRanges(facts, registry, report),
    ...auditPeers(facts, registry, report),
  ]
}

/** Attachments whose namespace has no VNI: known without the registry. */
export function auditUnplugged({ status, leases, tenants }: NodeFacts): Finding[] {
  const known = new Set(tenants.map(([namespace]) => namespace))
  return leases
    .filter(({ endpoint }) => !known.has(endpoint.namespace))
    .map((lease) => ({
      code: 'lease-without-tenant',
      node: status.node,
      object: objectOf(lease),
      detail: `namespace ${lease.endpoint.namespace}`,
      step: undefined,
    }))
}

type Report = (code: FindingCode, object: string, detail: string, step?: RepairStep) => Finding

function auditPods(facts: NodeFacts, pods: readonly Pod[], report: Report): Finding[] {
  const byName = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]))
  const named = facts.leases.filter(({ endpoint }) => endpoint.pod !== '')
  const leased = new Set(named.map(({ endpoint }) => `${endpoint.namespace}/${endpoint.pod}`))
  return [
    ...named.flatMap((lease) => {
      const pod = byName.get(`${lease.endpoint.namespace}/${lease.endpoint.pod}`)
      return auditLease(facts, lease, pod, report)
    }),
    ...pods
      .filter((pod) => pod.node === facts.status.node && !leased.has(`${pod.namespace}/${pod.name}`))
      // A pod without addresses is still being attached; one with other addresses uses the node's own network.
      .filter((pod) => pod.addresses.some((address) => isPodAddress(facts.cluster, address)))
      .map((pod) =>
        report('pod-without-lease', `pod ${pod.namespace}/${pod.name}`, `it has ${pod.addresses.join(', ')}`),
      ),
  ]
}

function auditLease(facts: NodeFacts, lease: Lease, pod: Pod | undefined, report: Report): Finding[] {
  const { endpoint } = lease
  const stranger = whyNotIts(facts.status.node, lease, pod)
  if (stranger !== undefined) {
    return [report('lease-without-pod', objectOf(lease), stranger, { op: 'release-lease', endpoint: endpoint.id })]
  }
  // A pod whose first network is the physical one is known by its addresses there.
  if (pod === undefined || !pod.addresses.some((address) => isPodAddress(facts.cluster, address))) return []
  if (sameAddresses(pod.addresses, endpoint.addresses)) return []
  const detail = `the registry says ${pod.addresses.join(', ')}, the lease ${endpoint.addresses.join(', ')}`
  return [report('address-differs-from-pod', objectOf(lease), detail)]
}

function whyNotIts(node: string, { endpoint }: Lease, pod: Pod | undefined): string | undefined {
  if (pod === undefined) return 'the registry has no such pod'
  if (pod.node !== node) return `the registry has it on ${pod.node === '' ? 'no node' : pod.node}`
  if (endpoint.podUid !== undefined && endpoint.podUid !== pod.uid)
    return 'it was attached for an earlier pod of this name'
  return undefined
}

function sameAddresses(a: readonly Ip[], b: readonly Ip[]): boolean {
  return a.length === b.length && a.every((address) => b.includes(address))
}

function auditTenants(facts: NodeFacts, { tenants }: RegistryView, report: Report): Finding[] {
  // A host outside the cluster has no pods, and is told of no tenants.
  if (facts.self.machine.kind === 'external') return []
  const known = new Map(facts.tenants)
  const listed = new Map(tenants.map(({ namespace, vni }) => [namespace, vni]))
  return [...new Set([...known.keys(), ...listed.keys()])].flatMap((namespace) => {
    const [here, there] = [known.get(namespace), listed.get(namespace)]
    if (here === there) return []
    return [
      report('tenant-differs', `namespace ${namespace}`, `agent: ${here ?? 'none'}, registry: ${there ?? 'none'}`),
    ]
  })
}

function auditRanges(facts: NodeFacts, { networks }: RegistryView, report: Report): Finding[] {
  const listed = networks.find(({ node }) => node === facts.status.node)
  // A host that was shut out keeps its tables: nobody answers it any more, and its agent waits to be let in.
  if (listed === undefined && facts.self.machine.kind === 'external') return []
  const [here, there] = [rangesText(facts.self.ranges), rangesText(listed?.ranges ?? [])]
  return here === there ? [] : [report('ranges-differ', 'ranges', `agent: ${here}, registry: ${there}`)]
}

function auditPeers(facts: NodeFacts, { networks }: RegistryView, report: Report): Finding[] {
  const own = facts.status.node
  const known = new Map(facts.status.peers.map(({ node, ranges }) => [node, rangesText(ranges)]))
  const listed = new Map(networks.map(({ node, ranges }) => [node, rangesText(ranges)]))
  return [...new Set([...known.keys(), ...listed.keys()])].flatMap((node) => {
    const [here, there] = [known.get(node), listed.get(node)]
    if (node === own || here === there) return []
    return [report('peer-differs', `node ${node}`, `agent: ${here ?? 'unknown'}, registry: ${there ?? 'unknown'}`)]
  })
}

function rangesText(ranges: readonly string[]): string {
  return ranges.length === 0 ? 'no range' : [...ranges].sort().join(', ')
}
