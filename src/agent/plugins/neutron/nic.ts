/**
 * The NIC of the node that is the VM's port which carries a pool's packets.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import { type Link, linkList } from '../../../linux/index.ts'
import type { PortPool } from '../../../network/model/neutron.ts'
import { type MasterSource, masterFor } from '../links/master.ts'

/** Links that stand on another and have its MAC address. */
const ABOVE_OTHERS: ReadonlySet<string | undefined> = new Set([
  'vlan',
  'macvlan',
  'macvtap',
  'ipvlan',
  'bridge',
  'openvswitch',
])

/**
 * The link with the port's MAC address, or the one that the configuration names. Throws `neutron-nic-missing`, and `master-unfit` where
 * pods cannot be on it.
 */
export async function nicOf(
  pool: PortPool,
  named: string | undefined,
  kind: string,
  source: MasterSource,
): Promise<Link> {
  return masterFor(kind, named ?? byMac(pool, source).name, source)
}

function byMac({ network, parent: { mac } }: PortPool, { rtnl }: MasterSource): Link {
  const having = linkList(rtnl).filter((link) => link.mac === mac && !ABOVE_OTHERS.has(link.kind))
  // Of a bond and what is in it, which all have one address, the bond.
  const [link, ...others] = having.length > 1 ? having.filter(({ master }) => master === undefined) : having
  if (link === undefined) throw cniError('neutron-nic-missing', { network, reason: `none has MAC address ${mac}` })
  if (others.length === 0) return link
  const names = [link, ...others].map(({ name }) => name).join(', ')
  throw cniError('neutron-nic-missing', { network, reason: `several have MAC address ${mac}: ${names}` })
}
