/**
 * What attachment definitions and coordinators must be.
 * @module
 */
import { cidr, contains, familyOf, type Ip } from './address.ts'
import { below, type Decode, type Decoded, decodeWith, reject, shown } from './decode.ts'
import { address, checked, flag, integer, list, literal, network, optional, record, text, variant } from './decoders.ts'
import { type AttachmentDefinition, type Coordinator, type CoordinatorStatus, MAX_CONFIG } from './definition.ts'
import { ifname, namespaceName, objectName } from './names.ts'

/** The most of a coordinator's ranges and routes. */
export const MAX_COORDINATOR_ITEMS = 1000
/** A prefix that is a DNS name, a slash, and a name. */
const MAX_RESOURCE_NAME = 317
const MAX_SENTENCE = 1024
/** The least that IPv4 needs (RFC 791), and the most that there is. */
const MIN_VETH_MTU = 68
const MAX_VETH_MTU = 65_535
const MAX_TABLE = 0xffff_ffff
/** The kernel's own tables: default, main and local; and 0, which means none. */
const OWN_TABLES: readonly number[] = [0, 253, 254, 255]

const definition: Decode<AttachmentDefinition> = record<AttachmentDefinition>({
  namespace: namespaceName,
  name: objectName,
  config: text(0, MAX_CONFIG),
  resourceName: optional(text(1, MAX_RESOURCE_NAME)),
})

const networks = list(network, MAX_COORDINATOR_ITEMS)

const status: Decode<CoordinatorStatus> = variant<CoordinatorStatus>('phase', [
  [
    'Synced',
    record<Extract<CoordinatorStatus, { readonly phase: 'Synced' }>>({
      phase: literal('Synced'),
      overlayPods: networks,
      services: networks,
    }),
  ],
  [
    'NotReady',
    record<Extract<CoordinatorStatus, { readonly phase: 'NotReady' }>>({
      phase: literal('NotReady'),
      reason: text(0, MAX_SENTENCE),
    }),
  ],
])

type PolicyRoute = Coordinator['policyRoutes'][number]

const policyRoute: Decode<PolicyRoute> = checked(
  record<PolicyRoute>({ destination: network, gateway: address }),
  ({ destination, gateway }, at) => {
    if (familyOf(destination) !== familyOf(gateway)) {
      reject(at, `${gateway} is no gateway to ${destination}`, 'give both of one family')
    }
  },
)

/** The first two bytes of an address of one station alone. */
const macPrefix: Decode<string> = (input, at) =>
  typeof input === 'string' && /^(|[0-9a-f][02468ace]:[0-9a-f]{2})$/.test(input)
    ? input
    : reject(at, `${shown(input)} begins no MAC address of a pod`, 'give two bytes such as 0a:1b, the first one even')

const defaultRouteNic: Decode<string> = (input, at) => (input === '' ? '' : ifname(input, at))

const LINK_LOCAL = cidr('169.254.0.0/16')

const linkLocal: Decode<Ip> = checked(address, (value, at) => {
  if (!contains(LINK_LOCAL, value)) reject(at, `${value} is not link-local`, `give an address of ${LINK_LOCAL}`)
})

const hostRuleTable: Decode<number> = checked(integer(0, MAX_TABLE), (value, at) => {
  if (OWN_TABLES.includes(value)) reject(at, `table ${value} is the kernel's own`, 'give another one, such as 500')
})

const coordinator: Decode<Coordinator> = checked(
  record<Coordinator>({
    name: objectName,
    mode: literal('auto', 'underlay', 'overlay', 'disabled'),
    podCidrType: literal('auto', 'cluster', 'calico', 'cilium', 'none'),
    hijack: networks,
    policyRoutes: list(policyRoute, MAX_COORDINATOR_ITEMS),
    macPrefix,
    tunePodRoutes: flag,
    defaultRouteNic,
    hostRuleTable,
    podRpFilter: integer(-0x8000_0000, 2),
    txQueueLength: integer(0, 0x7fff_ffff),
    vethLinkAddress: optional(linkLocal),
    vethMtu: integer(MIN_VETH_MTU, MAX_VETH_MTU),
    detectsConflicts: flag,
    detectsGateway: flag,
    status: optional(status),
  }),
  ({ policyRoutes }, at) => {
    const seen = new Set<string>()
    for (const [index, { destination }] of policyRoutes.entries()) {
      if (seen.has(destination)) {
        reject(below(below(at, 'policyRoutes'), index), `${destination} is there twice`, 'give it once')
      }
      seen.add(destination)
    }
  },
)

/** The attachment definition in this input, or what is wrong with it. */
export function decodeAttachmentDefinition(input: unknown): Decoded<AttachmentDefinition> {
  return decodeWith(definition, input)
}

/** The coordinator in this input, or what is wrong with it. */
export function decodeCoordinator(input: unknown): Decoded<Coordinator> {
  return decodeWith(coordinator, input)
}
