/**
 * What administrators' objects make of a cluster's BGP: whose selectors mean which nodes, what is left out, and why.
 * @module
 */
import {
  type BgpCluster,
  type BgpFilter,
  type BgpNode,
  type BgpPeer,
  type BgpPool,
  type Community,
  FAMILIES,
  type PeeringNodes,
  type PeeringTarget,
} from '../../../network/fabric/bgp/model.ts'
import { contains, familyOf, type Ip, networkAround } from '../../../network/model/address.ts'
import type { BgpConfiguration, BgpPeering, BgpRange } from '../../../network/model/bgp.ts'
import type { Node } from '../../../network/model/node.ts'
import type { FieldProblem } from '../../../network/model/problem.ts'
import { meets } from '../selector/expression.ts'
import { parseSelector } from '../selector/parse.ts'
import { ADDRESSES } from './node.ts'

/** Everything that is said. */
export interface BgpObjects {
  /** The one that counts; absent: nothing is said for all nodes. */
  readonly configuration?: BgpConfiguration
  readonly peerings: Iterable<BgpPeering>
  readonly filters: Iterable<BgpFilter>
  readonly ranges: Iterable<BgpRange>
  readonly nodes: Iterable<Node>
}

/** A cluster's BGP, and what was asked for and cannot be. */
export interface WishedBgp {
  readonly cluster: BgpCluster
  readonly problems: readonly FieldProblem[]
}

/** The BGP of a cluster whose nodes and ranges are those of `base`. */
export function wishedBgp(base: BgpCluster, objects: BgpObjects): WishedBgp {
  const problems: FieldProblem[] = []
  const nodes = new Map([...objects.nodes].map((node) => [node.name, node]))
  const whole = withConfiguration(base, objects.configuration)
  const whose = whoseAddresses(whole, nodes)
  const known = base.nodes.map((node) => withNode(node, nodes.get(node.name), whose, problems))
  const labelled: Labelled = known.map(({ name }) => ({ name, labels: nodes.get(name)?.labels ?? {} }))
  const filters = new Map([...objects.filters].map((filter) => [filter.name, filter]))
  const peerings = [...objects.peerings].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {
    cluster: {
      ...whole,
      nodes: known,
      peers: peerings.flatMap((peering) => peerOf(peering, labelled, filters, problems) ?? []),
      filters: [...filters.values()],
      pools: [...base.pools, ...[...objects.ranges].flatMap((range) => poolOf(range, problems))],
    },
    problems,
  }
}

type Labelled = readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[]

function withConfiguration(base: BgpCluster, configuration: BgpConfiguration | undefined): BgpCluster {
  if (configuration === undefined) return base
  const { mesh, asNumber, port, isStrictlyBound, meshPassword, meshRestart } = configuration
  const { bfd, ignoredInterfaces, communities = [], metric4, metric6 } = configuration
  const { mesh: _, ...rest } = base
  return {
    ...rest,
    asNumber: asNumber ?? base.asNumber,
    port: port ?? base.port,
    isStrictlyBound: isStrictlyBound ?? base.isStrictlyBound,
    bfd: bfd ?? base.bfd,
    ...(mesh === false
      ? {}
      : {
          mesh: {
            bfd: bfd !== undefined,
            ...(meshPassword === undefined ? {} : { password: meshPassword }),
            ...(meshRestart === undefined ? {} : { restart: meshRestart }),
          },
        }),
    ignoredInterfaces: ignoredInterfaces ?? base.ignoredInterfaces,
    communities: communities.map(({ cidr, add }) => ({ cidr, add: add.map(communityOf) })),
    metric: { 4: metric4 ?? base.metric[4], 6: metric6 ?? base.metric[6] },
  }
}

function communityOf(text: string): Community {
  const [a = 0, b = 0, c] = text.split(':').map(Number)
  return c === undefined ? [a, b] : [a, b, c]
}

/** Whose an address is. What a node's annotation says is worth less than what the cluster reaches nodes at. */
interface WhoseAddresses {
  /** Why a node cannot have it, for people. */
  objection(node: string, address: Ip): string | undefined
}

function whoseAddresses({ nodes, pools, services }: BgpCluster, objects: ReadonlyMap<string, Node>): WhoseAddresses {
  const [reached, annotated] = [new Map<Ip, Set<string>>(), new Map<Ip, Set<string>>()]
  const note = (map: Map<Ip, Set<string>>, address: Ip, name: string): void => {
    const names = map.get(address) ?? new Set()
    map.set(address, names.add(name))
  }
  for (const { name, addresses } of nodes) {
    const { addresses: own = [], bgp } = objects.get(name) ?? {}
    for (const address of [...Object.values(addresses), ...own]) note(reached, address, name)
    for (const { address } of bgp?.addresses ?? []) note(annotated, address, name)
  }
  const networks = [...pools.map(({ cidr }) => cidr), ...services]
  return {
    objection(node, address) {
      const network = networks.find((one) => familyOf(one) === familyOf(address) && contains(one, address))
      if (network !== undefined) return `it is within ${network}, whose addresses are of pods or services`
      const owners = reached.get(address)
      const [other] = [...(owners ?? annotated.get(address) ?? [])].filter((name) => name !== node)
      return other === undefined || owners?.has(node) === true ? undefined : `it is the address of ${other}`
    },
  }
}

/** What its own object says goes before what other nodes reach it at. */
function withNode(node: BgpNode, object: Node | undefined, whose: WhoseAddresses, problems: FieldProblem[]): BgpNode {
  const said = object?.bgp
  if (said === undefined) return node
  if (said.problem !== undefined) {
    const remedy = 'correct the annotation, or take it away'
    problems.push({ field: `Node ${node.name}`, reason: said.problem, remedy })
  }
  const of = (family: 4 | 6) => said.addresses.find(({ address }) => familyOf(address) === family)
  const found = FAMILIES.flatMap((family) => {
    const one = of(family)
    const objection = one && whose.objection(node.name, one.address)
    if (one !== undefined && objection !== undefined) {
      problems.push({
        field: `Node ${node.name} annotation ${ADDRESSES[family]}`,
        reason: `${one.address} does not count: ${objection}`,
        remedy: 'correct the annotation, or take it away',
      })
    }
    return one === undefined || objection !== undefined
      ? []
      : [{ family, address: one.address, network: networkAround(one.address, one.length) }]
  })
  return {
    ...node,
    addresses: { ...node.addresses, ...Object.fromEntries(found.map(({ family, address }) => [family, address])) },
    networks: { ...node.networks, ...Object.fromEntries(found.map(({ family, network }) => [family, network])) },
    ...(said.asNumber === undefined ? {} : { asNumber: said.asNumber }),
    ...(said.clusterId === undefined ? {} : { clusterId: said.clusterId }),
  }
}

/** A range of this name that goes in tunnels of Weft's own: `ipip` is none of these. */
function poolOf({ name, cidr, isHidden, tunnel }: BgpRange, problems: FieldProblem[]): readonly BgpPool[] {
  if (tunnel === 'ipip') {
    problems.push({
      field: `IPPool ${name} spec.ipipMode`,
      reason: 'there are no ipip tunnels here; its packets take the tunnel that the cluster has',
      remedy: 'set ipipMode to Never',
    })
  }
  return [{ cidr, isHidden: isHidden === true, isEncapsulated: tunnel !== undefined }]
}

/** A peering that is not understood as a whole is none: half of it could be open to more than was meant. */
function peerOf(
  peering: BgpPeering,
  nodes: Labelled,
  filters: ReadonlyMap<string, BgpFilter>,
  problems: FieldProblem[],
): BgpPeer | undefined {
  const before = problems.length
  const problem = (field: string, reason: string, remedy: string): void => {
    problems.push({ field: `BGPPeer ${peering.name} spec.${field}`, reason, remedy })
  }
  const named = (selector: string, field: string): readonly string[] => {
    const parsed = parseSelector(selector)
    if (parsed.ok) return nodes.filter(({ labels }) => meets(parsed.expression, labels)).map(({ name }) => name)
    problem(field, `character ${parsed.at}: ${parsed.reason}`, 'correct the selector')
    return []
  }
  for (const filter of peering.filters ?? []) {
    if (filters.has(filter)) continue
    problem(
      'filters',
      `there is no BGPFilter ${filter} that can be read: the peering is left out`,
      'create it, or mend it',
    )
  }
  const on = nodesOf(peering, named)
  const to = targetOf(peering, named)
  if (problems.length > before || to === undefined) return undefined
  return {
    name: peering.name,
    on,
    to,
    nextHop: peering.nextHop ?? 'auto',
    bfd: peering.bfd ?? false,
    source: peering.source ?? 'node',
    filters: peering.filters ?? [],
    ...present('localAs', peering.localAs),
    ...present('password', peering.password),
    ...present('restart', peering.restart),
    ...present('keepalive', peering.keepalive),
    ...present('allowedLocalAs', peering.allowedLocalAs),
    ...present('ttlSecurity', peering.ttlSecurity),
    ...present('reachableBy', peering.reachableBy),
  }
}

type Named = (selector: string, field: string) => readonly string[]

function nodesOf({ node, nodeSelector }: BgpPeering, named: Named): PeeringNodes {
  if (node !== undefined) return { kind: 'node', node }
  if (nodeSelector === undefined) return { kind: 'all' }
  return { kind: 'selected', nodes: named(nodeSelector, 'nodeSelector') }
}

function targetOf(
  { address, port, asNumber, peerSelector, isMutual }: BgpPeering,
  named: Named,
): PeeringTarget | undefined {
  if (peerSelector !== undefined)
    return { kind: 'nodes', nodes: named(peerSelector, 'peerSelector'), isMutual: isMutual ?? true }
  if (address === undefined || asNumber === undefined) return undefined
  return { kind: 'address', address, asNumber, ...present('port', port) }
}

function present<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T }
}
