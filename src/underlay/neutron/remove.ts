/**
 * `lswitch-destroy` on Neutron's side. What does not say that it is this node's stays, and is named where it is in the way.
 * @module
 */
import { isOwn } from '../../compat/ovn-underlay/owner.ts'
import type { Network } from '../../openstack/neutron/model.ts'
import { ownNetworks, routerPorts } from './network.ts'
import { isRefusal } from './outcome.ts'
import { ownPorts } from './ports.ts'
import type { Clerk } from './wish.ts'

/** Calls at once. */
const AT_ONCE = 6
/** Parts that one call takes from a trunk at most. */
const BATCH = 50

/** Removes everything of a node. True where there was something. */
export async function removeSwitch(clerk: Clerk, parent: string): Promise<boolean> {
  const networks = await ownNetworks(clerk, parent)
  for (const network of networks) await removeNetwork(clerk, network, parent)
  const hadTrunk = await removeTrunk(clerk, parent)
  return networks.length > 0 || hadTrunk
}

async function removeNetwork(clerk: Clerk, network: Network, parent: string): Promise<void> {
  const { neutron, tell } = clerk
  const ports = await ownPorts(clerk, network.id, parent)
  await offTrunk(clerk, parent, new Set(ports.map(({ id }) => id)))
  for (let at = 0; at < ports.length; at += AT_ONCE) {
    await Promise.all(ports.slice(at, at + AT_ONCE).map(({ id }) => neutron.ports.delete(id)))
  }
  if (ports.length > 0) tell(`${ports.length} ports are deleted`)
  for (const port of await routerPorts(neutron.ports, network.id)) {
    for (const subnetId of new Set(port.fixedIps.map((fixed) => fixed.subnetId))) {
      await neutron.routers.detachSubnet(port.deviceId, subnetId).catch(unlessGone)
    }
    tell(`router ${port.deviceId} is detached`)
  }
  await neutron.networks.delete(network.id)
  tell(`network ${network.name} is deleted`)
}

/** Takes these ports off the trunk of the machine's port, and no others. */
async function offTrunk({ neutron }: Clerk, parent: string, own: ReadonlySet<string>): Promise<void> {
  const trunk = await trunkOf({ neutron }, parent)
  if (trunk === undefined) return
  const parts = (await neutron.trunks.subports(trunk.id)).flatMap(({ portId }) => (own.has(portId) ? [portId] : []))
  for (let at = 0; at < parts.length; at += BATCH) {
    await neutron.trunks.removeSubports(trunk.id, parts.slice(at, at + BATCH))
  }
}

/** A trunk that was made here, once nothing is on it. One that the cloud will not part with stays: it does no harm. */
async function removeTrunk({ neutron, tell }: Clerk, parent: string): Promise<boolean> {
  const trunk = await trunkOf({ neutron }, parent)
  if (trunk === undefined || !isOwn(parent, trunk) || trunk.subports.length > 0) return false
  try {
    await neutron.trunks.delete(trunk.id)
    tell(`the trunk on port ${parent} is deleted`)
    return true
  } catch (error) {
    if (!isRefusal(error, 'OPENSTACK_IN_USE')) throw error
    tell(`the trunk on port ${parent} stays: the port is in use, and it goes when the machine is off`)
    return false
  }
}

async function trunkOf({ neutron }: Pick<Clerk, 'neutron'>, parent: string) {
  return (await neutron.extensions()).has('trunk') ? neutron.trunks.ofPort(parent) : undefined
}

function unlessGone(error: unknown): void {
  if (!isRefusal(error, 'OPENSTACK_NOT_FOUND')) throw error
}
