/**
 * What is wrong with a node's ports, in sentences for people. Pure.
 * @module
 */
import { type NodePorts, type PortPool, poolProblemOf } from '../../network/model/neutron.ts'
import { countsOf, lostOf, poolOf, type Wanting } from './pool-facts.ts'
import type { PortBook } from './port-book.ts'

/** What is wrong for as long as nobody mends it; undefined where nothing is. */
export function troubleIn(nodePorts: NodePorts | undefined, book: PortBook): string | undefined {
  const [unreadable] = book.unreadable
  if (unreadable !== undefined) {
    return `${unreadable.file} cannot be read: ${unreadable.problem}; its port is kept from everybody until you remove the file and restart the agent`
  }
  const [lost, ...others] = lostOf(nodePorts, book.values())
  if (lost === undefined) return undefined
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return `port ${lost.id} of ${lost.pod ?? `container ${lost.containerId}`} is gone${more}: somebody deleted it in Neutron; recreate the pod`
}

/** Why a pod gets no port. */
export function whyNone(nodePorts: NodePorts | undefined, { network, groups }: Wanting, book: PortBook): string {
  const pool: PortPool | undefined = nodePorts && poolOf(nodePorts, network)
  const problem = nodePorts && poolProblemOf(nodePorts, pool?.network ?? network, groups)?.problem
  if (problem !== undefined) return problem
  if (pool === undefined)
    return 'no NeutronNetwork of this name, or with a network of this id, is prepared for this node'
  const asked = groups === undefined ? '' : `; none has the security groups ${groups.join(', ')}`
  return `${countsOf(pool, book.values())}${asked}`
}
