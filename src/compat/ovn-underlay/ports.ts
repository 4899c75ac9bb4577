/**
 * How many ports a subnet has room for, which VLANs they get, and which one the next pod takes. Pure.
 * @module
 */
import {
  BITS,
  type Cidr,
  familyOf,
  networkAround,
  parseCidr,
  parseIp,
  prefixLength,
} from '../../network/model/address.ts'
import type { CachedPort } from './cache.ts'
import { UnderlayError } from './errors.ts'

/** VLANs behind one interface. */
export const MOST_PORTS = 4094

/** The subnet that somebody wrote. Throws UNDERLAY_USAGE. */
export function subnetOf(text: string): Cidr {
  const [address = '', length = ''] = text.split('/')
  const ip = parseIp(address)
  if (ip === undefined || !/^\d{1,3}$/.test(length)) {
    throw new UnderlayError('UNDERLAY_USAGE', `'${text}' is no subnet`, 'write it as 192.168.1.0/29')
  }
  if (familyOf(ip) === 6) {
    throw new UnderlayError(
      'UNDERLAY_USAGE',
      `${text} is of IPv6`,
      'give a subnet of IPv4: the underlay knows no other',
    )
  }
  const found = parseCidr(text)
  if (found !== undefined) return found
  const meant = Number(length) <= 32 ? networkAround(ip, Number(length)) : '192.168.1.0/29'
  throw new UnderlayError('UNDERLAY_USAGE', `'${text}' is no subnet`, `write it as ${meant}`)
}

/**
 * How many pods a subnet has room for: all addresses but the first, the last and the gateway's. Throws UNDERLAY_USAGE for
 * one without room, and for one that has more than there are VLANs, unless fewer are asked for.
 */
export function podsIn(subnet: Cidr, asked?: number): number {
  const bits = BITS[familyOf(subnet)] - prefixLength(subnet)
  const room = bits >= 31 ? Number.MAX_SAFE_INTEGER : 2 ** bits - 3
  if (room < 1) {
    throw new UnderlayError('UNDERLAY_USAGE', `${subnet} has no room for pods`, 'give one of /30 or larger')
  }
  if (asked !== undefined && asked > room) {
    throw new UnderlayError('UNDERLAY_USAGE', `${subnet} has room for ${room} pods`, `ask for ${room} ports or fewer`)
  }
  const wanted = asked ?? room
  if (wanted <= MOST_PORTS) return wanted
  const remedy = `give a subnet of /20 or smaller, or fewer ports: --ports ${MOST_PORTS}`
  throw new UnderlayError(
    'UNDERLAY_USAGE',
    `${subnet} is for ${wanted} pods, and there are ${MOST_PORTS} VLANs`,
    remedy,
  )
}

/** The lowest VLANs that nobody has. */
export function freeVlans(count: number, taken: ReadonlySet<number>): readonly number[] {
  const free: number[] = []
  for (let vlan = 1; vlan <= MOST_PORTS && free.length < count; vlan += 1) if (!taken.has(vlan)) free.push(vlan)
  if (free.length === count) return free
  const cause = `${taken.size} VLANs behind the port of this machine are taken, and ${count} more are wanted`
  throw new UnderlayError(
    'UNDERLAY_NO_NESTING',
    cause,
    'ask for fewer ports with --ports, or remove parts of the trunk',
  )
}

/**
 * The ports that no pod has, in the order in which they are tried: those behind the one that was given last come first, so
 * that an address rests as long as it can.
 */
export function freePorts(
  cache: readonly CachedPort[],
  taken: ReadonlySet<string>,
  last: number,
): readonly CachedPort[] {
  const free = cache.filter(({ id }) => !taken.has(id))
  return [...free.filter(({ vlan }) => vlan > last), ...free.filter(({ vlan }) => vlan <= last)]
}
