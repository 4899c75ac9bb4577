/**
 * What a node tells, what it believes, and what of that its kernel gets.
 *
 * A node's own ranges stand in BIRD alone, as routes to nowhere: its switch answers for them, and a route of the kernel
 * would take them away from it. A route that cannot be right does not get in: of a node nothing but its own ranges, of a
 * reflector nothing but what leads to the node whose range it is, of nobody what is within this node's own. What others tell of services goes on to peers, and to no
 * kernel: every switch knows services by itself.
 * @module
 */
import {
  type Cidr,
  type Family,
  familyOf,
  firstIp,
  hostCidr,
  type Ip,
  networkAround,
  prefixLength,
} from '../../model/address.ts'
import { LEAVE_TABLE, OUTSIDE_TABLE } from '../direct.ts'
import { type BgpCluster, type BgpSelf, FAMILIES } from './model.ts'
import { filterCalls, filterFunctions, type GuardedNetwork, guardFunctions, isInside } from './rules.ts'
import { type BgpSession, isInternal } from './session.ts'
import { addressText, communityText, indented, interfacePattern, isWithin, networkText, whole } from './text.ts'

/** Routes in kernels that are this program's own, by their protocol number: BIRD never learns them. */
const OWN_PROTOCOL = 77
/** What a metric is taken from: BIRD carries it to peers of the same AS as local preference. */
const TOP = 2_147_483_647
/** By this metric ways to peers are known as ours in the kernel's main table, where other routes of a BIRD may be. */
export const WAY_METRIC = LEAVE_TABLE
/** Metrics beyond are no metrics: such a route comes from somebody who does not say one. */
const MOST = 65_536

/** Static routes, functions and the kernel's protocol for one family. */
export function familyText(
  cluster: BgpCluster,
  self: BgpSelf,
  sessions: readonly BgpSession[],
  networks: readonly Cidr[],
  family: Family,
): string {
  return [
    staticText(self, sessions, family),
    guardFunctions(guardedOf(cluster, networks, family), family),
    ownerFunction(cluster, family),
    verdictFunctions(cluster, self, family),
    filterFunctions(cluster.filters, family),
    kernelText(family),
  ].join('\n')
}

/**
 * Networks of nodes' own addresses, and whether what is in them is guarded as well: not where pods or services are in them.
 * An address within a node's range is no machine's, whoever says so: nothing is guarded there.
 */
function guardedOf(cluster: BgpCluster, networks: readonly Cidr[], family: Family): readonly GuardedNetwork[] {
  const kept = ofFamily([...poolsOf(cluster), ...cluster.services], family)
  const ranges = new Set(cluster.nodes.flatMap((node) => node.ranges))
  const lengths = [...new Set([...ranges].map(prefixLength))]
  const isRanged = (network: Cidr): boolean =>
    lengths.some((length) => length <= prefixLength(network) && ranges.has(networkAround(firstIp(network), length)))
  return ofFamily(networks, family)
    .filter((network) => !isRanged(network))
    .map((network) => ({ network, hasWithin: !kept.some((one) => isInside(one, network)) }))
}

/** What comes in by a session. */
export function importFilter({ filters }: BgpCluster, session: BgpSession): readonly string[] {
  const { family, kind, isReflected } = session
  const calls = filterCalls(filters, session.filters, 'import', family, isInternal(session))
  const inside = `if !weft_is_inside${family}() then reject;`
  const owner = isReflected ? 'bgp_next_hop' : 'from'
  const owned = `if !weft_is_services${family}() && !weft_is_of${family}(${owner}) then reject;`
  return [
    `if weft_is_own${family}() then reject;`,
    ...(kind === 'node' ? [inside, owned, ...calls] : [...calls, inside]),
    'accept;',
  ]
}

/** What goes out by a session. */
export function exportFilter({ filters }: BgpCluster, session: BgpSession): readonly string[] {
  const { family, kind, tells } = session
  const calls = filterCalls(filters, session.filters, 'export', family, isInternal(session))
  const usual = [`if !weft_told${family}(${tells === 'all'}) then reject;`]
  return [`weft_prepare${family}();`, ...(kind === 'node' ? [...usual, ...calls] : [...calls, ...usual]), 'accept;']
}

/** The constants that all of it uses. */
export function constants(cluster: BgpCluster): string {
  const metrics = FAMILIES.map(
    (family) => `define WEFT_METRIC${family} = ${whole(cluster.metric[family], 1, TOP - 1)};\n`,
  )
  return `define WEFT_TOP = ${TOP};\n${metrics.join('')}`
}

/** Patterns of interfaces that are no part of the network between nodes. */
export function interfaceList({ ignoredInterfaces }: BgpCluster): string {
  const ignored = ignoredInterfaces.flatMap((pattern) => interfacePattern(pattern) ?? [])
  return [...[...OUR_LINKS, ...new Set(ignored)].map((pattern) => `-${pattern}`), '"*"'].join(', ')
}

/** What carries pods: our gateway and bridge, kube-proxy's addresses. */
const OUR_LINKS = ['"weft*"', '"br-weft"', '"kube-ipvs*"']

function staticText({ ranges, services }: BgpSelf, sessions: readonly BgpSession[], family: Family): string {
  const confirmed = ranges.filter(({ isConfirmed }) => isConfirmed).map(({ cidr }) => cidr)
  const ways = sessions.flatMap(({ family: of, remote, reachableBy }) =>
    of === family && reachableBy !== undefined && familyOf(reachableBy) === family
      ? [`route ${networkText(hostCidr(remote.address))} via ${addressText(reachableBy)};`]
      : [],
  )
  return [
    staticProtocol(`own${family}`, family, nowhere(ofFamily(confirmed, family))),
    staticProtocol(`services${family}`, family, nowhere(ofFamily(services, family))),
    staticProtocol(`ways${family}`, family, [...new Set(ways)].toSorted()),
  ].join('')
}

function nowhere(networks: readonly Cidr[]): readonly string[] {
  return [...new Set(networks)].toSorted().map((network) => `route ${networkText(network)} blackhole;`)
}

function staticProtocol(name: string, family: Family, routes: readonly string[]): string {
  return `protocol static weft_${name} {\n${indented([`ipv${family};`, ...routes])}}\n`
}

/**
 * Whether a route is of the node that has an address. One function for all sessions: BIRD takes the square of their number to read
 * filters that differ, and the logarithm of it to find a node here.
 */
function ownerFunction({ nodes }: BgpCluster, family: Family): string {
  const ranges = new Map<Ip, readonly Cidr[]>()
  for (const node of nodes) {
    const address = node.addresses[family]
    // Sessions are with the first of two that have one address.
    if (address === undefined || ranges.has(address)) continue
    ranges.set(address, ofFamily(node.ranges, family))
  }
  // Without a blank the colon would be read as one of the address.
  const cases = [...ranges].toSorted().map(([address, own]) => `${addressText(address)} : return ${isWithin(own)};`)
  const body = cases.length === 0 ? [] : ['case node {', ...cases.map((one) => `  ${one}`), '}']
  return `function weft_is_of${family}(ip node) {\n${indented([...body, 'return false;'])}}\n`
}

function verdictFunctions(cluster: BgpCluster, self: BgpSelf, family: Family): string {
  const pools = (isHidden: boolean): readonly Cidr[] =>
    ofFamily(
      cluster.pools.filter((pool) => pool.isHidden === isHidden).map(({ cidr }) => cidr),
      family,
    )
  const own = ofFamily(
    self.ranges.map(({ cidr }) => cidr),
    family,
  )
  const services = ofFamily(cluster.services, family)
  const communities = cluster.communities
    .filter(({ cidr }) => familyOf(cidr) === family)
    .map(({ cidr, add }) => `if ${isWithin([cidr])} then { ${add.map(addText).join(' ')} }`)
  const said = (name: string, expression: string): string =>
    `function weft_is_${name}${family}() {\n  return ${expression};\n}\n`
  return [
    said('own', isWithin(own)),
    said('hidden', isWithin(pools(true))),
    said('pooled', isWithin(ofFamily(poolsOf(cluster), family))),
    said('services', isWithin(services)),
    said('encapsulated', encapsulatedExpression(cluster, self, family)),
    said('behind', behindExpression(cluster, family)),
    said(
      'inside',
      `!weft_is_guarded${family}() && !weft_is_hidden${family}() && (weft_is_pooled${family}() || weft_is_services${family}())`,
    ),
    `function weft_prepare${family}() {
  if weft_is_hidden${family}() then reject;
  if source != RTS_BGP then bgp_local_pref = WEFT_TOP - WEFT_METRIC${family};
${indented(communities)}}
function weft_told${family}(bool of_others) {
  if source = RTS_STATIC then return proto = "weft_own${family}" || proto = "weft_services${family}";
  return of_others && source = RTS_BGP && weft_is_inside${family}();
}
`,
  ].join('')
}

/** What is tunnelled between segments alone is on this node's own where the next hop is; without a known network nothing is. */
function encapsulatedExpression({ pools, nodes }: BgpCluster, { name }: BgpSelf, family: Family): string {
  const of = (how: BgpCluster['pools'][number]['encapsulated']): string =>
    isWithin(
      ofFamily(
        pools.filter(({ encapsulated }) => encapsulated === how).map(({ cidr }) => cidr),
        family,
      ),
    )
  const own = nodes.find((node) => node.name === name)?.networks[family]
  const isNear = own === undefined ? 'false' : `bgp_next_hop ~ ${networkText(own)}`
  return `${of('always')} || (${of('across')} && !(${isNear}))`
}

/**
 * What a node told, and a router leads there: nobody told the router. Where it knows all the same, it tells this node itself. Behind a
 * link between two ends alone there is no gateway. Without tunnels a router that may know is better than none.
 */
function behindExpression({ hasTunnels }: BgpCluster, family: Family): string {
  return hasTunnels ? `proto ~ "node${family}_*" && gw != :: && gw != bgp_next_hop` : 'false'
}

function addText(community: BgpCluster['communities'][number]['add'][number]): string {
  const { value, attribute } = communityText(community)
  return `${attribute}.add(${value});`
}

/**
 * With metric 0 a route's own counts. What is learned of others' routes is how next hops beyond routers are found. Ways to
 * pods, and those to networks outside that peers told, go into the kernel's tables of these: BIRD wants a table of its own for each of the
 * kernel's. Nothing that covers nodes' own addresses leads outside, and no default route.
 */
function kernelText(family: Family): string {
  const accepted = [
    `krt_metric = WEFT_METRIC${family};`,
    `if bgp_local_pref > WEFT_TOP - ${MOST} && bgp_local_pref < WEFT_TOP then krt_metric = WEFT_TOP - bgp_local_pref;`,
    'accept;',
  ]
  return `filter weft_to_pods${family} {
  if source != RTS_BGP || !weft_is_pooled${family}() || weft_is_encapsulated${family}() || weft_is_behind${family}() then reject;
${indented(accepted)}}
filter weft_to_outside${family} {
  if source != RTS_BGP || weft_is_pooled${family}() || weft_is_services${family}() || weft_is_guarded${family}() then reject;
  if proto ~ "node${family}_*" then reject;
${indented(accepted)}}
filter weft_to_kernel${family} {
  if proto != "weft_ways${family}" then reject;
  krt_metric = ${WAY_METRIC};
  accept;
}
filter weft_of_kernel${family} {
  if krt_source = ${OWN_PROTOCOL} || weft_is_pooled${family}() || weft_is_services${family}() then reject;
  accept;
}
protocol kernel weft_kernel${family} {
  metric 0;
  learn;
  persist;
  graceful restart;
  scan time 10;
  ipv${family} {
    import filter weft_of_kernel${family};
    export filter weft_to_kernel${family};
  };
}
${kernelTable('pods', LEAVE_TABLE, family)}${kernelTable('outside', OUTSIDE_TABLE, family)}`
}

/** BIRD's table of what a filter lets pass, and the kernel's table that has the same. */
function kernelTable(name: 'pods' | 'outside', table: number, family: Family): string {
  return `ipv${family} table weft_${name}${family};
protocol pipe weft_leave_to_${name}${family} {
  table master${family};
  peer table weft_${name}${family};
  import none;
  export filter weft_to_${name}${family};
}
protocol kernel weft_ways_to_${name}${family} {
  kernel table ${table};
  metric 0;
  persist;
  graceful restart;
  merge paths on;
  scan time 10;
  ipv${family} {
    table weft_${name}${family};
    import none;
    export all;
  };
}
`
}

function poolsOf({ pools }: BgpCluster): readonly Cidr[] {
  return pools.map(({ cidr }) => cidr)
}

function ofFamily(networks: readonly Cidr[], family: Family): readonly Cidr[] {
  return networks.filter((network) => familyOf(network) === family)
}
