/**
 * The netconf of `ipam-neutron`: everything is below `ipam`. Pure.
 * Source: yaoice/cni-ipam-neutron `ff9f995`, README and `backend/allocator`. Ours are `neutronConf.securityGroups` and the keys
 * of `openstackConf` that the old plugin lacks (src/openstack/config/netconf.ts).
 * @module
 */
import { cniError, type JsonObject, type NetworkConfig, type ResultRoute, ShapeError } from '../../cni/index.ts'
import { asText, list, member, optionalObject, optionalText } from '../../cni/json.ts'
import { parseResult } from '../../cni/result-parse.ts'
import { isId } from '../../openstack/decode.ts'

/** What a configuration asks for. */
export interface NeutronNetconf {
  /** IDs of Neutron networks, each once: an interface gets a port on each of them. */
  readonly networks: readonly string[]
  /** Names or IDs. Absent: the project's default group. */
  readonly securityGroups: readonly string[] | undefined
  readonly routes: readonly ResultRoute[]
  /** A file of the node with name servers for the result. */
  readonly resolvConf: string | undefined
  /** What is there and has no meaning, in sentences. */
  readonly warnings: readonly string[]
}

/** Of host-local, which the old plugin came from: it read them and did nothing with them. */
const WITHOUT_MEANING = ['rangeStart', 'rangeEnd', 'subnet', 'gateway', 'ranges', 'dataDir'] as const

/** Reads a configuration. Throws `ShapeError`, which names the field. */
export function readNeutronNetconf({ raw }: Pick<NetworkConfig, 'raw'>): NeutronNetconf {
  const ipam = ipamOf(raw)
  const neutron = optionalObject(ipam, 'neutronConf', 'ipam.neutronConf')
  if (neutron === undefined) {
    throw new ShapeError('ipam.neutronConf', 'is missing: write {"networks": ["<ID of a Neutron network>"]}')
  }
  const unknown = unknownIn(neutron)
  const networks = [...new Set(list(neutron, 'networks', 'ipam.neutronConf.networks', asId))]
  if (networks.length === 0) throw new ShapeError('ipam.neutronConf.networks', 'must name a Neutron network by its ID')
  const ignored = WITHOUT_MEANING.filter((key) => member(ipam, key) !== undefined)
  return {
    networks,
    securityGroups: groupsIn(neutron),
    routes: parseResult({ cniVersion: '1.1.0', routes: member(ipam, 'routes') ?? [] }, '1.1.0', 'ipam').routes,
    resolvConf: optionalText(ipam, 'resolvConf', 'ipam.resolvConf'),
    warnings: [
      ...ignored.map((key) => `ipam.${key} has no meaning here: Neutron's subnets say which addresses there are.`),
      ...unknown.map((key) => `ipam.neutronConf.${key} is not known, and has no effect.`),
    ],
  }
}

const KEYS = ['networks', 'securityGroups'] as const

/**
 * Keys that mean nothing here. Refused is one that is nearly one of ours: a pod whose groups are written as `security_groups` is
 * not to get the default one.
 */
function unknownIn(neutron: JsonObject): readonly string[] {
  const known: ReadonlySet<string> = new Set(KEYS)
  const unknown = Object.keys(neutron).filter((key) => !known.has(key))
  const bare = (key: string): string => key.toLowerCase().replace(/[^a-z]|s$/g, '')
  for (const key of unknown) {
    const meant = KEYS.find((one) => bare(one) === bare(key))
    if (meant !== undefined) throw new ShapeError(`ipam.neutronConf.${key}`, `is not known; ${meant} is`)
  }
  return unknown.map((key) => (/^[\w-]{1,64}$/.test(key) ? key : '…'))
}

/** The networks where nothing may stand in the way of cleaning up: none where they cannot be read. */
export function networksIn({ raw }: Pick<NetworkConfig, 'raw'>): readonly string[] {
  try {
    return list(optionalObject(ipamOf(raw), 'neutronConf', '') ?? {}, 'networks', '', asId)
  } catch {
    return []
  }
}

/** `ipam.openstackConf`, whatever it holds; undefined where there is none. Throws `config-invalid`. */
export function accountIn({ raw }: Pick<NetworkConfig, 'raw'>): unknown {
  const ipam = member(raw, 'ipam')
  return typeof ipam === 'object' && ipam !== null && !Array.isArray(ipam)
    ? member(ipamOf(raw), 'openstackConf')
    : undefined
}

function ipamOf(raw: JsonObject): JsonObject {
  const ipam = optionalObject(raw, 'ipam', 'ipam')
  if (ipam === undefined) throw cniError('config-invalid', { field: 'ipam', expected: 'is missing' })
  return ipam
}

function groupsIn(neutron: JsonObject): readonly string[] | undefined {
  if (member(neutron, 'securityGroups') === undefined) return undefined
  const path = 'ipam.neutronConf.securityGroups'
  return list(neutron, 'securityGroups', path, (item, at) => {
    const text = asText(item, at)
    if (/^[^\p{Cc}]{1,255}$/u.test(text)) return text
    throw new ShapeError(at, 'must be the name or ID of a security group')
  })
}

function asId(item: Parameters<typeof asText>[0], path: string): string {
  const text = asText(item, path)
  if (isId(text)) return text
  throw new ShapeError(path, 'must be the ID of a Neutron network, as openstack network list shows it')
}
