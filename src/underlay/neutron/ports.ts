/**
 * The ports of pods, made in advance, many in one call.
 * @module
 */
import { isOwn, ownDescription, ownTags, portName, vlanIn } from '../../compat/ovn-underlay/owner.ts'
import { freeVlans } from '../../compat/ovn-underlay/ports.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Network, Port, PortSpec, Subnet } from '../../openstack/neutron/model.ts'
import { type NestedBy, noProfile, vlansOfOthers } from './nesting.ts'
import { isRefusal } from './outcome.ts'
import type { Clerk, SwitchWish } from './wish.ts'

/** Ports that one call makes at most: Neutron takes its time for each, and its callers have a limit. */
const BATCH = 8
/** A call whose outcome was lost is followed by a look; more than so many of them are no accident. */
const MOST_LOST = 5

/** Makes sure that as many ports are there as were asked for, or as there are addresses. */
export async function portsFor(
  clerk: Clerk,
  network: Network,
  subnet: Subnet,
  wish: SwitchWish,
  nested: NestedBy,
): Promise<readonly Port[]> {
  // The list of extensions does not say: with OVN, Neutron 21 takes tags here, and names no extension of it.
  let canTag = true
  let going: Going = { most: BATCH, lost: 0 }
  for (;;) {
    const ports = await ownPorts(clerk, network.id, wish.parent)
    const missing = Math.min(wish.ports - ports.length, going.most)
    if (missing <= 0) return tagged(clerk, ports, wish.parent)
    const vlans = freeVlans(missing, await takenVlans(clerk, nested, ports))
    const specs = vlans.map((vlan) => specOf(vlan, network.id, subnet.id, wish, nested, canTag))
    try {
      await clerk.neutron.ports.createMany(specs)
      clerk.tell(`${ports.length + specs.length} of ${wish.ports} ports are made`)
    } catch (error) {
      if (canTag && isRefusal(error, 'OPENSTACK_INVALID')) {
        canTag = false
        continue
      }
      going = afterFailure(error, going, specs.length, nested, wish)
      if (going.most > 0) continue
      if (ports.length === 0) throw error
      clerk.tell(`no address is free for more than ${ports.length} ports`)
    }
  }
}

/** How it goes on: ports in the next call at most, and how many outcomes were lost. */
interface Going {
  readonly most: number
  readonly lost: number
}

/** Throws what no other attempt would mend. */
function afterFailure(error: unknown, { most, lost }: Going, asked: number, nested: NestedBy, wish: SwitchWish): Going {
  // Somebody else has addresses of the subnet: what is left is taken, down to the last one.
  if (isRefusal(error, 'OPENSTACK_EXHAUSTED')) return { most: Math.floor(asked / 2), lost }
  if (isRefusal(error, 'OPENSTACK_FORBIDDEN') && nested.kind === 'profile') throw noProfile(wish.parent)
  if (error instanceof OpenStackError && error.isUncertain && lost < MOST_LOST) return { most, lost: lost + 1 }
  throw error
}

async function takenVlans(clerk: Clerk, nested: NestedBy, ports: readonly Port[]): Promise<ReadonlySet<number>> {
  const others = await vlansOfOthers(clerk, nested, new Set(ports.map(({ id }) => id)))
  return new Set([...others, ...ports.flatMap(({ name }) => vlanIn(name) ?? [])])
}

/** The node's ports on its network. */
export async function ownPorts({ neutron }: Clerk, networkId: string, parent: string): Promise<readonly Port[]> {
  const all = await neutron.ports.list({ networkId })
  return all.filter((port) => isOwn(parent, port) && vlanIn(port.name) !== undefined)
}

function specOf(
  vlan: number,
  networkId: string,
  subnetId: string,
  { name, parent, groups }: SwitchWish,
  nested: NestedBy,
  canTag: boolean,
): PortSpec {
  return {
    networkId,
    name: portName(name, vlan),
    description: ownDescription(parent),
    fixedIps: [{ subnetId }],
    ...(groups.length === 0 ? {} : { securityGroups: groups }),
    ...(nested.kind === 'profile' ? { profile: { parent_name: parent, tag: vlan } } : {}),
    ...(canTag ? { tags: ownTags(parent) } : {}),
  }
}

/** Those that have no tags yet get them. */
async function tagged({ neutron }: Clerk, ports: readonly Port[], parent: string): Promise<readonly Port[]> {
  for (const { id, tags } of ports) {
    if (!ownTags(parent).every((tag) => tags.includes(tag))) await neutron.tags.replace('ports', id, ownTags(parent))
  }
  return ports
}
