/**
 * The persistent form for netplan(5): the bridge under `bridges` with `openvswitch`, in a file of our own. What another
 * file says of the uplink's addresses goes there, because netplan joins lists of several files. Pure.
 * @module
 */
import { parseDocument, stringify } from 'yaml'
import { BridgeError } from '../errors.ts'
import { IDS, OWNER, type PlannedFile } from '../model.ts'
import type { Wish } from '../wish.ts'
import { headerOf, isOurFile } from './header.ts'
import type { Layer3 } from './layer3.ts'

/** A file of `/etc/netplan`. */
export interface NetplanFile {
  readonly path: string
  readonly content: string
}

/** Where ours is: behind those of installers. */
export const netplanFile = (bridge: string): string => `/etc/netplan/90-weft-${bridge}.yaml`
const backupOf = (path: string, bridge: string): string => `${path}.before-weft-${bridge}`

/** The id under which netplan knows a link; undefined when it does not. */
export function netplanId(files: readonly NetplanFile[], link: string, mac: string): string | undefined {
  for (const { content } of files) {
    for (const kind of KINDS) {
      for (const [id, given] of Object.entries(mapIn(content, 'network', kind))) {
        const match = asMap(asMap(given)['match'])
        const isNamed = asMap(given)['set-name'] === link || match['name'] === link
        const isMac = String(match['macaddress'] ?? '').toLowerCase() === mac
        if ((id === link && Object.keys(match).length === 0) || isNamed || (isMac && id === link)) return id
      }
    }
  }
  return undefined
}

/** The files to write. Throws BRIDGE_PERSIST for one that is no YAML. */
export function netplanForm(
  wish: Wish,
  layer3: Layer3,
  files: readonly NetplanFile[],
  token: string,
): readonly PlannedFile[] {
  const others = files.filter(({ content }) => !isOurFile(content, wish.bridge))
  const id = netplanId(others, wish.uplink, layer3.mac) ?? wish.uplink
  const changed = others.flatMap((file) => withoutAddresses(file, id))
  const said = changed.map(({ taken }) => taken).reduce(merged, {})
  const bridge = {
    interfaces: [id],
    openvswitch: {
      'fail-mode': 'standalone',
      'other-config': { hwaddr: layer3.mac },
      'external-ids': {
        [IDS.owner]: OWNER,
        [IDS.uplink]: wish.uplink,
        [IDS.token]: token,
        [IDS.state]: 'moved',
        [IDS.persist]: 'netplan',
      },
    },
    ...(layer3.mtu === STANDARD_MTU ? {} : { mtu: layer3.mtu }),
    ...(Object.keys(said).length > 0 ? said : fromKernel(layer3)),
  }
  const kind = kindOf(others, id)
  const network = {
    version: 2,
    // Only Ethernet links can be told of here; others are told of where they are made.
    ...(kind === 'ethernets' ? { ethernets: { [id]: QUIET } } : {}),
    bridges: { [wish.bridge]: bridge },
  }
  const path = netplanFile(wish.bridge)
  const own = { path, mode: 0o600, content: `${headerOf(wish.bridge)}${stringify({ network }, { lineWidth: 0 })}` }
  return [
    own,
    ...changed.map(({ file, content }) => ({
      path: file.path,
      mode: 0o600,
      content,
      backup: backupOf(file.path, wish.bridge),
    })),
  ]
}

/** The files to remove, as they are now: ours, and those that have a former one beside them. */
export function netplanWritten(
  files: readonly NetplanFile[],
  all: ReadonlySet<string>,
  bridge: string,
): readonly PlannedFile[] {
  return files.flatMap(({ path, content }): readonly PlannedFile[] => {
    const backup = backupOf(path, bridge)
    if (all.has(backup)) return [{ path, content, mode: 0o600, backup }]
    return isOurFile(content, bridge) ? [{ path, content, mode: 0o600 }] : []
  })
}

const KINDS = ['ethernets', 'bonds', 'vlans'] as const
const STANDARD_MTU = 1500
const QUIET = { dhcp4: false, dhcp6: false, 'accept-ra': false, 'link-local': [] as readonly string[] }

/** Keys of addresses and what is reached by them: they go to the bridge. */
const LAYER3: ReadonlySet<string> = new Set([
  'addresses',
  'accept-ra',
  'dhcp-identifier',
  'dhcp4',
  'dhcp4-overrides',
  'dhcp6',
  'dhcp6-overrides',
  'gateway4',
  'gateway6',
  'ipv6-address-generation',
  'ipv6-address-token',
  'ipv6-privacy',
  'link-local',
  'nameservers',
  'routes',
  'routing-policy',
])

type Mapping = Readonly<Record<string, unknown>>

function kindOf(files: readonly NetplanFile[], id: string): string {
  return KINDS.find((kind) => files.some(({ content }) => id in mapIn(content, 'network', kind))) ?? 'ethernets'
}

/** A file without what it says of the link's addresses, comments kept; none when it says nothing of them. */
function withoutAddresses(file: NetplanFile, id: string) {
  const document = parsed(file)
  const taken: Record<string, unknown> = {}
  for (const kind of KINDS) {
    for (const [key, value] of Object.entries(mapIn(file.content, 'network', kind, id))) {
      if (!LAYER3.has(key)) continue
      taken[key] = value
      document.deleteIn(['network', kind, id, key])
    }
    // An empty mapping is what stays of a link that had nothing else.
    if (Object.keys(taken).length > 0 && document.getIn(['network', kind, id]) !== undefined) {
      const left = asMap(document.toJS())
      const rest = asMap(asMap(asMap(left['network'])[kind])[id])
      if (Object.keys(rest).length === 0) document.setIn(['network', kind, id], {})
    }
  }
  return Object.keys(taken).length === 0 ? [] : [{ file, taken, content: document.toString({ lineWidth: 0 }) }]
}

/** As netplan joins files: lists one after the other, of single values the later one. */
function merged(earlier: Mapping, later: Mapping): Mapping {
  const joined: Record<string, unknown> = { ...earlier }
  for (const [key, value] of Object.entries(later)) {
    const before = joined[key]
    joined[key] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
  }
  return joined
}

function fromKernel({ addresses, dhcp4, acceptRa, routes, dns }: Layer3): Mapping {
  return {
    dhcp4,
    'accept-ra': acceptRa,
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(routes.length === 0
      ? {}
      : {
          routes: routes.map(({ to, via, source, table, metric, onlink }) => ({
            to,
            ...(via === undefined ? { scope: 'link' } : { via }),
            ...(source === undefined ? {} : { from: source }),
            ...(table === undefined ? {} : { table }),
            ...(metric === undefined ? {} : { metric }),
            ...(onlink ? { 'on-link': true } : {}),
          })),
        }),
    ...(dns.servers.length + dns.domains.length === 0
      ? {}
      : { nameservers: { addresses: dns.servers, ...(dns.domains.length === 0 ? {} : { search: dns.domains }) } }),
  }
}

function parsed({ path, content }: NetplanFile) {
  const document = parseDocument(content)
  const [first] = document.errors
  if (first === undefined) return document
  throw new BridgeError('BRIDGE_PERSIST', `${path} is no YAML: ${first.message}`, 'correct it, or use --persist none')
}

function mapIn(content: string, ...path: readonly string[]): Mapping {
  const document = parseDocument(content)
  let found: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 })
  for (const key of path) found = asMap(found)[key]
  return asMap(found)
}

function asMap(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {}
}
