/**
 * NetworkPolicy as the Kubernetes API has it (`networking.k8s.io/v1`). Every rule allows something; so whatever is not
 * understood allows nothing: a peer or a port that is left out, a rule for nobody, a policy that isolates every pod of its
 * namespace.
 * @module
 */
import { NETWORK_POLICIES } from '../../kube/resources.ts'
import type { Namespaces, Peer, Policy, PolicyRule, PortMatch, Selector } from '../../network/model/policy.ts'
import { MAX_EXCEPTIONS, MAX_PEERS, MAX_PORTS, MAX_RULES } from '../../network/model/validate-policy.ts'
import { optionalField } from '../fields.ts'
import type { MergePatch } from '../merge.ts'
import { type PolicyBody, policyBinding } from '../policy/binding.ts'
import type { Notes } from '../policy/notes.ts'
import {
  allIn,
  fieldsIn,
  isPart,
  itemsIn,
  namedIn,
  networkIn,
  numbersIn,
  protocolIn,
  rangeOf,
  selectorIn,
} from '../policy/reading.ts'
import { NOTHING, namespaceSelectorOf, plainPeer, plainPort, selectorOf } from '../policy/writing.ts'

/** Policy ↔ NetworkPolicy. */
export const networkPolicyBinding = policyBinding({
  kind: 'NetworkPolicy',
  resource: NETWORK_POLICIES,
  read,
  closed,
  write,
})

const NOBODY: PolicyRule = { action: 'allow', peers: [] }

function read(spec: unknown, namespace: string, notes: Notes): PolicyBody {
  const fields = fieldsIn(spec, ['podSelector', 'policyTypes', 'ingress', 'egress'], notes)
  const pods = fields && selectorIn(fields['podSelector'] ?? {}, notes.at('podSelector'))
  const types = fields && typesIn(fields, notes.at('policyTypes'))
  if (fields === undefined || pods === undefined || types === undefined) return closed(namespace)
  return {
    ...bodyOf(namespace, pods),
    ...(types.ingress ? { ingress: rulesIn(fields['ingress'], 'from', namespace, notes.at('ingress')) } : {}),
    ...(types.egress ? { egress: rulesIn(fields['egress'], 'to', namespace, notes.at('egress')) } : {}),
  }
}

/** All pods of the namespace isolated, and nothing allowed. */
function closed(namespace: string): PolicyBody {
  return { ...bodyOf(namespace, []), ingress: [], egress: [] }
}

function bodyOf(namespace: string, pods: Selector): PolicyBody {
  return { tier: 'namespace', priority: 0, subject: { namespaces: { name: namespace }, pods } }
}

/** Without a word about it: ingress always, egress where there is a rule for it. */
function typesIn(
  { policyTypes, egress }: Readonly<Record<string, unknown>>,
  notes: Notes,
): { readonly ingress: boolean; readonly egress: boolean } | undefined {
  const types = allIn(policyTypes ?? [], 16, notes, (type, place) =>
    type === 'Ingress' || type === 'Egress' ? type : place.problem('is neither Ingress nor Egress'),
  )
  if (types === undefined) return undefined
  if (types.length > 0) return { ingress: types.includes('Ingress'), egress: types.includes('Egress') }
  return { ingress: true, egress: egress !== undefined && !(Array.isArray(egress) && egress.length === 0) }
}

function rulesIn(input: unknown, key: 'from' | 'to', namespace: string, notes: Notes): readonly PolicyRule[] {
  const rules = itemsIn(input ?? [], MAX_RULES, notes) ?? []
  return rules.map((rule, index) => ruleIn(rule, key, namespace, notes.at(index)))
}

function ruleIn(input: unknown, key: 'from' | 'to', namespace: string, notes: Notes): PolicyRule {
  const fields = fieldsIn(input, [key, 'ports'], notes)
  if (fields === undefined) return NOBODY
  const peers = understoodIn(fields[key], MAX_PEERS, notes.at(key), (peer, place) => peerIn(peer, namespace, place))
  const ports = understoodIn(fields['ports'], MAX_PORTS, notes.at('ports'), portIn)
  return {
    action: 'allow',
    ...(peers === undefined ? {} : { peers: peers.items }),
    ...(ports === undefined ? {} : { ports: ports.items }),
    ...optionalField('peerFields', peers?.fields),
    ...optionalField('portFields', ports?.fields),
  }
}

/** What of a list is understood, and where it stands if that is not all. */
interface Understood<T> {
  readonly items: readonly T[]
  readonly fields?: readonly string[]
}

/** Undefined where an absent or empty list says that all is meant. */
function understoodIn<T>(
  input: unknown,
  most: number,
  notes: Notes,
  read: (item: unknown, notes: Notes) => T | undefined,
): Understood<T> | undefined {
  if (input === undefined) return undefined
  const items = itemsIn(input, most, notes)
  if (items?.length === 0) return undefined
  const found = (items ?? []).flatMap((item, index) => {
    const one = read(item, notes.at(index))
    return one === undefined ? [] : [{ one, field: fieldOf(item, notes.at(index)) }]
  })
  const understood = { items: found.map(({ one }) => one) }
  return found.length === (items ?? []).length ? understood : { ...understood, fields: found.map(({ field }) => field) }
}

/** The one selector of a peer, else the item itself. */
function fieldOf(item: unknown, { field }: Notes): string {
  const selectors = Object.keys(Object(item)).filter((key) => /^(podSelector|namespaceSelector|ipBlock)$/.test(key))
  return selectors.length === 1 ? `${field}.${selectors[0]}` : field
}

function peerIn(input: unknown, namespace: string, notes: Notes): Peer | undefined {
  const fields = fieldsIn(input, ['podSelector', 'namespaceSelector', 'ipBlock'], notes)
  if (fields === undefined) return undefined
  const { podSelector, namespaceSelector, ipBlock } = fields
  if (ipBlock !== undefined) {
    const isAlone = podSelector === undefined && namespaceSelector === undefined
    return isAlone ? blockIn(ipBlock, notes.at('ipBlock')) : notes.problem('has a selector beside its ipBlock')
  }
  if (podSelector === undefined && namespaceSelector === undefined) return notes.problem('says nothing of any peer')
  const pods = selectorIn(podSelector ?? {}, notes.at('podSelector'))
  const labels =
    namespaceSelector === undefined ? undefined : selectorIn(namespaceSelector, notes.at('namespaceSelector'))
  if (pods === undefined || (namespaceSelector !== undefined && labels === undefined)) return undefined
  const namespaces: Namespaces = labels === undefined ? { name: namespace } : { labels }
  return { type: 'pods', namespaces, pods }
}

function blockIn(input: unknown, notes: Notes): Peer | undefined {
  const fields = fieldsIn(input, ['cidr', 'except'], notes)
  if (fields === undefined) return undefined
  const range = networkIn(fields['cidr'], notes.at('cidr'))
  const place = notes.at('except')
  const except = allIn(fields['except'] ?? [], MAX_EXCEPTIONS, place, networkIn)
  if (range === undefined || except === undefined) return undefined
  const outside = except.findIndex((part) => !isPart(range, part))
  return outside < 0 ? rangeOf(range, except) : place.at(outside).problem(`is not inside ${range}`)
}

function portIn(input: unknown, notes: Notes): PortMatch | undefined {
  const fields = fieldsIn(input, ['protocol', 'port', 'endPort'], notes)
  if (fields === undefined) return undefined
  const { port, endPort } = fields
  const protocol = protocolIn(fields['protocol'], 'TCP', notes.at('protocol'))
  if (protocol === undefined) return undefined
  if (typeof port === 'number') return numbersIn(protocol, port, endPort ?? port, notes)
  if (endPort !== undefined) return notes.at('endPort').problem('needs a port that is a number')
  return port === undefined ? { type: 'protocol', protocol } : namedIn(port, protocol, notes.at('port'))
}

function write({ namespace, subject, ingress, egress }: Policy): MergePatch {
  const rulesOf = (rules: readonly PolicyRule[] | undefined, key: 'from' | 'to') =>
    rules?.map((rule) => ruleOf(rule, key, namespace)) ?? null
  return {
    podSelector: selectorOf(subject.pods),
    policyTypes: [...(ingress === undefined ? [] : ['Ingress']), ...(egress === undefined ? [] : ['Egress'])],
    ingress: rulesOf(ingress, 'from'),
    egress: rulesOf(egress, 'to'),
  }
}

/** An empty list would say everybody. */
function ruleOf({ peers, ports }: PolicyRule, key: 'from' | 'to', namespace: string | undefined): MergePatch {
  const isForNobody = peers?.length === 0 || ports?.length === 0
  if (isForNobody) return { [key]: [{ podSelector: NO_POD }] }
  return {
    ...(peers === undefined ? {} : { [key]: peers.map((peer) => peerOf(peer, namespace)) }),
    ...(ports === undefined ? {} : { ports: ports.map(portOf) }),
  }
}

const NO_POD = selectorOf(NOTHING)

/** A DNS name is nothing that a NetworkPolicy has words for. */
function peerOf(one: Peer, namespace: string | undefined): MergePatch {
  const peer = plainPeer(one)
  if (peer.type === 'range') {
    return { ipBlock: { cidr: peer.range, ...(peer.except.length === 0 ? {} : { except: peer.except }) } }
  }
  if (peer.type === 'name') return { podSelector: NO_POD }
  const podSelector = selectorOf(peer.pods)
  const isOwn = 'name' in peer.namespaces && peer.namespaces.name === namespace
  return isOwn ? { podSelector } : { namespaceSelector: namespaceSelectorOf(peer.namespaces), podSelector }
}

function portOf(one: PortMatch): MergePatch {
  const port = plainPort(one)
  if (port.type === 'protocol') return { protocol: port.protocol }
  if (port.type === 'named') return { protocol: port.protocol ?? 'TCP', port: port.name }
  const { protocol, from, to } = port
  return { protocol, port: from, ...(to === from ? {} : { endPort: to }) }
}
