/**
 * A machine's part of the overlay as k8s-ovs's `subnets/<address>`. `Subnet` is its IPv4 range; both families, the
 * Node's uid, and what controller and agent say are under further keys, which k8s-ovs passes over. A record without
 * `NodeUID` is that of a host outside the cluster: written by hand with `"Assign":true` and no `Subnet`, it gets one. Until
 * the controller has put `External` into it, agents pass it over: k8s-ovs's records of nodes look the same, and whatever
 * comes from a host outside is believed to be of its VNI.
 *
 * The address in the key and in the record must be the same. Where they differ, nobody can tell whose record it is: it is
 * refused, and nothing is done to the other one. What is written over a node's record in another's name is refused as well:
 * there is one key for an address, and a node's is the node's.
 * @module
 */
import { familyOf, type Ip, parseIp } from '../../network/model/address.ts'
import type { Machine, NodeNetwork, NodeNetworkStatus, UnusedRange } from '../../network/model/node.ts'
import { GLOBAL_VNI } from '../../network/model/tenant.ts'
import { optionalField } from '../fields.ts'
import { masked } from './cluster-record.ts'
import { field, type GoObject, objectField, rewritten, textField } from './go-object.ts'
import { type Folders, subnetKey, subnetKeyed } from './layout.ts'
import type { ReadContext, RecordBinding, RecordReading } from './record.ts'

/** NodeNetwork ↔ `subnets/<address>`. */
export const subnetRecord: RecordBinding<'NodeNetwork'> = {
  isKey: (key, folders) => subnetKeyed(folders, key) !== undefined,
  read,
  write: (network, before) => rewritten(fieldsOf(network), before),
  damaged: (last, why) => ({ ...last, problem: `its record in etcd was damaged: ${why}`.slice(0, MAX_PROBLEM) }),
}

const MAX_PROBLEM = 1024

/** The key that a machine's record belongs under. */
export function subnetKeyOf(network: NodeNetwork, folders: Folders): string {
  const address = hostIpOf(network.addresses)
  return subnetKey(folders, address === undefined ? { host: network.node } : { address })
}

/** The key of a machine whose address another record stands under. */
export function waitingKeyOf({ node }: NodeNetwork, folders: Folders): string {
  return subnetKey(folders, { host: node })
}

function read(key: string, object: GoObject, { folders, last, confirms }: ReadContext<'NodeNetwork'>): RecordReading {
  const keyed = subnetKeyed(folders, key)
  const host = textField(object, 'Host')
  const hostIp = textField(object, 'HostIP')
  if (keyed === undefined) return { problem: 'the key is none of a host', remedy: 'remove it' }
  if ('host' in keyed && keyed.host !== host) {
    return { problem: `it says Host ${shortly(host)}`, remedy: 'make Host what stands in the key' }
  }
  const keyIp = 'address' in keyed ? parseIp(keyed.address) : undefined
  if ('address' in keyed && (keyIp === undefined || keyIp !== keyed.address || parseIp(hostIp) !== keyIp)) {
    const problem = `it says HostIP ${shortly(hostIp)}, which is not the address in its key: whose it is cannot be told`
    return { problem, remedy: 'write it again under its own address' }
  }
  const isConfirmed = textField(object, 'NodeUID') !== '' || field(object, 'External') === true
  if (!isConfirmed && !confirms) return last === undefined ? UNCONFIRMED : { name: last.node, value: last }
  if (!isConfirmed && last?.machine.kind === 'node' && last.node !== host) {
    const problem = `it says Host ${shortly(host)} in the place of ${last.node}, a node of the cluster`
    return { problem, remedy: 'write the host under an address of its own' }
  }
  const value = decode(object, host, keyIp ?? parseIp(hostIp))
  // So that there is something to write anew.
  return { name: host, value: isConfirmed ? value : { ...value, problem: UNCONFIRMED.problem } }
}

const UNCONFIRMED = {
  problem: 'no controller has confirmed it yet',
  remedy: 'start weft controller, or wait for it',
} as const

function decode(object: GoObject, host: string, hostIp: Ip | undefined): GoObject {
  return {
    node: host,
    machine: machineIn(object),
    addresses: addressesIn(object, hostIp),
    ranges: rangesIn(object),
    ...optionalField('closing', unusedIn(field(object, 'Closing'))),
    ...optionalField('problem', textField(object, 'Problem') || undefined),
    ...optionalField('silence', textField(object, 'Silence') || undefined),
    ...optionalField('status', statusIn(objectField(object, 'Status'))),
  }
}

function machineIn(object: GoObject): unknown {
  const uid = textField(object, 'NodeUID')
  return uid === '' ? { kind: 'external', vni: field(object, 'VNI') ?? GLOBAL_VNI } : { kind: 'node', uid }
}

/** The list counts as long as HostIP is in it. */
function addressesIn(object: GoObject, hostIp: Ip | undefined): readonly unknown[] {
  const all = itemsIn(object, 'Addresses')
  return hostIp === undefined || all.includes(hostIp) ? all : [hostIp]
}

/** `Subnet` counts for its family; the list says the rest, and the order. */
function rangesIn(object: GoObject): readonly unknown[] {
  const subnet = masked(textField(object, 'Subnet'))
  const all = itemsIn(object, 'Subnets')
  if (subnet === '' || all.includes(subnet)) return subnet === '' ? all.filter(isIpv6) : all
  return isIpv6(subnet) ? [...all.filter((range) => !isIpv6(range)), subnet] : [subnet, ...all.filter(isIpv6)]
}

function isIpv6(range: unknown): boolean {
  return typeof range === 'string' && range.includes(':')
}

function itemsIn(object: GoObject, name: string): readonly unknown[] {
  const value = field(object, name)
  return Array.isArray(value) ? value : []
}

/** What an agent says of itself is of no use when half of it is missing. */
function statusIn(status: GoObject | undefined): unknown {
  if (status === undefined) return undefined
  return {
    ready: field(status, 'Ready'),
    ...optionalField('reason', field(status, 'Reason')),
    uplinkMtu: field(status, 'UplinkMTU'),
    datapath: field(status, 'Datapath'),
    ...optionalField('wants', wantsIn(objectField(status, 'Wants'))),
    ...optionalField('unused', unusedIn(field(status, 'Unused'))),
    ...optionalField('beat', field(status, 'Beat')),
  }
}

function wantsIn(wants: GoObject | undefined): unknown {
  if (wants === undefined) return undefined
  return { ...optionalField('4', field(wants, 'IPv4')), ...optionalField('6', field(wants, 'IPv6')) }
}

/** Ranges with the revision at which they were closed; what is no list is shown as it is. */
function unusedIn(list: unknown): unknown {
  if (!Array.isArray(list)) return list
  return list.map((one: unknown) => {
    const item = objectField({ item: one }, 'item')
    return item === undefined ? one : { range: field(item, 'Range'), ...optionalField('since', field(item, 'Since')) }
  })
}

function fieldsOf(network: NodeNetwork): GoObject {
  const { node, machine, addresses, ranges, closing, problem, silence, status } = network
  const hostIp = hostIpOf(addresses)
  const subnet = ranges.find((range) => familyOf(range) === 4) ?? ranges[0]
  return {
    Host: node,
    HostIP: hostIp ?? '',
    Subnet: subnet ?? '',
    Assign: machine.kind === 'external' && ranges.length === 0,
    NodeUID: machine.kind === 'node' ? machine.uid : undefined,
    External: machine.kind === 'external' ? true : undefined,
    VNI: vniOf(machine),
    Addresses: addresses.length === (hostIp === undefined ? 0 : 1) ? undefined : addresses,
    Subnets: ranges.length === (subnet === undefined ? 0 : 1) ? undefined : ranges,
    Closing: closing === undefined ? undefined : closing.map(unusedFields),
    Problem: problem,
    Silence: silence,
    Status: status === undefined ? undefined : statusFields(status),
  }
}

function vniOf(machine: Machine): number | undefined {
  return machine.kind === 'node' || machine.vni === GLOBAL_VNI ? undefined : machine.vni
}

function statusFields({ ready, reason, uplinkMtu, datapath, wants, unused, beat }: NodeNetworkStatus): GoObject {
  return {
    Ready: ready,
    Reason: reason,
    UplinkMTU: uplinkMtu,
    Datapath: datapath,
    Wants: wants === undefined ? undefined : { IPv4: wants[4], IPv6: wants[6] },
    Unused: unused?.map(unusedFields),
    Beat: beat,
  }
}

function unusedFields({ range, since }: UnusedRange): GoObject {
  return { Range: range, Since: since }
}

/** The address that the record is kept under: k8s-ovs knows IPv4 alone. */
function hostIpOf(addresses: readonly Ip[]): Ip | undefined {
  return addresses.find((address) => familyOf(address) === 4) ?? addresses[0]
}

function shortly(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
