/**
 * The logical switch itself: a network with one subnet, and the router's port on it. What is there already is taken for ours only
 * where it says so.
 * @module
 */
import { UnderlayError } from '../../compat/ovn-underlay/errors.ts'
import { isOwn, ownDescription, ownTags } from '../../compat/ovn-underlay/owner.ts'
import type { SwitchRecord } from '../../compat/ovn-underlay/record.ts'
import { ip, parseMac } from '../../network/model/address.ts'
import type { Network, Port, Subnet } from '../../openstack/neutron/model.ts'
import { foundOrMade } from './outcome.ts'
import type { Clerk, SwitchWish } from './wish.ts'

/** Makes sure that the network is there. Throws UNDERLAY_TAKEN where somebody else's has its name. */
export async function networkFor(
  clerk: Clerk,
  { name, parent }: Pick<SwitchWish, 'name' | 'parent'>,
): Promise<Network> {
  const { neutron, tell } = clerk
  const project = await neutron.projectId()
  const find = async (): Promise<Network | undefined> => {
    const [network, ...doubles] = await ownNetworks(clerk, parent)
    for (const double of doubles) await neutron.networks.delete(double.id)
    if (network !== undefined && network.name !== name) throw hasAnother(network)
    return network
  }
  const network = await foundOrMade(find, async () => {
    const others = await neutron.networks.list({ name, ...(project === undefined ? {} : { projectId: project }) })
    const foreign = others.find((one) => !isOwn(parent, one))
    if (foreign !== undefined) throw isForeign(foreign)
    const made = await neutron.networks.create({ name, description: ownDescription(parent) })
    tell(`network ${name} is made: ${made.id}`)
    return made
  })
  if (ownTags(parent).some((tag) => !network.tags.includes(tag))) {
    await neutron.tags.replace('networks', network.id, [...new Set([...network.tags, ...ownTags(parent)])])
  }
  return network
}

/** The networks that say that they are this node's, the one with ports or with the lowest ID first. */
export async function ownNetworks({ neutron }: Clerk, parent: string): Promise<readonly Network[]> {
  const project = await neutron.projectId()
  const all = await neutron.networks.list(project === undefined ? {} : { projectId: project })
  return all
    .filter((network) => isOwn(parent, network))
    .toSorted((a, b) => b.subnets.length - a.subnets.length || a.id.localeCompare(b.id))
}

/** Makes sure that the network has its subnet, without DHCP: that would take an address, and answer in the place of CNI. */
export async function subnetFor({ neutron, tell }: Clerk, network: Network, wish: SwitchWish): Promise<Subnet> {
  const find = async (): Promise<Subnet | undefined> => {
    const found = await neutron.subnets.list({ networkId: network.id })
    const other = found.find(({ cidr }) => cidr !== wish.subnet)
    if (other === undefined) return found[0]
    const cause = `network ${network.name} has the subnet ${other.cidr}`
    throw new UnderlayError('UNDERLAY_TAKEN', cause, `give ${other.cidr}, or run lswitch-destroy first`)
  }
  return foundOrMade(find, async () => {
    const { name, subnet: cidr } = wish
    const made = await neutron.subnets.create({ networkId: network.id, name, cidr, hasDhcp: false })
    tell(`subnet ${cidr} is made`)
    return made
  })
}

/** The ID of the router that somebody named. */
export async function routerNamed({ neutron }: Clerk, text: string): Promise<string> {
  if (UUID.test(text)) return (await neutron.routers.get(text)).id
  const found = await neutron.routers.list({ name: text })
  const [router] = found
  if (router !== undefined && found.length === 1) return router.id
  const cause = router === undefined ? `there is no router ${text}` : `${found.length} routers are called ${text}`
  throw new UnderlayError('UNDERLAY_USAGE', cause, 'give its ID: openstack router list')
}

/** Makes sure that the router has a port on the switch, with the address that pods have as their gateway. */
export async function gatewayFor(
  { neutron, tell }: Clerk,
  network: Network,
  subnet: Subnet,
  router: string,
): Promise<NonNullable<SwitchRecord['gateway']>> {
  const port = await foundOrMade(
    async () => {
      const [found] = await routerPorts(neutron.ports, network.id)
      if (found === undefined || found.deviceId === router) return found
      const cause = `network ${network.name} is attached to router ${found.deviceId}`
      throw new UnderlayError('UNDERLAY_TAKEN', cause, 'name that router, or run lswitch-destroy first')
    },
    async () => {
      const id = await neutron.routers.attachSubnet(router, subnet.id)
      tell(`router ${router} is attached`)
      return neutron.ports.get(id)
    },
  )
  const address = port.fixedIps.find(({ subnetId }) => subnetId === subnet.id)?.address ?? subnet.gateway
  const mac = parseMac(port.mac)
  if (address !== undefined && mac !== undefined) return { address: ip(address), mac }
  const cause = `the port ${port.id} of router ${router} has no address on ${network.name}`
  throw new UnderlayError('UNDERLAY_TAKEN', cause, 'look at it: openstack port show; then run lswitch-setup again')
}

/** Ports of routers on a network. */
export async function routerPorts(ports: Clerk['neutron']['ports'], networkId: string): Promise<readonly Port[]> {
  const found = await ports.list({ networkId })
  return found.filter(({ deviceOwner }) => /^network:(ha_)?router_(interface|centralized)/.test(deviceOwner))
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function hasAnother({ name }: Network): UnderlayError {
  const cause = `this machine has the logical switch ${name} already`
  return new UnderlayError('UNDERLAY_TAKEN', cause, 'a node has one: run lswitch-destroy first')
}

function isForeign({ name, id }: Network): UnderlayError {
  const cause = `the project has a network ${name} (${id}) that was not made for this machine`
  return new UnderlayError('UNDERLAY_TAKEN', cause, 'choose another name: a switch belongs to one node')
}
