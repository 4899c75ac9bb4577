/**
 * How ports of pods come to be behind the machine's port: as parts of its trunk, or by `binding:profile` as the script before us
 * wrote it. Both become `parent_name` and `tag` in OVN.
 * @module
 */
import { UnderlayError } from '../../compat/ovn-underlay/errors.ts'
import { isOwn, ownDescription, ownTags, vlanIn } from '../../compat/ovn-underlay/owner.ts'
import { freeVlans } from '../../compat/ovn-underlay/ports.ts'
import type { Nesting } from '../../compat/ovn-underlay/record.ts'
import type { Port, Subport, Trunk } from '../../openstack/neutron/model.ts'
import { isRefusal } from './outcome.ts'
import type { Clerk, SwitchWish } from './wish.ts'

/** The way, with the trunk where it is that one. */
export type NestedBy = { readonly kind: 'trunk'; readonly id: string } | { readonly kind: Exclude<Nesting, 'trunk'> }

/** Parts that one call adds at most. */
const BATCH = 50
const ROUNDS = 5

/**
 * Chooses. Of `auto`: the trunk that the port has, else one that is made, else `binding:profile`: not every driver makes a
 * trunk on a port that is in use (OVN's does since Neutron 21, that of Open vSwitch does not). Throws UNDERLAY_NO_NESTING.
 */
export async function nestingFor(
  clerk: Clerk,
  { parent, name, nesting }: Pick<SwitchWish, 'parent' | 'name' | 'nesting'>,
): Promise<NestedBy> {
  if (nesting === 'profile') return { kind: 'profile' }
  const { neutron, tell } = clerk
  if (!(await neutron.extensions()).has('trunk')) {
    if (nesting === 'auto') return { kind: 'profile' }
    const cause = 'this cloud has no trunks'
    throw new UnderlayError(
      'UNDERLAY_NO_NESTING',
      cause,
      'have the service plugin trunk switched on, or leave out --nesting trunk',
    )
  }
  const there = await neutron.trunks.ofPort(parent)
  if (there !== undefined) return { kind: 'trunk', id: there.id }
  try {
    const trunk = await trunkOn(clerk, parent, name)
    if (isOwn(parent, trunk)) {
      await neutron.tags.replace('trunks', trunk.id, ownTags(parent))
      tell(`a trunk on port ${parent} is made: ${trunk.id}`)
    }
    return { kind: 'trunk', id: trunk.id }
  } catch (error) {
    if (!isRefusal(error, 'OPENSTACK_IN_USE')) throw error
    if (nesting === 'trunk') throw noTrunk(parent)
    tell(`port ${parent} is in use and has no trunk: ports say by binding:profile whose they are`)
    return { kind: 'profile' }
  }
}

/** The trunk that is on the port then: ours where it says so, which it does from its birth, or that of whoever was faster. */
async function trunkOn({ neutron }: Clerk, parent: string, name: string): Promise<Trunk> {
  try {
    return await neutron.trunks.create(parent, `weft/${name}`, ownDescription(parent))
  } catch (error) {
    const there = await neutron.trunks.ofPort(parent)
    if (there === undefined) throw error
    return there
  }
}

/** VLANs behind the machine's port that parts of others have. */
export async function vlansOfOthers(
  clerk: Clerk,
  nested: NestedBy,
  own: ReadonlySet<string>,
): Promise<ReadonlySet<number>> {
  if (nested.kind !== 'trunk') return new Set()
  const parts = await clerk.neutron.trunks.subports(nested.id)
  return new Set(parts.filter(({ portId }) => !own.has(portId)).map(({ vlan }) => vlan))
}

/** Makes sure that the ports are parts of the trunk. Resolves to the VLAN of each. */
export async function onTrunk(
  clerk: Clerk,
  trunkId: string,
  ports: readonly Port[],
): Promise<ReadonlyMap<string, number>> {
  const { trunks } = clerk.neutron
  for (let round = 1; ; round += 1) {
    const parts = await trunks.subports(trunkId)
    const missing = subportsToAdd(ports, parts)
    if (missing.length === 0) return new Map(parts.map(({ portId, vlan }) => [portId, vlan]))
    try {
      for (let at = 0; at < missing.length; at += BATCH) {
        await trunks.addSubports(trunkId, missing.slice(at, at + BATCH))
        clerk.tell(`${Math.min(at + BATCH, missing.length)} of ${missing.length} ports are parts of the trunk`)
      }
    } catch (error) {
      // Somebody took a VLAN in between, or the answer was lost: it is read again.
      const isWorthIt =
        isRefusal(error, 'OPENSTACK_CONFLICT') || (error instanceof Error && Reflect.get(error, 'isUncertain') === true)
      if (!isWorthIt || round === ROUNDS) throw error
    }
  }
}

/** Ports that are not on the trunk yet, by the VLANs in their names where those are free. Pure. */
export function subportsToAdd(
  ports: readonly Pick<Port, 'id' | 'name'>[],
  parts: readonly Subport[],
): readonly { readonly portId: string; readonly vlan: number }[] {
  const taken = new Set(parts.map(({ vlan }) => vlan))
  const there = new Set(parts.map(({ portId }) => portId))
  const missing = ports.filter(({ id }) => !there.has(id))
  const wished = missing.map(({ id, name }) => {
    const vlan = vlanIn(name)
    const isFree = vlan !== undefined && !taken.has(vlan)
    if (isFree) taken.add(vlan)
    return { portId: id, vlan: isFree ? vlan : undefined }
  })
  const rest = [...freeVlans(wished.filter(({ vlan }) => vlan === undefined).length, taken)]
  return wished.map(({ portId, vlan }) => ({ portId, vlan: vlan ?? rest.shift() ?? 0 }))
}

/** What to do where neither way is open. */
export function noProfile(parent: string): UnderlayError {
  return new UnderlayError(
    'UNDERLAY_NO_NESTING',
    `port ${parent} of this machine carries no trunk, and this account may not set binding:profile on ports`,
    `make the trunk while the machine is off (openstack network trunk create --parent-port ${parent} NAME), or have Neutron's policy allow create_port:binding:profile to this account`,
  )
}

function noTrunk(parent: string): UnderlayError {
  return new UnderlayError(
    'UNDERLAY_NO_NESTING',
    `port ${parent} of this machine is in use and carries no trunk: this cloud makes one on unused ports only`,
    `stop the machine, make it (openstack network trunk create --parent-port ${parent} NAME) and start the machine; or leave out --nesting trunk`,
  )
}
