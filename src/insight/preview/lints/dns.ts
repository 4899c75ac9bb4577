/**
 * Pods that are cut off from DNS: what most who write their first policy for egress forget.
 * @module
 */
import { at, listAt } from '../../../compat/fields.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Policy } from '../../../network/model/policy.ts'
import { type PartyClass, type PodClass, partyIn } from '../parties.ts'
import type { Note, Surroundings } from './lint.ts'

const PORT = 53

/** Labels of the pods that answer DNS: kubeadm's and most others', OpenShift's. */
const DNS_LABELS = [
  { key: 'k8s-app', value: 'kube-dns' },
  { key: 'dns.operator.openshift.io/daemonset-dns', value: 'default' },
] as const

/** Says when pods that a policy isolates in egress cannot ask for names. */
export function lintDns(policy: Policy, around: Surroundings): readonly Note[] {
  if (policy.tier !== 'namespace' || policy.egress === undefined) return []
  const { members, parties } = around.comparison
  const servers = parties.pods.filter(({ pods }) => pods.some(isServer))
  const far: readonly PartyClass[] =
    servers.length > 0 ? servers : [...parties.pods, ...parties.nodes, ...parties.outside]
  const where = servers.length > 0 ? 'the cluster’s DNS' : 'anybody'
  const missing = new Set<string>()
  for (const one of members.podsIn(policy.subject)) {
    // It asks itself, and whom nobody here knows.
    if (servers.includes(one)) continue
    for (const protocol of ['UDP', 'TCP'] as const) {
      if (!far.some((other) => mayAsk(one, other, protocol, around))) missing.add(protocol.toLowerCase())
    }
  }
  if (missing.size === 0) return []
  const ports = [...missing].map((protocol) => `${protocol} ${PORT}`).join(' and ')
  const effect = missing.has('udp') ? 'names cannot be resolved' : 'long answers are lost'
  return [{ field: 'spec.egress', says: `pods that it isolates cannot reach ${where} on ${ports}: ${effect}` }]
}

function isServer({ labels = {} }: { readonly labels?: Readonly<Record<string, string>> }): boolean {
  return DNS_LABELS.some(({ key, value }) => Object.hasOwn(labels, key) && labels[key] === value)
}

/** Whether the policies of a pod will let it connect to any address of another. */
function mayAsk(one: PodClass, other: PartyClass, protocol: 'UDP' | 'TCP', { comparison }: Surroundings): boolean {
  const subject = comparison.subjects.of(one, 'egress')
  const isOne = one === other
  if (isOne && one.pods.length < 2) return false
  return one.points.some((from, i) =>
    other.points.some((to, j) => {
      if (from.family !== to.family) return false
      const ends = () => ({ source: partyIn(one, 0, i), destination: partyIn(other, isOne ? 1 : 0, j) })
      const { steps } = comparison.subjects.outcome(subject, to, ends)
      const step = steps.find((each) => each.protocol === protocol && each.from <= PORT && PORT <= each.to)
      return step?.after.allowed ?? false
    }),
  )
}

/** Says where port 53 stands without a protocol: that is TCP, and DNS asks by UDP. */
export function lintPort53(object: KubeObject): readonly Note[] {
  if (object.kind !== 'NetworkPolicy') return []
  return ['ingress', 'egress'].flatMap((direction) =>
    listAt(object, 'spec', direction).flatMap((rule, i) => {
      const ports = listAt(rule, 'ports')
      if (ports.some((port) => at(port, 'port') === PORT && at(port, 'protocol') === 'UDP')) return []
      return ports.flatMap((port, j) => {
        if (at(port, 'port') !== PORT || at(port, 'protocol') !== undefined) return []
        const says = 'port 53 without a protocol is tcp only, and DNS asks by udp'
        return [{ field: `spec.${direction}[${i}].ports[${j}]`, says }]
      })
    }),
  )
}
