/**
 * By which way pods' addresses get through a VM's port (docs/adr/0040).
 * @module
 */
import type { AddressMode, NeutronNetwork } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { AddressPair, Port } from '../../openstack/neutron/model.ts'
import { changePort } from '../../openstack/neutron/on-revision.ts'
import type { Ports } from '../../openstack/neutron/ports.ts'
import { PortsError } from './problem.ts'

/** What the choice depends on. */
export interface ModeQuestion {
  readonly ports: Pick<Ports, 'get' | 'update'>
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
  // Whoever tried before was ended in the middle of it.
  if (question.parent.addressPairs.some(isTrial)) await withoutTrial(question)
  const { parent, mode = 'auto', networkId } = question
  const isTrunk = parent.trunk !== undefined
  if (isTrunk && (mode === 'auto' || mode === 'trunk')) return 'trunk'
  if (mode === 'trunk') {
    const remedy = `make one: openstack network trunk create --parent-port ${parent.id} NAME (with ML2/OVS while the VM is off)`
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
  const more = Array.from({ length: max }, (_, i) => ({ address: `${TRIAL}:${(i + 1).toString(16)}` }))
  const others = parent.addressPairs.filter((pair) => !isTrial(pair))
  try {
    await ports.update(parent.id, { addressPairs: [...others, ...more] }, parent.revision + NEVER)
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error
    if (error.code === 'OPENSTACK_REVISION') return true
    // Whether a member may write pairs to a port of a shared network, or of a port without port security, is up to the cloud.
    if (NO_PAIRS.has(error.code) || error.type === 'AddressPairAndPortSecurityRequired') return false
    throw error
  }
  // It says that it looks at revisions and does not.
  await withoutTrial({ ports, parent })
  return true
}

const NO_PAIRS: ReadonlySet<string> = new Set(['OPENSTACK_EXHAUSTED', 'OPENSTACK_FORBIDDEN'])

/** Addresses for documents alone, and of them those that nobody but this writes anywhere. */
const TRIAL = '2001:db8:7765:6674:'

function isTrial({ address }: AddressPair): boolean {
  return address.startsWith(TRIAL)
}

async function withoutTrial({ ports, parent }: Pick<ModeQuestion, 'ports' | 'parent'>): Promise<void> {
  await changePort(ports, parent.id, ({ addressPairs }) =>
    addressPairs.some(isTrial) ? { addressPairs: addressPairs.filter((pair) => !isTrial(pair)) } : undefined,
  )
}

/** So many changes are not made between two calls. */
const NEVER = 1_000_000
