/**
 * What Neutron knows of the port that a NIC is plugged into: addresses, MTU and routes that whoever has the NIC should have.
 * @module
 */
import type { CniResult } from '../../cni/index.ts'
import { loadNetconfCloud } from '../../openstack/config/load.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Port, Subnet } from '../../openstack/neutron/model.ts'
import { Neutron } from '../../openstack/neutron/neutron.ts'
import { OpenStackSession } from '../../openstack/session.ts'
import { resultOf } from '../ipam-neutron/result.ts'

/** What a NIC's port has. */
export interface PortFacts {
  readonly mac: string
  /** Of its network, in bytes. */
  readonly mtu?: number
  readonly answer: Pick<CniResult, 'ips' | 'routes' | 'dns'>
}

/** A port, by its ID or by the MAC address of the NIC. */
export type PortName = { readonly id: string } | { readonly mac: string }

const DEFAULTS: ReadonlySet<string> = new Set(['0.0.0.0/0', '::/0'])

/**
 * Asks in the name of a configuration's `openstackConf`. Throws `OPENSTACK_CONFIG` for one that is none, `OPENSTACK_NOT_FOUND`
 * where no port is meant, and what the client throws.
 */
export async function askPortFacts(cloud: unknown, name: PortName, signal?: AbortSignal): Promise<PortFacts> {
  const session = new OpenStackSession(loadNetconfCloud(cloud))
  try {
    return await portFacts(new Neutron(session), name, signal)
  } finally {
    session.close()
  }
}

/** The same of a Neutron that is known. */
export async function portFacts(
  neutron: Pick<Neutron, 'ports' | 'networks' | 'subnets'>,
  name: PortName,
  signal?: AbortSignal,
): Promise<PortFacts> {
  const port = 'id' in name ? await neutron.ports.get(name.id, signal) : await byMac(neutron, name.mac, signal)
  const ids = [...new Set(port.fixedIps.map(({ subnetId }) => subnetId))]
  const [network, ...subnets] = await Promise.all([
    neutron.networks.get(port.networkId, signal),
    ...ids.map((id) => neutron.subnets.get(id, signal)),
  ])
  return {
    mac: port.mac,
    ...(network.mtu === undefined || network.mtu === 0 ? {} : { mtu: network.mtu }),
    answer: answerOf(port, new Map(subnets.map((subnet) => [subnet.id, subnet]))),
  }
}

/** MAC addresses are unique in a network, not in a cloud. */
async function byMac({ ports }: Pick<Neutron, 'ports'>, mac: string, signal?: AbortSignal): Promise<Port> {
  const [port, ...others] = await ports.list({ mac }, signal)
  if (port !== undefined && others.length === 0) return port
  throw new OpenStackError(
    port === undefined ? 'OPENSTACK_NOT_FOUND' : 'OPENSTACK_CONFLICT',
    port === undefined
      ? `Neutron has no port with MAC address ${mac} that this account sees`
      : `Neutron has ${others.length + 1} ports with MAC address ${mac}, in several networks`,
    port === undefined
      ? 'use an account of the project that the machine is in, or name another NIC'
      : 'name the port by its ID (port in the network configuration)',
    { service: 'Neutron' },
  )
}

function answerOf(port: Port, subnets: ReadonlyMap<string, Subnet>): PortFacts['answer'] {
  const used = [...subnets.values()]
  const nameservers = [...new Set(used.flatMap((subnet) => subnet.nameservers))]
  const rest = { routes: used.flatMap(routesOf), dns: { nameservers, search: [], options: [] } }
  return resultOf([port], subnets, rest, '1.1.0')
}

/** As a DHCP client has them of Neutron: a default among a subnet's own routes stands in place of its gateway. */
function routesOf({ family, gateway, hostRoutes }: Subnet): CniResult['routes'] {
  const own = hostRoutes.map(({ destination, nexthop }) => ({ dst: destination, gw: nexthop }))
  if (gateway === undefined || own.some(({ dst }) => DEFAULTS.has(dst))) return own
  return [...own, { dst: family === 4 ? '0.0.0.0/0' : '::/0', gw: gateway }]
}
