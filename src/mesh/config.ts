/**
 * The list of machines that are to be one mesh, as people write it: the same text on every machine. Pure.
 * @module
 */
import {
  type Cidr,
  contains,
  familyOf,
  firstIp,
  type Ip,
  ipValue,
  lastIp,
  overlaps,
  prefixLength,
} from '../network/model/address.ts'
import {
  type At,
  below,
  type Decode,
  type Decoded,
  decodeWith,
  describeProblems,
  reject,
} from '../network/model/decode.ts'
import {
  address,
  checked,
  flag,
  integer,
  list,
  literal,
  network,
  optional,
  record,
  text,
} from '../network/model/decoders.ts'
import { parseYaml } from '../settings/yaml.ts'
import { MeshError } from './errors.ts'
import { portName } from './names.ts'

export const TUNNELS = ['gre', 'vxlan', 'geneve'] as const
export type TunnelType = (typeof TUNNELS)[number]

/** How tunnels are made. `key` absent: none, as `ovs-vsctl` makes them. `port`: UDP, for vxlan and geneve. */
export interface Tunnel {
  readonly type: TunnelType
  readonly key?: number
  readonly port?: number
}

/** A machine. `address`: what the others reach it by. `subnets`: what its containers have addresses of. */
export interface MeshHost {
  readonly name: string
  readonly address: Ip
  readonly subnets: readonly Cidr[]
}

/** By what packets of containers leave: tunnels alone, routes over the others' addresses alone, or those where they can be. */
export type MeshWays =
  | { readonly direct: false; readonly tunnel: Tunnel }
  | { readonly direct: true; readonly tunnel?: Tunnel }

/** A mesh. */
export interface MeshConfig {
  readonly ways: MeshWays
  /** Our bridge of Open vSwitch, which has the tunnels. */
  readonly bridge: string
  /** The Linux bridge that containers are on. */
  readonly attach: string
  /** What all containers have addresses of; empty: their subnets are led one by one. */
  readonly networks: readonly Cidr[]
  /** Tunnel packets in a machine's name are taken from links alone by which one expects them. */
  readonly guard: boolean
  readonly hosts: readonly MeshHost[]
}

const MAX_TEXT = 1 << 20
const MAX_HOSTS = 2_000

/** The mesh in a text. Throws MESH_CONFIG with everything that is wrong. */
export function decodeMeshConfig(source: string, from: string): MeshConfig {
  const decoded = decode(source)
  if (decoded.ok) return decoded.value
  throw new MeshError(
    'MESH_CONFIG',
    `${from}: ${describeProblems(decoded.problems)}`,
    'correct it; docs/mesh.md has every key',
  )
}

function decode(source: string): Decoded<MeshConfig> {
  const at: At = { path: '', problems: [] }
  const value = parseYaml(source, at, MAX_TEXT)
  if (at.problems.length > 0) return { ok: false, problems: at.problems }
  return decodeWith(mesh, value)
}

interface Written {
  readonly way?: TunnelType | 'direct'
  readonly otherwise?: TunnelType | 'refuse'
  readonly key?: number
  readonly port?: number
  readonly bridge?: string
  readonly attach?: string
  readonly network?: readonly Cidr[]
  readonly guard?: boolean
  readonly hosts: readonly WrittenHost[]
}

interface WrittenHost {
  readonly name: string
  readonly address: Ip
  readonly subnet: readonly Cidr[]
}

/** One, or a list of one per family. */
const networks: Decode<readonly Cidr[]> = (input, at) => {
  const many = Array.isArray(input) ? input : [input]
  const found = list(network, 2)(many, at)
  if (found === undefined) return undefined
  const families = new Set(found.map(familyOf))
  return families.size === found.length && found.length > 0
    ? found
    : reject(at, 'two networks of one family, or none', 'give one of each family')
}

const linkName: Decode<string> = (input, at) =>
  typeof input === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(input)
    ? input
    : reject(at, 'is no name of a link', 'give letters, digits, dots and dashes, at most 15')

const hostName: Decode<string> = (input, at) => {
  const name = text(1, 63)(input, at)
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name
  return reject(at, 'is no name of a machine', 'give letters, digits, dots and dashes')
}

const written = record<Written>({
  way: optional(literal(...TUNNELS, 'direct')),
  otherwise: optional(literal(...TUNNELS, 'refuse')),
  key: optional(integer(0, 0xffffffff)),
  port: optional(integer(1, 65_535)),
  bridge: optional(linkName),
  attach: optional(linkName),
  network: optional(networks),
  guard: optional(flag),
  hosts: list(record<WrittenHost>({ name: hostName, address, subnet: networks }), MAX_HOSTS),
})

const mesh: Decode<MeshConfig> = (input, at) => {
  const found = checked(written, check)(input, at)
  if (found === undefined) return undefined
  const { bridge = 'br0', attach = 'docker0', network: whole = [], guard = true, hosts } = found
  return {
    ways: waysOf(found),
    bridge,
    attach,
    networks: whole,
    guard,
    hosts: hosts.map(({ name, address: one, subnet }) => ({ name, address: one, subnets: subnet })),
  }
}

function waysOf({ way = 'gre', otherwise = 'refuse', key, port }: Written): MeshWays {
  const options = { ...(key === undefined ? {} : { key }), ...(port === undefined ? {} : { port }) }
  if (way !== 'direct') return { direct: false, tunnel: { type: way, ...options } }
  return otherwise === 'refuse' ? { direct: true } : { direct: true, tunnel: { type: otherwise, ...options } }
}

function check(found: Written, at: At): void {
  const { way = 'gre', otherwise, key, port, bridge = 'br0', attach = 'docker0', hosts } = found
  const tunnel = way === 'direct' ? otherwise : way
  if (otherwise !== undefined && way !== 'direct')
    reject(below(at, 'otherwise'), `says nothing with way ${way}`, 'remove it, or give way: direct')
  const hasTunnel = tunnel !== undefined && tunnel !== 'refuse'
  if (key !== undefined && !hasTunnel) reject(below(at, 'key'), 'says nothing without a tunnel', 'remove it')
  if (key !== undefined && key > 0xffffff && tunnel !== 'gre')
    reject(below(at, 'key'), `${key} has more than 24 bits`, 'give at most 16777215')
  if (port !== undefined && (!hasTunnel || tunnel === 'gre'))
    reject(below(at, 'port'), 'is for vxlan and geneve only', 'remove it')
  if (bridge === attach)
    reject(below(at, 'bridge'), 'is the bridge of the containers', 'give the new bridge another name')
  if (hosts.length === 0) reject(below(at, 'hosts'), 'has no machine in it', 'list every machine, this one too')
  checkHosts(found, below(at, 'hosts'))
}

function checkHosts({ network: whole = [], hosts }: Written, at: At): void {
  const names = new Map<string, number>()
  const addresses = new Map<string, string>()
  const ports = new Map<string, string>()
  const [first] = hosts
  for (const [index, { name, address: own, subnet }] of hosts.entries()) {
    const here = below(at, index)
    if (names.has(name)) reject(below(here, 'name'), `${name} is listed twice`, 'list each machine once')
    names.set(name, index)
    const other = addresses.get(own)
    if (other !== undefined) reject(below(here, 'address'), `${own} is the address of ${other} as well`, 'correct one')
    else if (ports.has(portName('gre', own)))
      reject(
        below(here, 'address'),
        `${own} gives the name of a port that ${ports.get(portName('gre', own))} has`,
        'use another',
      )
    addresses.set(own, name)
    ports.set(portName('gre', own), name)
    if (first !== undefined && familyOf(own) !== familyOf(first.address))
      reject(below(here, 'address'), `${own} is not of the family of ${first.address}`, 'give addresses of one family')
    for (const one of subnet) {
      const around = whole.find((each) => familyOf(each) === familyOf(one))
      if (whole.length > 0 && (around === undefined || !isInside(one, around)))
        reject(below(here, 'subnet'), `${one} is not within network`, 'correct one of them')
    }
  }
  checkOverlaps(hosts, at)
  checkUnderlay(hosts, [...whole, ...hosts.flatMap(({ subnet }) => subnet)], at)
}

/** In order of their beginnings a network overlaps with the one before it, or with none. */
function checkOverlaps(hosts: readonly WrittenHost[], at: At): void {
  for (const family of [4, 6] as const) {
    const sorted = hosts
      .flatMap(({ name, subnet }) => subnet.filter((one) => familyOf(one) === family).map((cidr) => ({ name, cidr })))
      .sort(
        (a, b) =>
          compare(ipValue(firstIp(a.cidr)), ipValue(firstIp(b.cidr))) || prefixLength(a.cidr) - prefixLength(b.cidr),
      )
    for (const [index, { name, cidr }] of sorted.entries()) {
      const before = sorted[index - 1]
      if (before !== undefined && overlaps(before.cidr, cidr))
        reject(
          at,
          `the subnets ${before.cidr} of ${before.name} and ${cidr} of ${name} overlap`,
          'give each machine its own',
        )
    }
  }
}

/** A tunnel whose other end is led into the tunnel leads nowhere. */
function checkUnderlay(hosts: readonly WrittenHost[], inner: readonly Cidr[], at: At): void {
  const ranges = (family: 4 | 6) =>
    inner
      .filter((one) => familyOf(one) === family)
      .map((one) => ({ cidr: one, first: ipValue(firstIp(one)), last: ipValue(lastIp(one)) }))
      .sort((a, b) => compare(a.first, b.first))
  const known = { 4: ranges(4), 6: ranges(6) }
  for (const [index, { address: own }] of hosts.entries()) {
    const value = ipValue(own)
    const around = known[familyOf(own)].find(({ first, last }) => first <= value && value <= last)
    if (around !== undefined)
      reject(below(below(at, index), 'address'), `${own} is in ${around.cidr}, a network of containers`, 'correct one')
  }
}

function isInside(inner: Cidr, outer: Cidr): boolean {
  return prefixLength(inner) >= prefixLength(outer) && contains(outer, firstIp(inner))
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
