/**
 * By which way pods' addresses get through a VM's port (docs/adr/0040).
 * @module
 */
import type { AddressMode, NeutronNetwork } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import type { Ports } from '../../openstack/neutron/ports.ts'
import { PortsError } from './problem.ts'

/** What the choice depends on. */
export interface ModeQuestion {
  readonly ports: Pick<Ports, 'update'>
  readonly parent: Port
  readonly mode: NeutronNetwork['mode']
  /** The pods' network. */
  readonly networkId: string
  /** So many addresses at most. */
  readonly max: number
  /** Whether the cloud refuses to write on a revision that is not there (extension `revision-if-match`). */
  readonly knowsRevisions: boolean
}

/** The mode that is asked for, or the best that the cloud allows. Throws a {@link PortsError} where that cannot be. */
export async function chooseMode(question: ModeQuestion): Promise<AddressMode> {
  const { parent, mode = 'auto', networkId } = question
  const isTrunk = parent.trunk !== undefined
  if (isTrunk && (mode === 'auto' || mode === 'trunk')) return 'trunk'
  if (mode === 'trunk') {
    const remedy = `make one before the VM starts: openstack network trunk create --parent-port ${parent.id} NAME`
    throw new PortsError('PORTS_NO_TRUNK', `the port ${parent.id} of the VM has no trunk`, remedy, true)
  }
  if (parent.networkId !== networkId) {
    const problem = `the port ${parent.id} of the VM is in network ${parent.networkId}, and not in that of the pods, ${networkId}`
    const remedy = 'plug the VM into the network of the pods with a port more, or make a trunk on its port'
    throw new PortsError('PORTS_OTHER_NETWORK', problem, remedy, true)
  }
  if (mode !== 'auto') return mode
  if (parent.hasPortSecurity === false) return 'fixed'
  return (await hasRoomForPairs(question)) ? 'pair' : 'fixed'
}

/**
 * Whether the port may have as many address pairs as the pool may have ports. Neutron is asked to write them on a revision that the port
 * does not have: it counts pairs before it looks at revisions, and so writes none in either case (seen with Neutron 21).
 */
async function hasRoomForPairs({ ports, parent, max, knowsRevisions }: ModeQuestion): Promise<boolean> {
  // Without revisions it cannot be asked so: the limit is met when it is met.
  if (parent.revision === undefined || !knowsRevisions) return true
  const more = Array.from({ length: max }, (_, i) => ({ address: `2001:db8::${(i + 1).toString(16)}` }))
  try {
    await ports.update(parent.id, { addressPairs: [...parent.addressPairs, ...more] }, parent.revision + NEVER)
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error
    if (error.code === 'OPENSTACK_REVISION') return true
    if (error.code === 'OPENSTACK_EXHAUSTED' || error.type === 'AddressPairAndPortSecurityRequired') return false
    throw error
  }
  // It says that it looks at revisions and does not: what was there comes back.
  await ports.update(parent.id, { addressPairs: parent.addressPairs })
  return true
}

/** So many changes are not made between two calls. */
const NEVER = 1_000_000
