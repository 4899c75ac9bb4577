/**
 * What administrators' objects make of a cluster's BGP: whose selectors mean which nodes, what is left out, and why.
 * @module
 */
import type {
  BgpCluster,
  BgpFilter,
  BgpPeer,
  BgpPool,
  Community,
  PeeringNodes,
  PeeringTarget,
} from '../../../network/fabric/bgp/model.ts'
import type { BgpConfiguration, BgpPeering, BgpRange } from '../../../network/model/bgp.ts'
import type { Node } from '../../../network/model/node.ts'
import { meets } from '../selector/expression.ts'
import { parseSelector } from '../selector/parse.ts'
import { whoseAddresses, withNode } from './nodes.ts'
import { type BgpProblem, bgpProblem } from './problem.ts'

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
  readonly problems: readonly BgpProblem[]
}

/** The BGP of a cluster whose nodes and ranges are those of `base`. */
export function wishedBgp(base: BgpCluster, objects: BgpObjects): WishedBgp {
  const problems: BgpProblem[] = []
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
      pools: [...base.pools, ...[...objects.ranges].map((range) => poolOf(range, base, problems))],
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

/** Calico's tunnels between segments are ours, of whatever kind; where the cluster's fabric has none, its packets go by routes. */
function poolOf(
  { name, cidr, isHidden, tunnel, isCrossSubnet, isDisabled }: BgpRange,
  { hasTunnels }: BgpCluster,
  problems: BgpProblem[],
): BgpPool {
  const problem = (field: string, reason: string, remedy: string): void => {
    problems.push(bgpProblem('BgpRange', name, { field: `spec.${field}`, reason, remedy }))
  }
  const how = hasTunnels ? 'its packets take the tunnel that the cluster has' : 'its packets go by routes'
  if (tunnel === 'ipip') problem('ipipMode', `there are no ipip tunnels here; ${how}`, 'set ipipMode to Never')
  if (tunnel === 'vxlan' && !hasTunnels)
    problem(
      'vxlanMode',
      `the cluster’s fabric refuses tunnels; ${how}`,
      'set it to Never, or weft.fabric.otherwise to tunnel',
    )
  if (isDisabled === true)
    problem('disabled', 'nodes have their addresses out of the ClusterNetwork: it stops nothing', 'leave it out')
  const encapsulated = tunnel === undefined || !hasTunnels ? 'never' : isCrossSubnet === true ? 'across' : 'always'
  return { cidr, isHidden: isHidden === true, encapsulated }
}

/** A peering that is not understood as a whole is none: half of it could be open to more than was meant. */
function peerOf(
  peering: BgpPeering,
  nodes: Labelled,
  filters: ReadonlyMap<string, BgpFilter>,
  problems: BgpProblem[],
): BgpPeer | undefined {
  const before = problems.length
  const problem = (field: string, reason: string, remedy: string): void => {
    problems.push(bgpProblem('BgpPeering', peering.name, { field: `spec.${field}`, reason, remedy }))
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
