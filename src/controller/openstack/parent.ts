/**
 * Which port of Neutron's is the one that a node's VM is plugged in with.
 * @module
 */
import { OURS } from '../../compat/ipam-neutron/names.ts'
import type { NeutronNetwork } from '../../network/model/neutron.ts'
import type { Node } from '../../network/model/node.ts'
import type { Network, Port, PortFilter } from '../../openstack/neutron/model.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { PortsError } from './problem.ts'

/** What is looked for. */
export interface ParentQuestion {
  readonly neutron: Pick<Neutron, 'ports' | 'projectId'>
  readonly node: Pick<Node, 'name' | 'addresses'>
  readonly wish: Pick<NeutronNetwork, 'mode' | 'parent'>
  /** The pods'. */
  readonly network: Pick<Network, 'id' | 'name'>
  /** That of {@link NeutronNetwork.parent}, where one is named. */
  readonly parentNetworkId?: string
}

/** The VM's port. Throws a {@link PortsError} where none can be, or more than one. */
export async function findParent(question: ParentQuestion): Promise<Port> {
  const { node, wish, network, parentNetworkId } = question
  if (wish.parent?.mac !== undefined) {
    const found = await portsBy(question, { mac: wish.parent.mac })
    return only(inNetwork(found, parentNetworkId), `a port with the MAC address ${wish.parent.mac}`)
  }
  const known = await portsOfNode(question)
  // Another port of the same VM may be meant.
  const all = known.length === 0 ? [] : [...known, ...(await siblings(question, known))]
  const words = `a port with an address of node ${node.name} (${node.addresses.join(', ')})`
  if (parentNetworkId !== undefined) {
    return only(inNetwork(all, parentNetworkId), `${words}, or one of the same VM, in network ${parentNetworkId}`)
  }
  const wantsTrunk = wish.mode === undefined || wish.mode === 'auto' || wish.mode === 'trunk'
  const choices: readonly (readonly Port[])[] = [
    ...(wantsTrunk ? [known.filter(hasTrunk)] : []),
    inNetwork(known, network.id),
    ...(wantsTrunk ? [all.filter(hasTrunk)] : []),
    inNetwork(all, network.id),
    known,
  ]
  return only(choices.find((ports) => ports.length > 0) ?? [], words)
}

async function portsOfNode({ node, ...question }: ParentQuestion): Promise<readonly Port[]> {
  const found: Port[] = []
  for (const address of node.addresses) found.push(...(await portsBy({ node, ...question }, { address })))
  return distinct(found)
}

async function siblings(question: ParentQuestion, known: readonly Port[]): Promise<readonly Port[]> {
  const machines = new Set(known.map(({ deviceId }) => deviceId).filter((id) => id !== ''))
  const [machine, ...others] = machines
  if (machine === undefined || others.length > 0) return []
  const found = await portsBy(question, { deviceId: machine })
  return found.filter(({ id }) => !known.some((one) => one.id === id))
}

async function portsBy({ neutron }: ParentQuestion, filter: PortFilter): Promise<readonly Port[]> {
  // An administrator's account sees others' ports, and two projects may have the same addresses.
  const projectId = await neutron.projectId()
  const found = await neutron.ports.list({ ...filter, ...(projectId === undefined ? {} : { projectId }) })
  const own = found.filter((port) => projectId === undefined || port.projectId === projectId)
  // What we reserved is no VM's.
  return own.filter(({ tags }) => !tags.includes(OURS))
}

function inNetwork(ports: readonly Port[], networkId: string | undefined): readonly Port[] {
  return networkId === undefined ? ports : ports.filter((port) => port.networkId === networkId)
}

function hasTrunk({ trunk }: Port): boolean {
  return trunk !== undefined
}

function distinct(ports: readonly Port[]): readonly Port[] {
  return [...new Map(ports.map((port) => [port.id, port])).values()]
}

function only(ports: readonly Port[], what: string): Port {
  const [first, ...others] = ports
  if (first !== undefined && others.length === 0) return first
  const ids = ports
    .map(({ id }) => id)
    .slice(0, 5)
    .join(', ')
  const problem = first === undefined ? `there is not ${what} in this project` : `there is more than ${what}: ${ids}`
  const remedy =
    "name the VM's port by spec.parent.mac or spec.parent.network of the NeutronNetwork, and use the project that the VMs are in"
  throw new PortsError('PORTS_NO_PARENT', problem, remedy, true)
}
