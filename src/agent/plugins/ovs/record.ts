/**
 * What the rows of a pod's port on somebody's bridge say of it: enough for an agent without memory to know whose it is. The
 * record is on the Interface row, as that of ports on our own bridge; ovs-cni's keys are on the Port row.
 * @module
 */
import { type Ip, type Mac, parseIp, parseMac } from '../../../network/model/address.ts'
import type { Limits } from '../../../network/model/bandwidth.ts'
import { limitsIn, RECORD_KEY } from '../../attach/lease.ts'

/** Whose the rows are: nothing without this mark is ever removed. */
export const UNDERLAY_OWNER: Readonly<Record<string, string>> = { 'weft-owner': 'weft-underlay' }
const [[OWNER_KEY, OWNER_VALUE] = ['', '']] = Object.entries(UNDERLAY_OWNER)

/** One interface of one pod on somebody's bridge. */
export interface PortRecord {
  readonly containerId: string
  readonly ifname: string
  /** The CNI network's name. */
  readonly network: string
  /** Path of the pod's namespace as the runtime gave it. */
  readonly netns: string
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid?: string | undefined }
  /** Absent while nobody gave it any. */
  readonly mac?: Mac
  readonly addresses: readonly Ip[]
  /** What it is held to; only ports of guarded bridges are. */
  readonly limits?: Limits
}

/** Whether rows with these `external_ids` are ours. */
export function isOurs(ids: ReadonlyMap<string, string>): boolean {
  return ids.get(OWNER_KEY) === OWNER_VALUE
}

/** The `external_ids` that record a port. */
export function recordIds(record: PortRecord): Readonly<Record<string, string>> {
  const { containerId, ifname, network, netns, pod } = record
  return {
    ...UNDERLAY_OWNER,
    [RECORD_KEY.container]: containerId,
    [RECORD_KEY.ifname]: ifname,
    [RECORD_KEY.network]: network,
    [RECORD_KEY.netns]: netns,
    ...(pod === undefined ? {} : { [RECORD_KEY.namespace]: pod.namespace, [RECORD_KEY.pod]: pod.name }),
    ...(pod?.uid === undefined ? {} : { [RECORD_KEY.podUid]: pod.uid }),
    ...placeIds(record),
  }
}

/** The part of the record that is known last: what the pod may send from. */
export function placeIds({ mac, addresses }: Pick<PortRecord, 'mac' | 'addresses'>): Readonly<Record<string, string>> {
  return {
    ...(mac === undefined ? {} : { [RECORD_KEY.mac]: mac }),
    ...(addresses.length === 0 ? {} : { [RECORD_KEY.addresses]: addresses.join(',') }),
  }
}

/** The record in a row; undefined where it is not ours, or names nobody. */
export function recordOf(ids: ReadonlyMap<string, string>): PortRecord | undefined {
  const containerId = ids.get(RECORD_KEY.container)
  const ifname = ids.get(RECORD_KEY.ifname)
  if (!isOurs(ids) || containerId === undefined || ifname === undefined) return undefined
  const mac = parseMac(ids.get(RECORD_KEY.mac) ?? '')
  const [namespace, name] = [ids.get(RECORD_KEY.namespace), ids.get(RECORD_KEY.pod)]
  const pod =
    namespace === undefined || name === undefined ? undefined : { namespace, name, uid: ids.get(RECORD_KEY.podUid) }
  return {
    containerId,
    ifname,
    network: ids.get(RECORD_KEY.network) ?? '',
    netns: ids.get(RECORD_KEY.netns) ?? '',
    ...(pod === undefined ? {} : { pod }),
    ...(mac === undefined ? {} : { mac }),
    addresses: (ids.get(RECORD_KEY.addresses) ?? '').split(',').flatMap((text) => parseIp(text) ?? []),
    ...limitsIn(ids),
  }
}
