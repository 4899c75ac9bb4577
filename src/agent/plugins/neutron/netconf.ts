/**
 * Configurations of the CNI type `neutron`.
 * @module
 */

import type { JsonObject, ResultRoute } from '../../../cni/index.ts'
import { member, optionalInteger, optionalText, present, ShapeError } from '../../../cni/json.ts'
import { parseResult } from '../../../cni/result-parse.ts'

/** What a configuration asks for. */
export interface NeutronPluginConf {
  /** A NeutronNetwork's name, or the id of its network in Neutron. */
  readonly network: string
  /** A link of the node; absent: the one with the MAC address of the VM's port. */
  readonly master?: string
  /** Bytes; absent: the network's. */
  readonly mtu?: number
  /** Whether the pod's way out is by the gateways of the subnets; it is unless said otherwise. */
  readonly isWayOut: boolean
  /** Beside those of the subnets. */
  readonly routes: readonly ResultRoute[]
}

const MTU = [68, 65_535] as const

/** Reads a configuration. Throws `ShapeError`, which names the field. */
export function parseNeutronPluginConf(config: JsonObject): NeutronPluginConf {
  const network = optionalText(config, 'network', 'network') ?? ''
  if (!/^[\w.-]{1,253}$/.test(network)) {
    throw new ShapeError('network', 'must name a NeutronNetwork, or be the ID of a network in Neutron')
  }
  if (member(config, 'ipam') !== undefined) {
    throw new ShapeError(
      'ipam',
      'must not be there: addresses are those of the port; with a plugin that makes a link, ipam-neutron gives them',
    )
  }
  const defaultRoute = member(config, 'defaultRoute') ?? true
  if (typeof defaultRoute !== 'boolean') throw new ShapeError('defaultRoute', 'must be true or false')
  return present<NeutronPluginConf>({
    network,
    master: optionalText(config, 'master', 'master') || undefined,
    mtu: optionalInteger(config, 'mtu', 'mtu', MTU),
    isWayOut: defaultRoute,
    routes: parseResult({ cniVersion: '1.1.0', routes: member(config, 'routes') ?? [] }, '1.1.0', 'routes').routes,
  })
}
