/**
 * What the coordinator is to do: its own configuration, then the SpiderCoordinator, then Spiderpool's defaults. A
 * configuration may be a tenant's.
 * @module
 */
import { cniError, type Json, type JsonObject } from '../../../cni/index.ts'
import { GUEST_TABLES } from '../../../network/guests.ts'
import {
  type Cidr,
  type Family,
  familyOf,
  hostCidr,
  type Ip,
  networkAround,
  parseIp,
} from '../../../network/model/address.ts'
import type { Coordinator } from '../../../network/model/definition.ts'

/** A SpiderCoordinator's words, with the ranges that are reached by way of the node. */
export interface CoordinatorSettings {
  readonly mode: Coordinator['mode']
  /** Overlay pods, services, and what else is asked for. */
  readonly hijack: readonly Cidr[]
  readonly policyRoutes: readonly { readonly destination: Cidr; readonly gateway: Ip }[]
  /** `xx:yy`, or empty. */
  readonly macPrefix: string
  readonly tunePodRoutes: boolean
  /** Empty: the first interface. */
  readonly defaultRouteNic: string
  readonly hostRuleTable: number
  /** Below 0: left alone. */
  readonly podRpFilter: number
  /** 0: left alone. */
  readonly txQueueLength: number
  readonly vethLinkAddress?: Ip
  readonly vethMtu: number
}

/** The key of a configuration that decides about the node and not the pod alone. */
export const NODE_KEY = 'hostRuleTable'

/**
 * Reads a configuration. Throws `config-invalid` naming the field, and `coordinator-not-ready` where ranges are needed that
 * nobody knows yet.
 */
export function coordinatorSettings(config: JsonObject, coordinator: Coordinator | undefined): CoordinatorSettings {
  const mode = modeIn(config['mode']) ?? coordinator?.mode ?? 'auto'
  const vethLinkAddress = addressIn(config, 'vethLinkAddress') ?? coordinator?.vethLinkAddress
  return {
    mode,
    hijack: mode === 'disabled' ? [] : hijackOf(config, coordinator),
    policyRoutes: policyRoutesIn(config) ?? coordinator?.policyRoutes ?? [],
    macPrefix: macPrefixIn(config) ?? coordinator?.macPrefix ?? '',
    tunePodRoutes: flagIn(config, 'tunePodRoutes') ?? coordinator?.tunePodRoutes ?? true,
    defaultRouteNic: nicIn(config) ?? coordinator?.defaultRouteNic ?? '',
    hostRuleTable: hostTableIn(config) ?? coordinator?.hostRuleTable ?? DEFAULT_HOST_TABLE,
    podRpFilter: numberIn(config, 'podRPFilter', -1, 2) ?? coordinator?.podRpFilter ?? 0,
    txQueueLength: numberIn(config, 'txQueueLen', 0, 1_000_000) ?? coordinator?.txQueueLength ?? 0,
    ...(vethLinkAddress === undefined ? {} : { vethLinkAddress }),
    vethMtu: numberIn(config, 'vethMTU', 0, 65_535) || coordinator?.vethMtu || DEFAULT_MTU,
  }
}

/** The table of the node: for DEL, which comes whatever has become of the configuration. */
export function hostTableOf(config: JsonObject, coordinator: Coordinator | undefined): number {
  const value = config[NODE_KEY]
  if (typeof value === 'number' && isHostTable(value)) return value
  return coordinator?.hostRuleTable ?? DEFAULT_HOST_TABLE
}

/** What a configuration itself leads by way of the node, services aside; nothing where its ADD is refused for what it says. */
export function hijackedBy(config: JsonObject): readonly Cidr[] {
  try {
    return ['overlayPodCIDR', 'hijackCIDR'].flatMap((key) => networksIn(config, key) ?? [])
  } catch {
    return []
  }
}

const DEFAULT_HOST_TABLE = 500
const DEFAULT_MTU = 1500
const MODES: readonly string[] = ['auto', 'underlay', 'overlay', 'disabled']
const MOST_ITEMS = 256

/** Ranges by the configuration are the configuration's business; what it leaves out has to be known. */
function hijackOf(config: JsonObject, coordinator: Coordinator | undefined): readonly Cidr[] {
  const pods = networksIn(config, 'overlayPodCIDR')
  const services = networksIn(config, 'serviceCIDR')
  const extra = networksIn(config, 'hijackCIDR') ?? coordinator?.hijack ?? []
  if (pods !== undefined && services !== undefined) return unique([...pods, ...services, ...extra])
  const status = coordinator?.status
  if (status?.phase !== 'Synced') {
    const reason =
      coordinator === undefined ? 'there is no SpiderCoordinator' : (status?.reason ?? 'nobody has looked for them yet')
    throw cniError('coordinator-not-ready', { name: coordinator?.name ?? 'default', reason })
  }
  return unique([...(pods ?? status.overlayPods), ...(services ?? status.services), ...extra])
}

function unique(networks: readonly Cidr[]): readonly Cidr[] {
  return [...new Set(networks)]
}

function invalid(field: string, expected: string): Error {
  return cniError('config-invalid', { field, expected })
}

/** Spiderpool's plugin says `disable` where its objects say `disabled`. */
function modeIn(value: Json | undefined): Coordinator['mode'] | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const word = value === 'disable' ? 'disabled' : value
  if (typeof word === 'string' && MODES.includes(word)) return word as Coordinator['mode']
  throw invalid('mode', `must be one of ${MODES.join(', ')}`)
}

function flagIn(config: JsonObject, key: string): boolean | undefined {
  const value = config[key] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw invalid(key, 'must be true or false')
}

function numberIn(config: JsonObject, key: string, least: number, most: number): number | undefined {
  const value = config[key] ?? undefined
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(key, `must be a whole number from ${least} to ${most}`)
}

function hostTableIn(config: JsonObject): number | undefined {
  const value = numberIn(config, NODE_KEY, 0, 0xffff_ffff)
  // 0 is how Go writes that nothing is said.
  if (value === undefined || value === 0) return undefined
  if (isHostTable(value)) return value
  throw invalid(NODE_KEY, 'must be a table that nobody else uses: not 253, 254 or 255, and below 1459617792')
}

/** From there on tables are those of guests of the overlay. */
function isHostTable(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < GUEST_TABLES && (value < 253 || value > 255)
}

function textIn(config: JsonObject, key: string): string | undefined {
  const value = config[key] ?? undefined
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string') return value
  throw invalid(key, 'must be a string')
}

/** The object's key ends in NIC, the one that Spiderpool writes into configurations in Nic. */
function nicIn(config: JsonObject): string | undefined {
  for (const key of ['podDefaultRouteNIC', 'podDefaultRouteNic']) {
    const nic = textIn(config, key)
    if (nic === undefined) continue
    if (!/^[^\s/:]{1,15}$/.test(nic)) throw invalid(key, 'must be the name of an interface')
    return nic
  }
  return undefined
}

function macPrefixIn(config: JsonObject): string | undefined {
  const text = textIn(config, 'podMACPrefix')?.toLowerCase().replace('-', ':')
  if (text === undefined) return undefined
  const isUnicast = /^[0-9a-f]{2}:[0-9a-f]{2}$/.test(text) && (Number.parseInt(text.slice(0, 2), 16) & 1) === 0
  if (isUnicast) return text
  throw invalid('podMACPrefix', 'must be two bytes as xx:yy, the first of them even')
}

function addressIn(config: JsonObject, key: string): Ip | undefined {
  const text = textIn(config, key)
  if (text === undefined) return undefined
  const address = parseIp(text.split('/')[0] ?? '')
  if (address !== undefined && familyOf(address) === 4) return address
  throw invalid(key, 'must be an IPv4 address')
}

function networksIn(config: JsonObject, key: string): readonly Cidr[] | undefined {
  const value = config[key] ?? undefined
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > MOST_ITEMS) throw invalid(key, `must be a list of at most ${MOST_ITEMS}`)
  return value.map((item: Json, i) => networkOf(item, `${key}[${i}]`))
}

function networkOf(value: Json | undefined, field: string): Cidr {
  const network = typeof value === 'string' ? parseNetwork(value) : undefined
  if (network !== undefined) return network
  throw invalid(field, 'must be an address or a network such as 10.0.0.0/8')
}

/** Bits behind the prefix are taken off, as Spiderpool does; an address alone is a network of one. */
function parseNetwork(text: string): Cidr | undefined {
  const [head = '', length] = text.split('/')
  const address = parseIp(head)
  if (address === undefined) return undefined
  if (length === undefined) return hostCidr(address)
  const most: { readonly [F in Family]: number } = { 4: 32, 6: 128 }
  if (!/^\d{1,3}$/.test(length) || Number(length) > most[familyOf(address)]) return undefined
  return networkAround(address, Number(length))
}

function policyRoutesIn(config: JsonObject): CoordinatorSettings['policyRoutes'] | undefined {
  const value = config['policyRoutes'] ?? undefined
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > MOST_ITEMS)
    throw invalid('policyRoutes', `must be a list of at most ${MOST_ITEMS}`)
  return value.map((item: Json, i) => {
    const field = `policyRoutes[${i}]`
    const { dst, gw } = (typeof item === 'object' && item !== null && !Array.isArray(item) ? item : {}) as JsonObject
    const gateway = typeof gw === 'string' ? parseIp(gw) : undefined
    if (gateway === undefined) throw invalid(`${field}.gw`, 'must be an address')
    return { destination: networkOf(dst, `${field}.dst`), gateway }
  })
}
