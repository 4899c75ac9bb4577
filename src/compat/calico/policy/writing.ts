/**
 * Policies in Calico's words. What Calico has no words for is written as nobody.
 * @module
 */
import type { Condition, Holder } from '../../../network/model/condition.ts'
import { NAMESPACE_NAME_LABEL } from '../../../network/model/pod.ts'
import type {
  AddressRange,
  Direction,
  Peer,
  PodSet,
  Policy,
  PolicyRule,
  PortMatch,
  Requirement,
} from '../../../network/model/policy.ts'
import type { MergePatch } from '../../merge.ts'

const ACTIONS = { allow: 'Allow', deny: 'Deny', pass: 'Pass' } as const
const SIGNS = { contains: 'contains', startsWith: 'starts with', endsWith: 'ends with' } as const
const NOBODY = '!all()'

/** The `spec` of a policy. */
export function specOf({ namespace, order, subject, ingress, egress }: Policy): MergePatch {
  const types = [...(ingress === undefined ? [] : ['Ingress']), ...(egress === undefined ? [] : ['Egress'])]
  return {
    ...(order === undefined ? {} : { order }),
    selector: podSetText(subject, namespace),
    types,
    ...(ingress === undefined ? {} : { ingress: ingress.flatMap((rule) => rulesOf(rule, 'ingress', namespace)) }),
    ...(egress === undefined ? {} : { egress: egress.flatMap((rule) => rulesOf(rule, 'egress', namespace)) }),
  }
}

type Ends = Readonly<Record<'source' | 'destination', MergePatch>>

/** Calico's rules have one protocol each. What a rule denies and logs takes two. */
function rulesOf(rule: PolicyRule, direction: Direction, namespace: string | undefined): readonly MergePatch[] {
  const groups: readonly (Group | undefined)[] = rule.ports === undefined ? [undefined] : groupsOf(rule.ports)
  const ends = endsOf(rule, direction, namespace)
  // Of no port at all is as good as for nobody.
  const matches = groups.length === 0 ? [endsOf({ ...rule, peers: [] }, direction, namespace)] : []
  for (const group of groups) matches.push(matchOf(group, ends, rule.sourcePorts))
  return matches.flatMap((match) => {
    const said = { action: ACTIONS[rule.action], ...match }
    return rule.log === true ? [{ action: 'Log', ...match }, said] : [said]
  })
}

function endsOf({ peers, own }: PolicyRule, direction: Direction, namespace: string | undefined): Ends {
  const nobody = { selector: NOBODY }
  const far = peers === undefined ? {} : peers.length === 0 ? nobody : entityOf(peers, namespace)
  const near = own === undefined ? {} : netsOf(own)
  return direction === 'ingress' ? { source: far, destination: near } : { source: near, destination: far }
}

function matchOf(group: Group | undefined, { source, destination }: Ends, from: PolicyRule['sourcePorts']): Ends {
  const { ports, ...transport } = group ?? {}
  return {
    ...transport,
    source: { ...source, ...(from === undefined ? {} : { ports: from.map(portOf) }) },
    destination: { ...destination, ...(ports === undefined ? {} : { ports }) },
  }
}

interface Group {
  readonly protocol: string | number
  readonly ports?: readonly unknown[]
  readonly icmp?: MergePatch
}

function groupsOf(ports: readonly PortMatch[]): readonly Group[] {
  const groups: Group[] = []
  for (const port of ports) {
    if (port.type === 'protocol') groups.push({ protocol: port.protocol })
    else if (port.type === 'ip') groups.push({ protocol: port.number })
    else if (port.type === 'icmp') groups.push(messageOf(port))
    else {
      const protocol = port.protocol ?? 'TCP'
      const at = groups.findIndex((one) => one.protocol === protocol && one.ports !== undefined)
      const item = port.type === 'named' ? port.name : portOf(port)
      const known = groups[at]
      if (known === undefined) groups.push({ protocol, ports: [item] })
      else groups[at] = { ...known, ports: [...(known.ports ?? []), item] }
    }
  }
  return groups
}

function messageOf({ family, icmpType, code }: Extract<PortMatch, { readonly type: 'icmp' }>): Group {
  const protocol = family === 4 ? 'ICMP' : 'ICMPv6'
  if (icmpType === undefined) return { protocol }
  return { protocol, icmp: { type: icmpType, ...(code === undefined ? {} : { code }) } }
}

function portOf({ from, to }: { readonly from: number; readonly to: number }): number | string {
  return from === to ? from : `${from}:${to}`
}

/** A rule that was read has ranges, or pods and network sets of the same demands. */
function entityOf(peers: readonly Peer[], namespace: string | undefined): MergePatch {
  const ranges = peers.filter((peer) => peer.type === 'range')
  if (ranges.length > 0) return netsOf(ranges)
  const found = peers.find((peer) => peer.type === 'pods') ?? peers.find((peer) => peer.type === 'sets')
  if (found === undefined) return { selector: NOBODY }
  const nets = found.within === undefined ? {} : netsOf(found.within)
  if (found.type === 'sets') return { selector: textOf(found.where), namespaceSelector: 'all()', ...nets }
  const isOwn = namespace !== undefined && 'name' in found.namespaces && found.namespaces.name === namespace
  const isWide = namespace !== undefined && !isOwn
  return { selector: podSetText(found, namespace), ...(isWide ? { namespaceSelector: 'all()' } : {}), ...nets }
}

function netsOf(ranges: readonly AddressRange[]): MergePatch {
  const holes = ranges.flatMap(({ except }) => except)
  return { nets: ranges.map(({ range }) => range), ...(holes.length === 0 ? {} : { notNets: holes }) }
}

function podSetText({ namespaces, pods, where }: PodSet, own: string | undefined): string {
  const labels: readonly Requirement[] =
    'name' in namespaces
      ? namespaces.name === own
        ? []
        : [{ key: NAMESPACE_NAME_LABEL, operator: 'In', values: [namespaces.name] }]
      : namespaces.labels
  const parts = [
    ...pods.map((one) => demandText(one, 'own')),
    ...labels.map((one) => demandText(one, 'namespace')),
    ...(where === undefined ? [] : [`(${textOf(where)})`]),
  ]
  return parts.length === 0 ? 'all()' : parts.join(' && ')
}

function demandText({ key, operator, values }: Requirement, of: Holder): string {
  const name = keyText(key, of)
  if (operator === 'Exists') return `has(${name})`
  if (operator === 'DoesNotExist') return `!has(${name})`
  return `${name} ${operator === 'In' ? 'in' : 'not in'} {${values.map(quoted).join(', ')}}`
}

/** A condition as Calico writes it. */
export function textOf(condition: Condition): string {
  switch (condition.type) {
    case 'all':
      return 'all()'
    case 'namespaced':
      return '!global()'
    case 'has':
      return `has(${keyText(condition.key, condition.of)})`
    case 'compare': {
      const { of, key, how, values } = condition
      const name = keyText(key, of)
      if (how === 'in') return `${name} in {${values.map(quoted).join(', ')}}`
      return values.length === 0 ? NOBODY : values.map((value) => `${name} ${SIGNS[how]} ${quoted(value)}`).join(' || ')
    }
    case 'not':
      return `!(${textOf(condition.condition)})`
    default:
      return condition.conditions.map((one) => `(${textOf(one)})`).join(condition.type === 'and' ? ' && ' : ' || ')
  }
}

function keyText(key: string, of: Holder): string {
  if (of === 'own') return key
  return key === NAMESPACE_NAME_LABEL ? 'projectcalico.org/namespace' : `pcns.${key}`
}

/** No value holds both kinds of quotes: there is no way to write that. */
function quoted(value: string): string {
  return value.includes("'") ? `"${value}"` : `'${value}'`
}
