/**
 * `lswitch-setup` on Neutron's side: from whatever is there to a logical switch with its ports. Each step looks first, so that
 * whoever was killed in the middle is followed by running it again.
 * @module
 */
import type { CachedPort } from '../../compat/ovn-underlay/cache.ts'
import { UnderlayError } from '../../compat/ovn-underlay/errors.ts'
import { vlanIn } from '../../compat/ovn-underlay/owner.ts'
import type { SwitchRecord } from '../../compat/ovn-underlay/record.ts'
import { ip, parseMac, prefixLength } from '../../network/model/address.ts'
import type { Network, Port, Subnet } from '../../openstack/neutron/model.ts'
import { nestingFor, onTrunk } from './nesting.ts'
import { gatewayFor, networkFor, routerNamed, subnetFor } from './network.ts'
import { portsFor } from './ports.ts'
import type { Clerk, SwitchWish } from './wish.ts'

/** What came of it. */
export interface MadeSwitch {
  readonly network: Network
  readonly subnet: Subnet
  readonly record: SwitchRecord
  readonly ports: readonly CachedPort[]
}

/** Makes the switch. Throws what Neutron refuses, and UnderlayError. */
export async function makeSwitch(clerk: Clerk, wish: SwitchWish): Promise<MadeSwitch> {
  const { neutron } = clerk
  const parent = await neutron.ports.get(wish.parent)
  const router = wish.router === undefined ? undefined : await routerNamed(clerk, wish.router)
  // Before anything is made: where there is no way for pods' ports there is no use in a network.
  const nested = await nestingFor(clerk, { ...wish, parent: parent.id })
  const network = await networkFor(clerk, wish)
  const subnet = await subnetFor(clerk, network, wish)
  const gateway = router === undefined ? undefined : await gatewayFor(clerk, network, subnet, router)
  const ports = await portsFor(clerk, network, subnet, wish, nested)
  const vlans = nested.kind === 'trunk' ? await onTrunk(clerk, nested.id, ports) : undefined
  const { name, parent: id } = wish
  return {
    network,
    subnet,
    record: {
      state: 'ready',
      name,
      parent: id,
      subnet: wish.subnet,
      nesting: nested.kind,
      ...(router === undefined ? {} : { router }),
      ...(gateway === undefined ? {} : { gateway }),
      ...(network.mtu === undefined || network.mtu < 68 ? {} : { mtu: network.mtu }),
    },
    ports: ports
      .map((port) => cached(port, subnet, wish, vlans?.get(port.id) ?? vlanIn(port.name), gateway))
      .toSorted((a, b) => a.vlan - b.vlan),
  }
}

function cached(
  port: Port,
  { id: subnetId, gateway: first }: Subnet,
  { subnet }: SwitchWish,
  vlan: number | undefined,
  router: SwitchRecord['gateway'],
): CachedPort {
  const address = port.fixedIps.find((one) => one.subnetId === subnetId)?.address
  const mac = parseMac(port.mac)
  const gateway = router?.address ?? (first === undefined ? undefined : ip(first))
  if (address !== undefined && mac !== undefined && vlan !== undefined) {
    return { id: port.id, address: ip(address), prefixLength: prefixLength(subnet), mac, vlan, gateway }
  }
  throw new UnderlayError(
    'UNDERLAY_TAKEN',
    `port ${port.id} (${port.name}) has lost its address or its VLAN`,
    `delete it (openstack port delete ${port.id}) and run lswitch-setup again: another one is made`,
  )
}
