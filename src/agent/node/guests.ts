/**
 * Lets pods on the physical network into the overlay, by the node's stack, each in the name of its tenant: a rule by their
 * link and address, to the routes of their tenant. Whoever has no rule gets no further than the node's filter (host.ts). The
 * kernel holds all there is to know: links say whose they are, their routes which addresses they have.
 * @module
 */
import {
  hasErrno,
  linkFind,
  linkList,
  neighDel,
  neighList,
  neighReplace,
  openMonitor,
  openRtnl,
  type RtnlSocket,
  type Rule,
  routeDel,
  routeList,
  routeReplace,
  ruleAdd,
  ruleDel,
  ruleList,
} from '../../linux/index.ts'
import { GUEST_GROUP, guestHop, guestMac, guestTable, vniOfTable } from '../../network/guests.ts'
import { GATEWAY, ROUTE_PROTOCOL } from '../../network/host.ts'
import { familyOf, firstIp, hostCidr, type Ip, parseCidr } from '../../network/model/address.ts'
import type { Guests } from '../plugins/coordinator/coordinator.ts'
import { GUEST_PRIORITY, namespaceIn, PROTOCOL, RULE_PRIORITY } from '../plugins/coordinator/numbers.ts'

/** What is needed of the agent. */
export interface GuestParts {
  /** VNIs of namespaces, of none that has no tenant; undefined while they are not known: then all stays as it is. */
  tenants(): { vniOf(namespace: string): number | undefined } | undefined
  /** The node's namespace. Default: the program's own. */
  readonly nsFd?: number
}

interface Guest {
  readonly namespace: string
  readonly addresses: ReadonlySet<Ip>
}

/** The guests of a node. */
export class OverlayGuests implements Guests {
  readonly #parts: GuestParts
  /** By the node's end of their link; undefined before the kernel was asked. */
  #guests: Map<string, Guest> | undefined

  constructor(parts: GuestParts) {
    this.#parts = parts
  }

  admit(link: string, namespace: string, addresses: readonly Ip[]): void {
    using rtnl = this.#open()
    const before = this.#known(rtnl).get(link)
    const guest = { namespace, addresses: new Set([...(before?.addresses ?? []), ...addresses]) }
    this.#known(rtnl).set(link, guest)
    this.#settle(rtnl, link, guest, ruleList(rtnl))
  }

  dismiss(link: string): void {
    using rtnl = this.#open()
    this.#known(rtnl).delete(link)
    for (const rule of ruleList(rtnl))
      if (isGuestRule(rule) && rule.inputLink === link) quietly(() => ruleDel(rtnl, rule))
  }

  /** A namespace has another tenant, or none any more. */
  tenantChanged(namespace: string): void {
    using rtnl = this.#open()
    const concerned = [...this.#known(rtnl)].filter(([, guest]) => guest.namespace === namespace)
    if (concerned.length === 0) return
    const rules = ruleList(rtnl)
    for (const [link, guest] of concerned) this.#settle(rtnl, link, guest, rules)
  }

  /** Everything anew: the node's routes to the overlay are others, or whoever was here may have left something. */
  refresh(): void {
    using rtnl = this.#open()
    this.#guests = guestsIn(rtnl)
    const rules = ruleList(rtnl)
    for (const rule of waysToPods(rtnl))
      if (!rules.some((one) => isWay(one) && one.family === rule.family && one.table === rule.table))
        quietly(() => ruleAdd(rtnl, rule))
    for (const rule of rules)
      if (isGuestRule(rule) && !this.#guests.has(rule.inputLink ?? '')) quietly(() => ruleDel(rtnl, rule))
    for (const [link, guest] of this.#guests) this.#settle(rtnl, link, guest, rules)
    const used = new Set(
      ruleList(rtnl)
        .filter(isGuestRule)
        .map(({ table }) => table),
    )
    sweep(rtnl, used)
  }

  #open(): RtnlSocket {
    const { nsFd } = this.#parts
    return openRtnl(nsFd === undefined ? {} : { nsFd })
  }

  #known(rtnl: RtnlSocket): Map<string, Guest> {
    this.#guests ??= guestsIn(rtnl)
    return this.#guests
  }

  /** The new rule is there before the old one goes: a guest is never nobody's in between. */
  #settle(rtnl: RtnlSocket, link: string, { namespace, addresses }: Guest, rules: readonly Rule[]): void {
    const tenants = this.#parts.tenants()
    if (tenants === undefined) return
    const vni = tenants.vniOf(namespace)
    const gateway = linkFind(rtnl, GATEWAY)?.index
    const present = rules.filter((rule) => isGuestRule(rule) && rule.inputLink === link)
    const wanted =
      vni === undefined || gateway === undefined ? [] : [...addresses].map((one) => ruleFor(link, one, vni))
    if (vni !== undefined && gateway !== undefined) setRoutes(rtnl, gateway, vni)
    for (const rule of wanted) if (!present.some((one) => isSame(one, rule))) quietly(() => ruleAdd(rtnl, rule))
    for (const rule of present) if (!wanted.some((one) => isSame(one, rule))) quietly(() => ruleDel(rtnl, rule))
  }
}

/**
 * Puts back what others take away: systemd-networkd, for one, removes rules that it did not make whenever it starts. `refresh`
 * is called a moment after rules of ours went, whoever took them.
 */
export function watchRules(refresh: () => void, nsFd?: number): Disposable {
  let settling: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined
      refresh()
    }, SETTLE_MS)
  }
  const monitor = openMonitor({
    topics: ['rule'],
    onEvent: ({ topic, change, object }) => {
      if (topic === 'rule' && change === 'del' && object.protocol === PROTOCOL) look()
    },
    onResync: look,
    ...(nsFd === undefined ? {} : { nsFd }),
  })
  return {
    [Symbol.dispose]: () => {
      clearTimeout(settling)
      monitor.close()
    },
  }
}

/** Pods that go take their rules along, many at once. */
const SETTLE_MS = 500

/** The rules by which the node finds its routes to pods, as far as there are such routes. */
function waysToPods(rtnl: RtnlSocket): readonly Rule[] {
  const routes = routeList(rtnl).filter(
    ({ protocol, table }) => protocol === PROTOCOL && vniOfTable(table) === undefined,
  )
  const tables = new Map(routes.map(({ family, table }) => [`${family} ${table}`, { family, table }]))
  return [...tables.values()].map((one) => ({ ...one, action: 'table', priority: RULE_PRIORITY, protocol: PROTOCOL }))
}

function isWay({ priority, from, inputLink, action }: Rule): boolean {
  return priority === RULE_PRIORITY && action === 'table' && from === undefined && inputLink === undefined
}

/** Links of guests, and the addresses that the node reaches by them. */
function guestsIn(rtnl: RtnlSocket): Map<string, Guest> {
  return new Map(
    linkList(rtnl, { group: GUEST_GROUP }).flatMap(({ name, index, alias }) => {
      const namespace = namespaceIn(alias ?? '')
      if (namespace === undefined) return []
      const own = routeList(rtnl, { link: index }).filter(({ protocol }) => protocol === PROTOCOL)
      const addresses = own.flatMap(({ destination }) => {
        const network = parseCidr(destination)
        const address = network === undefined ? undefined : firstIp(network)
        return address !== undefined && hostCidr(address) === network ? [address] : []
      })
      return [[name, { namespace, addresses: new Set(addresses) }] as const]
    }),
  )
}

/** The node's own routes to the overlay, by the next hop of a tenant's guests. */
function setRoutes(rtnl: RtnlSocket, gateway: number, vni: number): void {
  const table = guestTable(vni)
  for (const family of [4, 6] as const) {
    const own = routeList(rtnl, { family, table: TABLE_MAIN, protocol: ROUTE_PROTOCOL }).filter(
      ({ link, protocol }) => link === gateway && protocol === ROUTE_PROTOCOL,
    )
    const wanted = new Set(own.map(({ destination }) => destination))
    if (wanted.size > 0) neighReplace(rtnl, { link: gateway, address: guestHop(family, vni), mac: guestMac(vni) })
    for (const destination of wanted)
      routeReplace(rtnl, {
        destination,
        table,
        gateway: guestHop(family, vni),
        link: gateway,
        onlink: true,
        protocol: PROTOCOL,
      })
    for (const route of routeList(rtnl, { family, table }))
      if (route.protocol === PROTOCOL && !wanted.has(route.destination)) quietly(() => routeDel(rtnl, route))
  }
}

/** Tables and next hops of tenants that have no guest here any more. */
function sweep(rtnl: RtnlSocket, used: ReadonlySet<number>): void {
  const gateway = linkFind(rtnl, GATEWAY)?.index
  for (const route of routeList(rtnl)) {
    const isGuests = route.protocol === PROTOCOL && vniOfTable(route.table) !== undefined
    if (isGuests && !used.has(route.table)) quietly(() => routeDel(rtnl, route))
  }
  if (gateway === undefined) return
  const hops = new Set([...used].flatMap((table) => ([4, 6] as const).map((family) => guestHop(family, table & VNI))))
  for (const { address, mac, state } of neighList(rtnl, { link: gateway }))
    if (state === 'permanent' && mac?.startsWith(GUEST_MAC) === true && !hops.has(address as Ip))
      quietly(() => neighDel(rtnl, { link: gateway, address }))
}

const TABLE_MAIN = 254
const VNI = 0xff_ffff
const GUEST_MAC = '0a:57:00:'

function ruleFor(link: string, address: Ip, vni: number): Rule {
  const from = hostCidr(address)
  const place = { family: familyOf(address), priority: GUEST_PRIORITY, protocol: PROTOCOL }
  return { ...place, action: 'table', table: guestTable(vni), inputLink: link, from }
}

function isGuestRule({ protocol, priority, table, inputLink }: Rule): boolean {
  return (
    protocol === PROTOCOL && priority === GUEST_PRIORITY && inputLink !== undefined && vniOfTable(table) !== undefined
  )
}

function isSame(a: Rule, b: Rule): boolean {
  return a.family === b.family && a.from === b.from && a.table === b.table && a.inputLink === b.inputLink
}

/** What is there already, or gone already, is as it should be. */
function quietly(change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!hasErrno(error, 'EEXIST', 'ENOENT', 'ESRCH', 'ENODEV')) throw error
  }
}
