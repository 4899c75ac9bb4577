/**
 * What flannel's CNI plugin makes of a network's configuration and `subnet.env`: the configuration of the plugin that does the
 * work. Pure. Facts: flannel's CNI plugin 1.9.
 * @module
 */
import { cniError } from '../../cni/errors.ts'
import { isName } from '../../cni/formats.ts'
import {
  asObject,
  type Json,
  type JsonObject,
  list,
  member,
  optionalObject,
  optionalText,
  ShapeError,
} from '../../cni/json.ts'
import type { Cidr } from '../../network/model/address.ts'
import { networksIn, subnetsIn, variablesIn } from './subnet-env.ts'

/** Where things are. */
export interface FlannelPlaces {
  readonly subnetFile: string
  /** A file for each container, as flannel's own plugin has it. */
  readonly dataDir: string
}

const DEFAULTS: FlannelPlaces = { subnetFile: '/run/flannel/subnet.env', dataDir: '/var/lib/cni/flannel' }
/** flannel's plugin sets these itself. */
const OURS = ['name', 'ipam'] as const

/** The places that a configuration names. Throws `ShapeError`. */
export function flannelPlaces(config: JsonObject): FlannelPlaces {
  const place = (key: keyof FlannelPlaces): string => {
    const path = optionalText(config, key, key) ?? DEFAULTS[key]
    if (path.startsWith('/') && !path.includes('\0')) return path
    throw new ShapeError(key, 'must be an absolute path')
  }
  return { subnetFile: place('subnetFile'), dataDir: place('dataDir') }
}

/** The configuration of the delegate. Throws `ShapeError`, and `flannel-not-ready` for a file that lacks something. */
export function delegateConfig(config: JsonObject, name: string, text: string, file: string): JsonObject {
  const given = optionalObject(config, 'delegate', 'delegate') ?? {}
  for (const key of OURS) {
    if (member(given, key) !== undefined) throw new ShapeError(`delegate.${key}`, 'must be absent: flannel sets it')
  }
  const type = nameIn(given, 'type', 'delegate.type') ?? 'bridge'
  if (type === 'flannel') throw new ShapeError('delegate.type', 'must be another plugin than flannel')
  const env = readSubnetEnv(text, file)
  const runtime = optionalObject(config, 'runtimeConfig', 'runtimeConfig')
  const version = member(config, 'cniVersion')
  return {
    // Who translates is one of the two.
    ipMasq: !env.ipMasq,
    mtu: env.mtu,
    ...(type === 'bridge' ? { isGateway: true } : {}),
    ...given,
    ...(runtime === undefined ? {} : { runtimeConfig: runtime }),
    ...(version === undefined ? {} : { cniVersion: version }),
    name,
    type,
    ipam: ipamOf(optionalObject(config, 'ipam', 'ipam') ?? {}, env),
  }
}

/** What the file tells. */
interface SubnetFacts {
  readonly networks: readonly Cidr[]
  readonly subnets: readonly Cidr[]
  readonly mtu: number
  readonly ipMasq: boolean
}

function ipamOf(ipam: JsonObject, { networks, subnets }: SubnetFacts): JsonObject {
  const routes: readonly Json[] = list(ipam, 'routes', 'ipam.routes', asObject)
  return {
    ...ipam,
    type: nameIn(ipam, 'type', 'ipam.type') ?? 'host-local',
    ranges: subnets.map((subnet) => [{ subnet }]),
    routes: [...routes, ...[...new Set(networks)].map((dst) => ({ dst }))],
  }
}

function readSubnetEnv(text: string, file: string): SubnetFacts {
  const variables = variablesIn(text)
  const networks = networksIn(text)
  const { ipv4, ipv6 } = subnetsIn(text) ?? {}
  const subnets = [ipv4, ipv6].filter((subnet) => subnet !== undefined)
  const mtu = Number(variables.get('FLANNEL_MTU') ?? '')
  const ipMasq = variables.get('FLANNEL_IPMASQ')
  const isMtu = Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535
  const missing = [
    ...(networks.length === 0 ? ['FLANNEL_NETWORK'] : []),
    ...(subnets.length === 0 ? ['FLANNEL_SUBNET'] : []),
    ...(isMtu ? [] : ['FLANNEL_MTU']),
    ...(ipMasq === undefined ? ['FLANNEL_IPMASQ'] : []),
  ]
  if (missing.length > 0) throw cniError('flannel-not-ready', { reason: `${file} lacks ${missing.join(', ')}` })
  return { networks, subnets, mtu, ipMasq: ipMasq === 'true' }
}

function nameIn(object: JsonObject, key: string, path: string): string | undefined {
  const name = optionalText(object, key, path)
  if (name === undefined || isName(name)) return name
  throw new ShapeError(path, 'must be the name of a plugin')
}
