/**
 * What objects of BGP must be.
 * @module
 */
import { BITS, familyOf } from './address.ts'
import type { BfdTimes, BgpConfiguration, BgpPeering, BgpRange, NodeBgp } from './bgp.ts'
import { below, type Decode, type Decoded, decodeWith, reject, shown } from './decode.ts'
import { address, checked, flag, integer, list, literal, network, optional, record, text } from './decoders.ts'
import { objectName } from './names.ts'

/** The most of anything in one object. */
export const MAX_BGP_LIST = 1000
/** The longest selector. */
const MAX_SELECTOR = 32_768
const MAX_PROBLEM = 1024
const MAX_METRIC = 2_147_483_646

const asNumber = integer(1, 0xffff_ffff)
const port = integer(1, 65_535)
const seconds = integer(0, 4095)
const metric = integer(1, MAX_METRIC)

const COMMUNITY = /^\d{1,10}(?::\d{1,10}){1,2}$/

/** `65000:100` of two numbers of 16 bits, `65000:1:2` of three of 32. */
const community: Decode<string> = (input, at) => {
  if (typeof input !== 'string' || !COMMUNITY.test(input)) return noCommunity(input, at)
  const parts = input.split(':').map(Number)
  const most = parts.length === 2 ? 0xffff : 0xffff_ffff
  return parts.every((part) => part <= most) ? input : noCommunity(input, at)
}

const noCommunity: Decode<string> = (input, at) =>
  reject(at, `${shown(input)} is no community`, 'give one such as 65000:100 or 65000:1:2')

const passwordName: Decode<string> = (input, at) =>
  typeof input === 'string' &&
  /^[a-z0-9.-]{1,253}\/[A-Za-z0-9._-]{1,253}$/.test(input) &&
  !/(?:^|\/)\.{1,2}(?:$|\/)/.test(input)
    ? input
    : reject(at, `${shown(input)} names no password`, 'give a secret’s name and a key in it')

const configuration: Decode<BgpConfiguration> = record<BgpConfiguration>({
  name: objectName,
  mesh: optional(flag),
  asNumber: optional(asNumber),
  port: optional(port),
  isStrictlyBound: optional(flag),
  meshPassword: optional(passwordName),
  meshRestart: optional(seconds),
  bfd: optional(record<BfdTimes>({ interval: integer(10, 60_000), multiplier: integer(1, 255) })),
  ignoredInterfaces: optional(list(text(1, 64), MAX_BGP_LIST)),
  metric4: optional(metric),
  metric6: optional(metric),
  communities: optional(
    list(
      record<{ readonly cidr: BgpRange['cidr']; readonly add: readonly string[] }>({
        cidr: network,
        add: list(community, MAX_BGP_LIST),
      }),
      MAX_BGP_LIST,
    ),
  ),
  clusterIps: optional(list(network, MAX_BGP_LIST)),
  externalIps: optional(list(network, MAX_BGP_LIST)),
  loadBalancerIps: optional(list(network, MAX_BGP_LIST)),
  tellsEachLoadBalancer: optional(flag),
})

const peering: Decode<BgpPeering> = checked(
  record<BgpPeering>({
    name: objectName,
    node: optional(objectName),
    nodeSelector: optional(text(0, MAX_SELECTOR)),
    address: optional(address),
    port: optional(port),
    peerSelector: optional(text(0, MAX_SELECTOR)),
    asNumber: optional(asNumber),
    localAs: optional(asNumber),
    nextHop: optional(literal('auto', 'self', 'keep')),
    password: optional(passwordName),
    source: optional(literal('node', 'any')),
    restart: optional(seconds),
    keepalive: optional(integer(1, 21_845)),
    allowedLocalAs: optional(integer(0, 255)),
    ttlSecurity: optional(integer(1, 255)),
    reachableBy: optional(address),
    filters: optional(list(text(1, 253), MAX_BGP_LIST)),
    isMutual: optional(flag),
    bfd: optional(flag),
  }),
  (value, at) => {
    if (value.node !== undefined && value.nodeSelector !== undefined)
      reject(below(at, 'nodeSelector'), 'it names a node and selects some', 'give one of the two')
    if ((value.address === undefined) === (value.peerSelector === undefined))
      reject(below(at, 'address'), 'it has to name one peer, or select some', 'give a peer’s address or a peerSelector')
    if (value.address !== undefined && value.asNumber === undefined)
      reject(below(at, 'asNumber'), `the AS number of ${value.address} is missing`, 'add it')
  },
)

const range: Decode<BgpRange> = record<BgpRange>({
  name: objectName,
  cidr: network,
  isHidden: optional(flag),
  tunnel: optional(literal('ipip', 'vxlan')),
  isCrossSubnet: optional(flag),
  isTranslated: optional(flag),
  isDisabled: optional(flag),
})

/** What a node's object says of its BGP. */
export const nodeBgp: Decode<NodeBgp> = record<NodeBgp>({
  addresses: checked(
    list(
      checked(
        record<{ readonly address: NodeBgp['addresses'][number]['address']; readonly length: number }>({
          address,
          length: integer(1, BITS[6]),
        }),
        (value, at) => {
          if (value.length > BITS[familyOf(value.address)])
            reject(at, `${value.length} bits are too many`, 'give fewer')
        },
      ),
      2,
    ),
    (value, at) => {
      const [first, second] = value
      if (first !== undefined && second !== undefined && familyOf(first.address) === familyOf(second.address))
        reject(at, 'two addresses of one family', 'give one of each')
    },
  ),
  asNumber: optional(asNumber),
  clusterId: optional(
    checked(address, (value, at) => {
      if (familyOf(value) !== 4) reject(at, `${value} is no IPv4 address`, 'give one')
    }),
  ),
  problem: optional(text(1, MAX_PROBLEM)),
  isRecorded: optional(literal(true)),
})

/** The configuration in this input, or what is wrong with it. */
export function decodeBgpConfiguration(input: unknown): Decoded<BgpConfiguration> {
  return decodeWith(configuration, input)
}

/** The peering in this input, or what is wrong with it. */
export function decodeBgpPeering(input: unknown): Decoded<BgpPeering> {
  return decodeWith(peering, input)
}

/** The range in this input, or what is wrong with it. */
export function decodeBgpRange(input: unknown): Decoded<BgpRange> {
  return decodeWith(range, input)
}
