/**
 * A rule as terms: sets of peers with the ports that go with them. One term is enough, but for rules that name ports of
 * the pods that a connection goes to: there every number that a name stands for has peers of its own.
 * @module
 */
import type { Match } from '../../flow/flow.ts'
import type { NamedPort } from '../model/pod.ts'
import type { Direction, PolicyRule, PortMatch } from '../model/policy.ts'
import type { GroupSpec } from './group-members.ts'
import { portTerms, termsOfNumber } from './port-terms.ts'
import { withOwn } from './rule-terms.ts'

/** Peers, and ports of which one must hold. */
export interface RuleTerm {
  readonly peers: readonly GroupSpec[] | 'anybody'
  readonly ports: readonly Match[]
}

/** Which ports the cluster's pods have by a name. */
export type PortsNamed = (name: string) => readonly NamedPort[]

/** The terms of a rule. `own` are the ports that the pod it is for has by names; `known` those of all pods. */
export function termsOf(
  rule: PolicyRule,
  direction: Direction,
  own: readonly NamedPort[],
  known: PortsNamed,
): readonly RuleTerm[] {
  const { peers, ports } = rule
  const asked = (matches: readonly Match[]): readonly Match[] => withOwn(matches, rule, direction)
  const specs = peers?.map((peer): GroupSpec => ({ peer, direction }))
  if (direction === 'ingress' || ports === undefined)
    return [{ peers: specs ?? 'anybody', ports: asked(portTerms(ports, own)) }]
  const plain = ports.filter(({ type }) => type !== 'named')
  return [
    ...(plain.length === 0 ? [] : [{ peers: specs ?? ('anybody' as const), ports: asked(portTerms(plain)) }]),
    ...ports.filter(isNamed).flatMap((port) =>
      known(port.name)
        .filter(({ protocol }) => (port.protocol ?? protocol) === protocol)
        .map((named) => ({
          peers: (peers ?? (['anybody'] as const)).map((peer): GroupSpec => ({ peer, direction, named })),
          ports: asked(termsOfNumber(named.protocol, named.port)),
        })),
    ),
  ]
}

/** The names of ports that a rule for connections of its pods speaks of. */
export function portNamesIn({ ports = [] }: PolicyRule): readonly string[] {
  return ports.flatMap((port) => (isNamed(port) ? [port.name] : []))
}

function isNamed(port: PortMatch): port is PortMatch & { readonly type: 'named' } {
  return port.type === 'named'
}
