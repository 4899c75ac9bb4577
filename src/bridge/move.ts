/**
 * Moving what a link has to another link, in the order that loses least: the new link has the addresses before packets
 * come to it, and routes leave the old one only when the new one has them. Pure.
 * @module
 */
import type { Change, HeldAddress, HeldRoute, HeldRule, LinkFacts, Step } from './model.ts'

/** A move from one link to another, in three steps. Between the first two, packets begin to come to the other link. */
export interface Move {
  readonly prepare: Step
  readonly hand: Step
  readonly silence: Step
}

/**
 * Plans the move of everything that `from` has. Undone, it has all of it again, and the other link is as it was: `before`,
 * where it is there already. `mode` is how the other link makes its link-local address afterwards.
 */
export function planMove(
  from: LinkFacts,
  target: string,
  before?: LinkFacts,
  mode: LinkFacts['addrGenMode'] = from.addrGenMode,
): Move {
  return { prepare: prepare(from, target, before), hand: handOver(from, target), silence: silence(from, target, mode) }
}

function prepare(from: LinkFacts, target: string, before: LinkFacts | undefined): Step {
  const link = target
  return {
    title: `prepare ${target}`,
    changes: [
      // Its link-local address comes with the others.
      { do: 'link', link, addrGenMode: 'none' },
      ...Object.entries(from.sysctls).flatMap(([key, value]): readonly Change[] =>
        key === RP_FILTER ? [] : [{ do: 'sysctl', link, key, value }],
      ),
      // Packets come here while routes still lead out of the other link.
      { do: 'sysctl', link, key: RP_FILTER, value: LOOSE },
      { do: 'link', link, up: true },
      ...inOrder(from.addresses).map((address): Change => ({ do: 'address', link, address, quiet: true })),
    ],
    undo: [
      ...[...inOrder(from.addresses)].reverse().map((address) => withdrawn(link, address)),
      ...Object.entries(before?.sysctls ?? {}).map(([key, value]): Change => ({ do: 'sysctl', link, key, value })),
    ],
  }
}

function handOver(from: LinkFacts, target: string): Step {
  const routes = [...from.routes].sort(byReach)
  const noRules = (link: string): Change[] =>
    from.rules.map((rule): Change => ({ do: 'no-rule', ...copiedRule(from, link, rule) }))
  const put = (link: string): Change[] => [
    // A rule that names the link would have gateways looked for in a table that has no way to them but by themselves.
    ...noRules(link),
    ...from.addresses.flatMap((address): readonly Change[] =>
      address.family === 6 ? [{ do: 'address', link, address }] : [],
    ),
    ...routes.map((route): Change => ({ do: 'route', ...copiedRoute(from, link, route) })),
    ...from.rules.map((rule): Change => ({ do: 'rule', ...copiedRule(from, link, rule) })),
  ]
  const withdraw = (link: string): Change[] => [
    ...routes.map((route): Change => ({ do: 'no-route', ...copiedRoute(from, link, route) })),
    ...noRules(link),
  ]
  const kept = from.neighbours.filter(({ permanent }) => permanent)
  const neighbours = (link: string, which: LinkFacts['neighbours']): Change[] =>
    which.map((neighbour) => ({ do: 'neighbour', link, neighbour }))
  const noNeighbours = (link: string): Change[] =>
    kept.map(({ address, proxy }) => ({ do: 'no-neighbour', link, address, proxy }))
  return {
    title: `hand routes over from ${from.name} to ${target}`,
    // Neighbours that were learned come along: nobody has to be asked before the first packet.
    changes: [
      ...neighbours(target, from.neighbours),
      ...put(target),
      ...withdraw(from.name),
      ...noNeighbours(from.name),
    ],
    undo: [...neighbours(from.name, kept), ...put(from.name), ...withdraw(target), ...noNeighbours(target)],
  }
}

/** The old link has no address any more, and makes none of its own. */
function silence(from: LinkFacts, target: string, mode: LinkFacts['addrGenMode']): Step {
  const link = from.name
  const quietened = Object.entries(SILENT).filter(([key]) => key in from.sysctls)
  const filter = from.sysctls[RP_FILTER]
  return {
    title: `take the addresses from ${from.name}`,
    changes: [
      ...quietened.map(([key, value]): Change => ({ do: 'sysctl', link, key, value })),
      { do: 'link', link, addrGenMode: 'none' },
      // Those that came later first: an address may take with it those of its network that came after it.
      ...[...inOrder(from.addresses)].reverse().map((address) => withdrawn(link, address)),
      // Now routes lead out of the new link.
      ...(filter === undefined ? [] : [{ do: 'sysctl', link: target, key: RP_FILTER, value: filter } as const]),
      // By sysctl, so that a link-local address is made where none came along.
      { do: 'sysctl', link: target, key: 'ipv6/addr_gen_mode', value: String(MODES.indexOf(mode)) },
    ],
    undo: [
      { do: 'link', link, up: from.up },
      { do: 'sysctl', link: target, key: RP_FILTER, value: LOOSE },
      ...quietened.flatMap(([key]): readonly Change[] => {
        const value = from.sysctls[key]
        return value === undefined ? [] : [{ do: 'sysctl', link, key, value }]
      }),
      ...inOrder(from.addresses).map((address): Change => ({ do: 'address', link, address })),
      { do: 'link', link, addrGenMode: from.addrGenMode },
    ],
  }
}

const RP_FILTER = 'ipv4/rp_filter'
/** A packet may come by a link that is not the way back (RFC 3704). */
const LOOSE = '2'

/** IN6_ADDR_GEN_MODE_ of linux/if_link.h, by number. */
const MODES: readonly string[] = ['eui64', 'none', 'stable-privacy', 'random']

/** What makes a link take part by itself. */
const SILENT: Readonly<Record<string, string>> = { 'ipv6/accept_ra': '0', 'ipv6/autoconf': '0' }

function withdrawn(link: string, { address, peer }: HeldAddress): Change {
  return { do: 'no-address', link, address, ...(peer === undefined ? {} : { peer }) }
}

function copiedRoute(from: LinkFacts, link: string, { destination, gateways, table, metric, body }: HeldRoute) {
  const way = gateways.length === 0 ? '' : ` via ${gateways.join(' and ')}`
  const place = `${table === MAIN ? '' : ` table ${table}`}${metric === 0 ? '' : ` metric ${metric}`}`
  return { link, was: from.index, body, text: `${destination}${way}${place}` }
}

const MAIN = 254

function copiedRule(from: LinkFacts, link: string, { priority, table, body }: HeldRule) {
  return { link, was: from.name, body, text: `for ${link} table ${table} priority ${priority}` }
}

/** In the order that gives the order told: of IPv6 addresses, the kernel tells the last one first. */
function inOrder(addresses: readonly HeldAddress[]): readonly HeldAddress[] {
  const of = (family: 4 | 6): readonly HeldAddress[] => addresses.filter((one) => one.family === family)
  return [...of(4), ...[...of(6)].reverse()]
}

/** Gateways are reached by routes without one. */
function byReach(a: HeldRoute, b: HeldRoute): number {
  return Number(a.gateways.length > 0) - Number(b.gateways.length > 0)
}
