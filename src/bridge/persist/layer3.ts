/**
 * What a link has to be given when the machine starts, from what it has now. Pure.
 * @module
 */
import type { DnsFacts, HeldRoute, UplinkFacts } from '../model.ts'
import type { Wish } from '../wish.ts'

/** A route to be set at start. */
export interface StartRoute {
  readonly to: string
  readonly via?: string
  readonly source?: string
  readonly table?: number
  readonly metric?: number
  readonly onlink: boolean
}

/** The configuration of the bridge's own port. */
export interface Layer3 {
  readonly mac: string
  readonly mtu: number
  /** `ip/length`, without those that DHCP and routers give. */
  readonly addresses: readonly string[]
  readonly dhcp4: boolean
  /** Router advertisements are heeded. */
  readonly acceptRa: boolean
  readonly routes: readonly StartRoute[]
  readonly dns: { readonly servers: readonly string[]; readonly domains: readonly string[] }
  /** Sentences: what could not be taken over. */
  readonly notes: readonly string[]
}

/** Derives it. An address with an end was given by somebody, who gives it again. */
export function layer3Of(wish: Wish, uplink: UplinkFacts, dns: DnsFacts): Layer3 {
  const addresses = uplink.addresses.filter(({ scope }) => scope === 'global' || scope === 'site')
  const limited = (family: 4 | 6): boolean =>
    addresses.some((one) => one.family === family && one.validLifetime !== undefined)
  const dhcp4 = limited(4)
  const acceptRa =
    limited(6) ||
    Number(uplink.sysctls['ipv6/accept_ra'] ?? 0) > 0 ||
    uplink.routes.some(({ protocol }) => protocol === RA)
  const stays = ({ protocol, gateways }: HeldRoute): boolean =>
    protocol !== KERNEL && protocol !== RA && !(protocol === DHCP && dhcp4) && gateways.length < 2
  const many = uplink.routes.filter(({ gateways }) => gateways.length > 1)
  return {
    mac: uplink.mac,
    mtu: wish.mtu ?? uplink.mtu,
    addresses: addresses.filter(({ validLifetime }) => validLifetime === undefined).map(({ address }) => address),
    dhcp4,
    acceptRa,
    routes: uplink.routes.filter(stays).map(startRoute),
    dns: { servers: dns.servers, domains: dns.domains },
    notes: [
      ...many.map(
        ({ destination }) => `the route to ${destination} has several gateways and is not in the persistent form`,
      ),
      ...uplink.rules.map(({ priority }) => `the policy rule ${priority} is not in the persistent form`),
      ...uplink.neighbours
        .filter(({ permanent }) => permanent)
        .map(({ address }) => `the permanent neighbour ${address} is not in the persistent form`),
    ],
  }
}

function startRoute({ destination, gateways, source, table, metric, onlink }: HeldRoute): StartRoute {
  const [via] = gateways
  return {
    to: destination,
    onlink,
    ...(via === undefined ? {} : { via }),
    ...(source === undefined ? {} : { source }),
    ...(table === MAIN ? {} : { table }),
    ...(metric === 0 ? {} : { metric }),
  }
}

const MAIN = 254
/** RTPROT_ numbers. */
const KERNEL = 2
const RA = 9
const DHCP = 16
