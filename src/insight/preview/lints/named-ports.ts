/**
 * Names of ports that no pod has.
 * @module
 */
import type { Pod } from '../../../network/model/pod.ts'
import {
  DIRECTIONS,
  type Direction,
  type Policy,
  type PolicyRule,
  type PortMatch,
} from '../../../network/model/policy.ts'
import type { PodClass } from '../parties.ts'
import type { Note, Surroundings } from './lint.ts'

/** Says which of a policy's names for ports are nobody's. */
export function lintNamedPorts(policy: Policy, around: Surroundings): readonly Note[] {
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap((rule, i) =>
      (rule.ports ?? []).flatMap((match, j) => {
        if (match.type !== 'named') return []
        const classes = destinationsOf(policy, direction, rule, around)
        if (classes.length === 0 || classes.some(({ pods }) => pods.some((pod) => hasPort(pod, match)))) return []
        const list = policy.kind === 'ClusterNetworkPolicy' ? 'protocols' : 'ports'
        return [{ field: `spec.${direction}[${i}].${list}[${j}]`, says: `no such pod has a port named ${match.name}` }]
      }),
    ),
  )
}

/** The pods that connections of a rule go to: there names of ports are looked for. */
function destinationsOf(
  { subject }: Policy,
  direction: Direction,
  { peers }: PolicyRule,
  { comparison: { members, parties } }: Surroundings,
): readonly PodClass[] {
  if (direction === 'ingress') return members.podsIn(subject)
  // A range may hold any pod.
  if (peers === undefined || peers.some(({ type }) => type !== 'pods')) return parties.pods
  return peers.flatMap((peer) => (peer.type === 'pods' ? members.podsIn(peer) : []))
}

function hasPort({ namedPorts = [] }: Pod, match: Extract<PortMatch, { readonly type: 'named' }>): boolean {
  return namedPorts.some(
    ({ name, protocol }) => name === match.name && (match.protocol === undefined || protocol === match.protocol),
  )
}
