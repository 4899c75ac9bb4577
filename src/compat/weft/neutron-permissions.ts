/**
 * What the controller and agents do to the objects about Neutron's ports.
 * @module
 */
import type { Permission } from '../permission.ts'
import { NEUTRON_NETWORKS } from './neutron-network.ts'
import { NODE_PORTS, PORT_USES } from './node-ports.ts'

/** Of the controller. No secret is read: credentials of OpenStack come in a file. */
export const NEUTRON_OF_CONTROLLER: readonly Permission[] = [
  {
    resource: NEUTRON_NETWORKS,
    verbs: ['get', 'list', 'watch', 'patch'],
    why: 'which networks of OpenStack pods get ports of; how these do, in their status',
  },
  {
    resource: NODE_PORTS,
    verbs: ['list', 'watch', 'create', 'patch', 'delete'],
    why: 'ports of OpenStack that are prepared for nodes',
  },
  { resource: PORT_USES, verbs: ['list', 'watch', 'delete'], why: 'what nodes do with them; it goes with its node' },
]

/** Of an agent. It has nothing to do with OpenStack itself. */
export const NEUTRON_OF_AGENT: readonly Permission[] = [
  {
    resource: NODE_PORTS,
    verbs: ['list', 'watch'],
    why: 'ports of OpenStack that are prepared for this node, of its own object alone',
  },
  {
    resource: PORT_USES,
    verbs: ['get', 'create', 'patch'],
    why: 'what this node does with them; the admission policy keeps an agent to its own',
  },
]
