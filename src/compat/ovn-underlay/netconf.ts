/**
 * The network configuration of the CNI type `ovn-underlay`, also called `ovn` as the program of a kubelet was.
 *
 * ```json
 * { "cniVersion": "1.0.0", "cniVersions": ["0.4.0", "1.0.0", "1.1.0"],
 *   "name": "underlay", "type": "ovn-underlay", "bridge": "br-int", "hostBridge": "breth1" }
 * ```
 * @module
 */
import { type JsonObject, ShapeError } from '../../cni/index.ts'
import { member, optionalInteger, optionalText } from '../../cni/json.ts'

/** The bridge that pods' interfaces are ports of. */
export const DEFAULT_BRIDGE = 'br-int'
/** The Linux bridge between that one and the machine's interface. */
export const DEFAULT_HOST_BRIDGE = 'breth1'

/** A network of pods on the node's logical switch. */
export interface UnderlayNetconf {
  readonly bridge: string
  /** Has the neighbours that services by the host need, where it is there. */
  readonly hostBridge: string
  /** Socket of ovsdb-server; absent: where Open vSwitch's own tools look. */
  readonly ovsdb?: string
  /** Bytes; absent: what Neutron says of the network. */
  readonly mtu?: number
}

/**
 * Reads it. Throws ShapeError, also for what is asked for and cannot be had: the ports were made in advance, with their
 * groups and addresses.
 */
export function parseUnderlayNetconf(config: JsonObject): UnderlayNetconf {
  for (const key of ['securityGroups', 'security-group', 'security_groups']) {
    if (member(config, key) === undefined) continue
    throw new ShapeError(key, 'cannot be asked for here: ports are made in advance, by lswitch-setup --security-group')
  }
  if (member(config, 'ipam') !== undefined) {
    throw new ShapeError('ipam', 'must be left out: addresses come with the ports that lswitch-setup made')
  }
  const ovsdb = optionalText(config, 'ovsdb', 'ovsdb')
  const mtu = optionalInteger(config, 'mtu', 'mtu', [68, 65_535])
  return {
    bridge: linkIn(config, 'bridge') ?? DEFAULT_BRIDGE,
    hostBridge: linkIn(config, 'hostBridge') ?? DEFAULT_HOST_BRIDGE,
    ...(ovsdb === undefined ? {} : { ovsdb }),
    ...(mtu === undefined ? {} : { mtu }),
  }
}

function linkIn(config: JsonObject, key: string): string | undefined {
  const name = optionalText(config, key, key)
  if (name === undefined || /^[^\s/]{1,15}$/.test(name)) return name
  throw new ShapeError(key, 'must be the name of a bridge, up to 15 characters')
}
