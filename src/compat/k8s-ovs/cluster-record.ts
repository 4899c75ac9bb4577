/**
 * The cluster's configuration as k8s-ovs's `config`. What it has no words for is kept under further keys, which it passes
 * over: `MoreNetworks`, `MoreServiceNetworks`, `Encapsulation`, `Port`, `RangesPerNode`, `Underlay`, `Services` and `MTU`. What is as it
 * would be without a word is not written.
 * @module
 */
import { networkAround, parseIp } from '../../network/model/address.ts'
import type { Cluster, Encapsulation } from '../../network/model/cluster.ts'
import { optionalField } from '../fields.ts'
import { field, type GoObject, rewritten, textField } from './go-object.ts'
import { DEFAULT_NAME } from './layout.ts'
import type { RecordBinding } from './record.ts'

const PLUGIN = /^k8s-ovs-(subnet|multitenant)$/
/** The ports that IANA gave to VXLAN and Geneve. */
const PORTS: Readonly<Record<string, number>> = { vxlan: 4789, geneve: 6081 }
const FAMILIES: ReadonlyMap<unknown, number> = new Map([
  ['ipv4', 4],
  ['ipv6', 6],
])

/** Cluster ↔ `config`. Which key that is, and which name it gives to the network, is the registry's to know. */
export const clusterRecord: RecordBinding<'Cluster'> = {
  isKey: () => false,
  read: (_key, object) => ({ name: 'default', value: decode(object) }),
  write: (cluster, before) => rewritten(fieldsOf(cluster, before), before),
  damaged: (last) => last,
}

/** The name that a configuration gives to the network. */
export function networkName(config: GoObject): string {
  return textField(config, 'Name')
}

function decode(object: GoObject): unknown {
  const service = textField(object, 'ServiceNetwork')
  return {
    networks: [networkIn(object), ...items(object, 'MoreNetworks').map(networkIn)],
    serviceNetworks: [...(service === '' ? [] : [service]), ...items(object, 'MoreServiceNetworks')].map(masked),
    tenancy: tenancyIn(object),
    encapsulation: encapsulationIn(object),
    ...optionalField('rangesPerNode', numberField(object, 'RangesPerNode')),
    underlay: underlayIn(field(object, 'Underlay')),
    services: field(object, 'Services') ?? 'weft',
    ...optionalField('mtu', numberField(object, 'MTU')),
  }
}

function networkIn(input: unknown): unknown {
  const object = typeof input === 'object' && input !== null ? (input as GoObject) : {}
  return { cidr: masked(field(object, 'Network')), hostBits: field(object, 'HostSubnetLength') }
}

/** Their parser takes a network with host bits set, and leaves those out. */
export function masked(input: unknown): unknown {
  if (typeof input !== 'string') return input
  const [, address = '', length = ''] = /^([^/]{1,64})\/(\d{1,3})$/.exec(input) ?? []
  const ip = parseIp(address)
  const most = ip?.includes(':') === true ? 128 : 32
  return ip === undefined || Number(length) > most ? input : networkAround(ip, Number(length))
}

function tenancyIn(object: GoObject): unknown {
  const name = field(object, 'PluginName')
  return typeof name === 'string' ? (PLUGIN.exec(name.toLowerCase())?.[1] ?? name) : name
}

function encapsulationIn(object: GoObject): unknown {
  const given = field(object, 'Encapsulation') ?? 'vxlan'
  const type = typeof given === 'string' ? given.toLowerCase() : given
  const standard = typeof type === 'string' && Object.hasOwn(PORTS, type) ? PORTS[type] : undefined
  return { type, ...optionalField('port', numberField(object, 'Port') ?? standard) }
}

function underlayIn(given: unknown): unknown {
  if (given === undefined) return 4
  return FAMILIES.get(typeof given === 'string' ? given.toLowerCase() : given) ?? given
}

/** Zero stands for an absent number: their language cannot tell the two apart. */
function numberField(object: GoObject, name: string): unknown {
  const value = field(object, name)
  return value === 0 ? undefined : value
}

function items(object: GoObject, name: string): readonly unknown[] {
  const value = field(object, name)
  if (value === undefined) return []
  // Refused by name further on.
  return Array.isArray(value) ? value : [value]
}

function fieldsOf(cluster: Cluster, before: GoObject | undefined): GoObject {
  const [first, ...more] = cluster.networks
  const [service, ...services] = cluster.serviceNetworks
  return {
    Name: before === undefined ? DEFAULT_NAME : networkName(before),
    Network: first?.cidr,
    HostSubnetLength: first?.hostBits,
    ServiceNetwork: service ?? '',
    PluginName: `k8s-ovs-${cluster.tenancy}`,
    MoreNetworks: listed(more.map(({ cidr, hostBits }) => ({ Network: cidr, HostSubnetLength: hostBits }))),
    MoreServiceNetworks: listed(services),
    Encapsulation: cluster.encapsulation.type === 'vxlan' ? undefined : cluster.encapsulation.type,
    Port: portOf(cluster.encapsulation),
    RangesPerNode: cluster.rangesPerNode,
    Underlay: cluster.underlay === 6 ? 'IPv6' : undefined,
    Services: cluster.services === 'weft' ? undefined : cluster.services,
    MTU: cluster.mtu,
  }
}

function portOf(encapsulation: Encapsulation): number | undefined {
  if (encapsulation.type === 'gre') return undefined
  return encapsulation.port === PORTS[encapsulation.type] ? undefined : encapsulation.port
}

function listed<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items
}
