/**
 * What Calico's policies say about a connection, judged from the objects as users write them: written from Calico's
 * reference, and sharing nothing with what is tested but addresses. Kubernetes' NetworkPolicies stand beside them as they
 * do in Calico, with order 1000.
 */
import { BlockList } from 'node:net'
import { selects } from './selector-oracle.ts'

/** An end of a rule. */
export interface Entity {
  readonly nets?: readonly string[]
  readonly notNets?: readonly string[]
  readonly selector?: string
  readonly notSelector?: string
  readonly namespaceSelector?: string
  readonly ports?: readonly (number | string)[]
  readonly notPorts?: readonly (number | string)[]
}

export interface Message {
  readonly type?: number
  readonly code?: number
}

export interface Rule {
  readonly action: 'Allow' | 'Deny' | 'Pass' | 'Log'
  readonly ipVersion?: 4 | 6
  readonly protocol?: string | number
  readonly notProtocol?: string | number
  readonly icmp?: Message
  readonly notICMP?: Message
  readonly source?: Entity
  readonly destination?: Entity
}

/** A policy of Calico, with a namespace or of the whole cluster. */
export interface CalicoPolicy {
  readonly name: string
  readonly namespace?: string
  readonly order?: number
  readonly selector?: string
  readonly namespaceSelector?: string
  readonly types?: readonly ('Ingress' | 'Egress')[]
  readonly ingress?: readonly Rule[]
  readonly egress?: readonly Rule[]
}

/** A NetworkPolicy of Kubernetes, as far as these tests use it: for pods with a label, from pods with a label, at a port. */
export interface KubePolicy {
  readonly name: string
  readonly namespace: string
  readonly pod?: string
  readonly direction: 'Ingress' | 'Egress'
  readonly allows: readonly { readonly pod?: string; readonly port?: number }[]
}

export interface LabelledNets {
  readonly name: string
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
  readonly nets: readonly string[]
}

export interface CalicoWorld {
  readonly calico: readonly CalicoPolicy[]
  readonly kubernetes: readonly KubePolicy[]
  readonly sets: readonly LabelledNets[]
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** An end of a connection. A pod has a namespace; whoever has none is somewhere else. */
export interface Party {
  readonly address: string
  readonly namespace?: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly ports?: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
}

export interface Call {
  readonly from: Party
  readonly to: Party
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'ICMP'
  readonly port: number
  readonly sourcePort: number
  readonly icmp: { readonly type: number; readonly code: number }
}

/** Whether both ends let a connection be. */
export function isAllowed(world: CalicoWorld, call: Call): boolean {
  const { from, to } = call
  if (from.namespace !== undefined && from.namespace === to.namespace && from.name === to.name) return true
  return lets(world, call, from, 'Egress') && lets(world, call, to, 'Ingress')
}

type Way = 'Ingress' | 'Egress'
type Outcome = 'Allow' | 'Deny' | 'Pass' | 'none'

function lets(world: CalicoWorld, call: Call, party: Party, way: Way): boolean {
  if (party.namespace === undefined) return true
  const judges = [
    ...world.calico
      .filter((policy) => appliesTo(world, policy, party) && waysOf(policy).includes(way))
      .map((policy) => ({
        order: policy.order ?? Number.POSITIVE_INFINITY,
        name: policy.name,
        says: () => calicoSays(world, policy, call, way),
      })),
    ...world.kubernetes
      .filter(({ namespace, pod, direction }) => {
        return (
          namespace === party.namespace && direction === way && (pod ?? party.labels?.['pod']) === party.labels?.['pod']
        )
      })
      .map((policy) => ({ order: 1000, name: `knp.default.${policy.name}`, says: () => kubeSays(policy, call, way) })),
  ].sort((a, b) => (a.order === b.order ? (a.name < b.name ? -1 : 1) : a.order - b.order))
  if (judges.length === 0) return true
  for (const { says } of judges) {
    const outcome = says()
    // Behind the last tier is the profile of the namespace, which allows everything.
    if (outcome !== 'none') return outcome !== 'Deny'
  }
  return false
}

function waysOf({ types, ingress = [], egress = [] }: CalicoPolicy): readonly Way[] {
  if (types !== undefined) return types
  if (egress.length === 0) return ['Ingress']
  return ingress.length === 0 ? ['Egress'] : ['Ingress', 'Egress']
}

function appliesTo(world: CalicoWorld, policy: CalicoPolicy, party: Party): boolean {
  if (policy.namespace !== undefined && policy.namespace !== party.namespace) return false
  const labels = labelsOfPod(world, party)
  return selects(policy.selector ?? '', labels) && inNamespaces(world, policy.namespaceSelector, party.namespace)
}

function labelsOfPod(world: CalicoWorld, { namespace = '', labels = {} }: Party): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(labels),
    ...Object.entries(world.namespaces[namespace] ?? {}).map(([key, value]) => [`pcns.${key}`, value] as const),
    ['projectcalico.org/namespace', namespace],
    ['projectcalico.org/orchestrator', 'k8s'],
  ])
}

function labelsOfSet(world: CalicoWorld, { namespace, labels }: LabelledNets): ReadonlyMap<string, string> {
  if (namespace === undefined) return new Map(Object.entries(labels))
  const inherited = Object.entries(world.namespaces[namespace] ?? {}).map(
    ([key, value]) => [`pcns.${key}`, value] as const,
  )
  return new Map([...Object.entries(labels), ...inherited, ['projectcalico.org/namespace', namespace]])
}

function inNamespaces(world: CalicoWorld, selector: string | undefined, namespace: string | undefined): boolean {
  if (selector === undefined || selector === '') return true
  if (selector === 'all()') return namespace !== undefined
  if (namespace === undefined) return selects(selector, new Map())
  const own = { ...world.namespaces[namespace], 'projectcalico.org/name': namespace }
  return selects(selector, new Map([...Object.entries(own), ['projectcalico.org/namespace', namespace]]))
}

function calicoSays(world: CalicoWorld, policy: CalicoPolicy, call: Call, way: Way): Outcome {
  const rules = (way === 'Ingress' ? policy.ingress : policy.egress) ?? []
  const found = rules.find(({ action, ...match }) => action !== 'Log' && matches(world, policy, match, call))
  return found === undefined || found.action === 'Log' ? 'none' : found.action
}

function matches(world: CalicoWorld, policy: CalicoPolicy, rule: Omit<Rule, 'action'>, call: Call): boolean {
  const family = call.to.address.includes(':') ? 6 : 4
  const number = call.protocol === 'ICMP' ? (family === 4 ? 1 : 58) : { TCP: 6, UDP: 17, SCTP: 132 }[call.protocol]
  const { ipVersion, protocol, notProtocol, icmp, notICMP, source = {}, destination = {} } = rule
  if (ipVersion !== undefined && ipVersion !== family) return false
  if (protocol !== undefined && numberOf(protocol) !== number) return false
  if (notProtocol !== undefined && numberOf(notProtocol) === number) return false
  if (icmp !== undefined && !isMessage(icmp, call)) return false
  if (notICMP !== undefined && isMessage(notICMP, call)) return false
  return (
    isEnd(world, policy, source, call.from) &&
    isEnd(world, policy, destination, call.to) &&
    hasPort(source, call.sourcePort, call.from, call.protocol) &&
    hasPort(destination, call.port, call.to, call.protocol)
  )
}

function numberOf(protocol: string | number): number {
  if (typeof protocol === 'number') return protocol
  return { TCP: 6, UDP: 17, SCTP: 132, ICMP: 1, ICMPv6: 58, UDPLite: 136 }[protocol] ?? Number(protocol)
}

function isMessage({ type, code }: Message, { icmp }: Call): boolean {
  return (type ?? icmp.type) === icmp.type && (code ?? icmp.code) === icmp.code
}

function hasPort({ ports, notPorts }: Entity, port: number, party: Party, protocol: string): boolean {
  const is = (item: number | string): boolean => {
    if (typeof item === 'number') return item === port
    const [first, last] = item.split(':')
    if (/^\d+$/.test(item) || last !== undefined) return Number(first) <= port && port <= Number(last ?? first)
    return (party.ports ?? []).some((one) => one.name === item && one.port === port && one.protocol === protocol)
  }
  if (ports !== undefined && !ports.some(is)) return false
  return notPorts === undefined || !notPorts.some(is)
}

function isEnd(world: CalicoWorld, policy: CalicoPolicy, entity: Entity, party: Party): boolean {
  const { nets, notNets, selector, notSelector, namespaceSelector } = entity
  if (nets !== undefined && !isIn(nets, party.address)) return false
  if (notNets !== undefined && isIn(notNets, party.address)) return false
  if (selector === undefined && namespaceSelector === undefined) return true
  const own = policy.namespace !== undefined && namespaceSelector === undefined ? policy.namespace : undefined
  const isMeant = (labels: ReadonlyMap<string, string>, namespace: string | undefined): boolean =>
    (own === undefined || own === namespace) &&
    inNamespaces(world, namespaceSelector, namespace) &&
    selects(selector ?? '', labels) &&
    (notSelector === undefined || !selects(notSelector, labels))
  if (party.namespace !== undefined && isMeant(labelsOfPod(world, party), party.namespace)) return true
  return world.sets.some((set) => isIn(set.nets, party.address) && isMeant(labelsOfSet(world, set), set.namespace))
}

function isIn(nets: readonly string[], address: string): boolean {
  const list = new BlockList()
  const type = address.includes(':') ? 'ipv6' : 'ipv4'
  // The list takes IPv4 for a part of IPv6.
  for (const net of nets.filter((one) => one.includes(':') === address.includes(':'))) {
    const [first = '', length] = net.split('/')
    if (length === undefined) list.addAddress(first, type)
    else list.addSubnet(first, Number(length), type)
  }
  return list.check(address, type)
}

function kubeSays({ allows, namespace }: KubePolicy, { from, to, protocol, port }: Call, way: Way): Outcome {
  const other = way === 'Ingress' ? from : to
  const is = allows.some(
    (one) =>
      (one.pod === undefined || (other.namespace === namespace && other.labels?.['pod'] === one.pod)) &&
      (one.port === undefined || (protocol === 'TCP' && one.port === port)),
  )
  return is ? 'Allow' : 'none'
}
