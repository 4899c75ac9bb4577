/**
 * Where the underlay keeps what it knows: keys of `external_ids` in the node's own Open vSwitch. The first ones are those of the
 * script that this replaces; what begins with `weft-` is ours.
 * @module
 */

/** Keys of the table Open_vSwitch. */
export const NODE_KEYS = {
  /** Path of an openrc, which also says `OS_VIF_ID`. */
  config: 'neutron-config',
  router: 'router_id',
  network: 'network_id',
  subnet: 'subnet_id',
  /** The ports that were made in advance. */
  cache: 'lport-cache',
  /** The logical switch, as far as it is made. */
  record: 'weft-underlay',
  /** The VLAN that was given to a pod last. */
  last: 'weft-underlay-last',
  /** How the machine's own interface is wired. */
  node: 'weft-underlay-node',
} as const

/** Keys of a pod's row in the table Interface. The row is the record of who has a port. */
export const POD_KEYS = {
  port: 'lport_id',
  address: 'ip_address',
  container: 'container_id',
  ifname: 'container_iface',
  network: 'weft-underlay-network',
  pod: 'weft-underlay-pod',
} as const

/** What a link of the node says in its alias if it is a pod's. */
export function podAlias(containerId: string, ifname: string): string {
  return `weft underlay ${containerId}/${ifname}`.slice(0, 255)
}
