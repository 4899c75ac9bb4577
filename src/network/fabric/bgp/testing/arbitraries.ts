/**
 * Clusters of all kinds, with names that were meant to break out of a configuration.
 * @module
 */
import fc from 'fast-check'
import { BITS, type Cidr, type Family, formatIp, type Ip, networkAround } from '../../../model/address.ts'
import type {
  BgpCluster,
  BgpFilter,
  BgpNode,
  BgpPeer,
  BgpSelf,
  Community,
  PeeringNodes,
  PeeringTarget,
  RouteChange,
  RouteRule,
} from '../model.ts'

/** Texts that end a string, a line, a block, or a path. */
export const hostileText = fc.oneof(
  fc.constantFrom(
    '"; } protocol static x { ',
    'a"b',
    'a\nb',
    '/* ',
    '# no',
    '',
    '../../etc',
    'a;b',
    'ü',
    '\u0000',
    "'",
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 90 }),
)

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

/** A record without its undefined fields. */
function dense<T extends object>(record: fc.Arbitrary<T>): fc.Arbitrary<Dense<T>> {
  return record.map((value) => Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Dense<T>)
}

type Dense<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> }

/** Few addresses, so that things meet. */
export const address = (family: Family): fc.Arbitrary<Ip> =>
  fc
    .integer({ min: 1, max: 40 })
    .map((n) => formatIp(family, (family === 4 ? 0x0a000000n : 0xfd00n << 112n) + BigInt(n)))

export const network = (family: Family): fc.Arbitrary<Cidr> =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: (1n << BigInt(BITS[family])) - 1n }), fc.integer({ min: 0, max: BITS[family] }))
    .map(([value, length]) => networkAround(formatIp(family, value), length))

const anyNetwork = fc.oneof(network(4), network(6))
const asNumber = fc.integer({ min: 1, max: 0xffff_ffff })
const fewAs = fc.constantFrom(64_512, 64_513, 4_200_000_000)
const seconds = fc.integer({ min: 1, max: 4095 })

const community: fc.Arbitrary<Community> = fc.oneof(
  fc.tuple(fc.nat(0xffff), fc.nat(0xffff)),
  fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)),
)

const change: fc.Arbitrary<RouteChange> = fc.oneof(
  community.map((one): RouteChange => ({ kind: 'add-community', community: one })),
  fc.array(asNumber, { maxLength: 3 }).map((asNumbers): RouteChange => ({ kind: 'prepend', asNumbers })),
  fc.integer({ min: 1, max: 2_147_483_646 }).map((value): RouteChange => ({ kind: 'priority', value })),
)

const lengths = (family: Family): fc.Arbitrary<{ min: number; max: number }> =>
  fc.record({ min: fc.nat(BITS[family]), max: fc.nat(BITS[family]) })

const rule = (family: Family): fc.Arbitrary<RouteRule> =>
  dense(
    fc.record({
      action: fc.constantFrom('accept' as const, 'reject' as const),
      prefix: optional(
        dense(
          fc.record({
            operator: fc.constantFrom('equal' as const, 'not-equal' as const, 'in' as const, 'not-in' as const),
            cidr: network(family),
            lengths: optional(lengths(family)),
          }),
        ),
      ),
      isLearned: optional(fc.constant(true as const)),
      outgoing: optional(fc.oneof(fc.constantFrom('eth*', 'bond0.100'), hostileText)),
      peers: optional(fc.constantFrom('internal' as const, 'external' as const)),
      community: optional(community),
      pathStart: optional(fc.array(asNumber, { maxLength: 3 })),
      priority: optional(fc.integer({ min: 1, max: 2_147_483_646 })),
      changes: fc.array(change, { maxLength: 3 }),
    }),
  )

const perFamily = <T>(make: (family: Family) => fc.Arbitrary<T>): fc.Arbitrary<{ 4: T; 6: T }> =>
  fc.record({ 4: make(4), 6: make(6) })

const rules = perFamily((family) => fc.array(rule(family), { maxLength: 3 }))

const filter = (name: fc.Arbitrary<string>): fc.Arbitrary<BgpFilter> =>
  fc.record({ name, imports: rules, exports: rules })

const optionally = <T>(make: (family: Family) => fc.Arbitrary<T>): fc.Arbitrary<{ 4?: T; 6?: T }> =>
  dense(fc.record({ 4: optional(make(4)), 6: optional(make(6)) }))

const nodeOf = (name: string): fc.Arbitrary<BgpNode> =>
  dense(
    fc.record({
      name: fc.constant(name),
      addresses: optionally(address),
      networks: optionally((family) =>
        fc.oneof(
          address(family).map((ip) => networkAround(ip, 24)),
          network(family),
        ),
      ),
      ranges: fc.array(anyNetwork, { maxLength: 2 }),
      asNumber: optional(fewAs),
      clusterId: optional(address(4)),
    }),
  )

const timers = { keepalive: optional(fc.integer({ min: 1, max: 21_845 })), restart: optional(seconds) }
const password = optional(fc.constantFrom('secret/a', 'secret/b', 'secret/"; }'))

function peerOf(nodes: readonly string[], filters: readonly string[], name: string): fc.Arbitrary<BgpPeer> {
  const some = fc.subarray([...nodes])
  const on: fc.Arbitrary<PeeringNodes> = fc.oneof(
    fc.constant<PeeringNodes>({ kind: 'all' }),
    some.map((chosen): PeeringNodes => ({ kind: 'selected', nodes: chosen })),
    fc.constantFrom(...nodes).map((node): PeeringNodes => ({ kind: 'node', node })),
  )
  const to: fc.Arbitrary<PeeringTarget> = fc.oneof(
    dense(
      fc.record({
        kind: fc.constant('address' as const),
        address: fc.oneof(address(4), address(6)),
        port: optional(fc.constantFrom(179, 1790)),
        asNumber: fewAs,
      }),
    ),
    fc.record({ kind: fc.constant('nodes' as const), nodes: some, isMutual: fc.boolean() }),
  )
  return dense(
    fc.record({
      ...timers,
      name: fc.constant(name),
      on,
      to,
      localAs: optional(fewAs),
      nextHop: fc.constantFrom('auto' as const, 'self' as const, 'keep' as const),
      password,
      bfd: fc.boolean(),
      source: fc.constantFrom('node' as const, 'any' as const),
      ttlSecurity: optional(fc.integer({ min: 1, max: 254 })),
      allowedLocalAs: optional(fc.nat(255)),
      reachableBy: optional(fc.oneof(address(4), address(6))),
      filters: fc.array(fc.constantFrom('absent', ...filters), { maxLength: 3 }),
    }),
  )
}

const names = (max: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.oneof(fc.constantFrom('n1', 'n2', 'node-3.example'), hostileText), { minLength: 1, maxLength: max })

/** A cluster, not always one that makes sense. */
export const cluster: fc.Arbitrary<BgpCluster> = fc
  .tuple(names(6), names(3), names(4))
  .chain(([nodes, filters, peers]) =>
    dense(
      fc.record({
        asNumber: fewAs,
        port: fc.constantFrom(179, 1179),
        isStrictlyBound: fc.boolean(),
        hasTunnels: fc.boolean(),
        mesh: optional(dense(fc.record({ ...timers, password, bfd: fc.boolean() }))),
        bfd: fc.record({
          interval: fc.integer({ min: 10, max: 60_000 }),
          multiplier: fc.integer({ min: 1, max: 255 }),
        }),
        nodes: fc.tuple(...nodes.map(nodeOf)),
        peers: fc.tuple(...peers.map((name) => peerOf(nodes, filters, name))),
        filters: fc.tuple(...filters.map((name) => filter(fc.constant(name)))),
        pools: fc.array(
          fc.record({
            cidr: anyNetwork,
            isHidden: fc.boolean(),
            encapsulated: fc.constantFrom('never' as const, 'across' as const, 'always' as const),
          }),
          {
            maxLength: 4,
          },
        ),
        services: fc.array(anyNetwork, { maxLength: 3 }),
        communities: fc.array(fc.record({ cidr: anyNetwork, add: fc.array(community, { maxLength: 2 }) }), {
          maxLength: 2,
        }),
        metric: perFamily(() => fc.integer({ min: 1, max: 2_147_483_646 })),
        ignoredInterfaces: fc.array(fc.oneof(fc.constantFrom('docker*', 'eth1'), hostileText), { maxLength: 3 }),
      }),
    ),
  )

/** What one of its nodes knows of itself. */
export function selfOf({ nodes }: BgpCluster): fc.Arbitrary<BgpSelf> {
  return fc.record({
    name: fc.constantFrom(...nodes.map(({ name }) => name)),
    ranges: fc.array(fc.record({ cidr: anyNetwork, isConfirmed: fc.boolean() }), { maxLength: 3 }),
    services: fc.array(anyNetwork, { maxLength: 2 }),
  })
}

/** A password for each reference, as somebody may have chosen it. */
export const passwords: fc.Arbitrary<ReadonlyMap<string, string>> = fc
  .tuple(optional(hostileText), optional(hostileText), optional(fc.constant('a sound one; \\ with { signs }')))
  .map(
    (texts) =>
      new Map(
        ['secret/a', 'secret/b', 'secret/"; }'].flatMap((ref, i) => {
          const text = texts[i]
          return text === undefined ? [] : [[ref, text] as const]
        }),
      ),
  )
