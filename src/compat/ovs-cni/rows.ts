/**
 * The rows of Open vSwitch's database that ovs-cni writes for a pod's port, as tools that read them expect them.
 * @module
 */
import { type Membership, type VlanColumns, vlanColumns } from './vlan.ts'

/** Whose a port is, in its `external_ids`. */
export const OWNER = 'ovs-cni.network.kubevirt.io'

/** A pod's port. */
export interface PodPort {
  readonly membership: Membership
  readonly podUid?: string
  /** Path of the pod's namespace as the runtime gave it. */
  readonly netns: string
  readonly ifname: string
  readonly ofportRequest?: number
  readonly interfaceType?: string
  readonly ovnPort?: string
}

/** Columns of the two rows, without their names and without the reference between them. */
export interface PodPortRows {
  readonly port: VlanColumns & { readonly external_ids: Readonly<Record<string, string>> }
  readonly interface: {
    readonly type?: string
    readonly ofport_request?: number
    readonly external_ids: Readonly<Record<string, string>>
  }
}

/** The rows of a port. What was not asked for is left out. */
export function podPortRows(port: PodPort): PodPortRows {
  return {
    port: { ...vlanColumns(port.membership), external_ids: portIds(port) },
    interface: {
      ...(port.interfaceType === undefined ? {} : { type: port.interfaceType }),
      ...(port.ofportRequest === undefined ? {} : { ofport_request: port.ofportRequest }),
      external_ids: port.ovnPort === undefined ? {} : { 'iface-id': port.ovnPort },
    },
  }
}

/** The keys that ovs-cni finds a port by. */
export function portIds({
  podUid = '',
  netns,
  ifname,
}: Pick<PodPort, 'podUid' | 'netns' | 'ifname'>): Readonly<Record<string, string>> {
  return { contPodUid: podUid, contNetns: netns, contIface: ifname, owner: OWNER }
}

/** Whether a Port row is that of an attachment, as far as ovs-cni's own keys tell. */
export function isPortOf(
  ids: ReadonlyMap<string, string>,
  { netns, ifname }: Pick<PodPort, 'netns' | 'ifname'>,
): boolean {
  return ids.get('owner') === OWNER && ids.get('contNetns') === netns && ids.get('contIface') === ifname
}
