/**
 * What is recorded of a pod's networks, and what their plugins are called with.
 * @module
 */
import { parseArgs } from '../../cni/index.ts'
import type { ListCall } from '../plugins/list.ts'
import { type Attached, type NetworkRecord, recordId } from './record.ts'
import type { Wanted } from './resolve.ts'
import type { AttachedToday } from './today.ts'

/** What all steps of a network are called with. */
export function callOf(
  { path, ...record }: Pick<NetworkRecord, 'containerId' | 'ifname' | 'program' | 'path'>,
  { ifname, ordinal, definition, origin, network, version, args, accountsAway }: AttachedToday,
): Omit<ListCall, 'plugins' | 'netns'> {
  return {
    containerId: record.containerId,
    ifname,
    ordinal,
    plan: recordId(record),
    ...(definition === undefined ? {} : { definition }),
    origin,
    network,
    version,
    args: parseArgs(args),
    path,
    ...(accountsAway === undefined ? {} : { accountsAway }),
  }
}

/** What of a wanted network is recorded. */
export function attachedOf({ isFirst: _, droppedDefaults: __, gateways: ___, ...attached }: Wanted): Attached {
  return attached
}

/** A pod as records name it. */
export function podNamed({
  namespace,
  name,
  uid,
}: {
  readonly namespace: string
  readonly name: string
  readonly uid: string | undefined
}) {
  return { namespace, name, ...(uid === undefined ? {} : { uid }) }
}
