/**
 * What of Open vSwitch's database the agent follows.
 * @module
 */
import type { Monitor } from '../../ovs/ovsdb/index.ts'

export const MONITORED = {
  Open_vSwitch: { columns: ['ovs_version'] },
  Bridge: { columns: ['name', 'ports', 'datapath_type', 'fail_mode'] },
  Port: { columns: ['name', 'interfaces', 'qos'] },
  QoS: { columns: ['type', 'external_ids'] },
  Interface: {
    columns: ['name', 'type', 'ofport', 'ofport_request', 'error', 'external_ids', 'options', 'mtu_request', 'mac'],
  },
} as const

/** A live copy of it. */
export type Tables = Monitor<typeof MONITORED>
