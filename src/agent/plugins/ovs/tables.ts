/**
 * What of Open vSwitch's database the plugin follows: all bridges, and of ports those of pods.
 * @module
 */
import { OWNER } from '../../../compat/ovs-cni/rows.ts'
import type { Monitor } from '../../../ovs/ovsdb/index.ts'
import { UNDERLAY_OWNER } from './record.ts'

export const WATCHED = {
  Open_vSwitch: { columns: ['external_ids'] },
  Bridge: { columns: ['name', 'ports', 'datapath_type', 'external_ids'] },
  Port: {
    columns: ['name', 'interfaces', 'vlan_mode', 'tag', 'trunks', 'cvlans', 'qos', 'external_ids'],
    where: [
      ['external_ids', 'includes', UNDERLAY_OWNER],
      ['external_ids', 'includes', { owner: OWNER }],
    ],
  },
  Interface: {
    columns: ['name', 'type', 'ofport', 'ofport_request', 'error', 'link_state', 'mtu', 'external_ids'],
    where: [
      ['external_ids', 'includes', UNDERLAY_OWNER],
      // A bridge's own, which has the bridge's MTU.
      ['type', '==', 'internal'],
    ],
  },
} as const

/** A live copy of it. */
export type UnderlayTables = Monitor<typeof WATCHED>
