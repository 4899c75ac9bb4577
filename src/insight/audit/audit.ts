/**
 * Whether everything that should agree does: leases, ports, links, addresses, flows, and what the registry says.
 * @module
 */
import type { ClusterView } from '../view.ts'
import { auditAddresses } from './addresses.ts'
import { auditAttachments } from './attachments.ts'
import type { Finding } from './findings.ts'
import { auditFlows } from './flows.ts'
import { auditGroups } from './groups.ts'
import { auditLimits } from './limits.ts'
import { auditShared, auditUnplugged } from './shared.ts'

/** Every difference, node by node. Empty: all agree. */
export function audit(view: ClusterView): readonly Finding[] {
  const { registry } = view
  const findings = [
    ...view.silent.map(({ name, cause }) => silence('agent-silent', name, cause)),
    ...(view.registryProblem === undefined ? [] : [silence('registry-silent', '-', view.registryProblem)]),
    ...view.nodes.flatMap((facts) => [
      ...auditAttachments(facts),
      ...auditUnplugged(facts),
      ...auditFlows(facts),
      ...auditGroups(facts),
      ...auditLimits(facts),
      ...(registry === undefined ? [] : auditShared(facts, registry)),
    ]),
    ...auditAddresses(view.nodes),
  ]
  return findings.sort((a, b) => (a.node === b.node ? 0 : a.node < b.node ? -1 : 1))
}

/**
 * The findings of a later look that an earlier one had too. Pods come and go while agents are asked one after the
 * other: what is true twice is no such moment.
 */
export function lasting(earlier: readonly Finding[], later: readonly Finding[]): readonly Finding[] {
  const before = new Set(earlier.map(identity))
  return later.filter((finding) => before.has(identity(finding)))
}

function identity({ code, node, object }: Finding): string {
  return JSON.stringify([code, node, object])
}

function silence(code: 'agent-silent' | 'registry-silent', node: string, detail: string): Finding {
  return { code, node, object: code === 'agent-silent' ? `node ${node}` : 'registry', detail, step: undefined }
}
