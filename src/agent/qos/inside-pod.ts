/**
 * Shaping what a pod sends on its own interface: Open vSwitch's userspace datapath takes frames before any queue of the
 * node's.
 * @module
 */
import { closeFd, hasErrno, linkFind, netnsOpen, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import type { Bucket } from '../../network/qos/shaping.ts'
import type { Lease } from '../attach/lease.ts'
import { AgentError } from '../errors.ts'
import type { ApplyOptions, SenderSide } from './shaper.ts'
import { bucketIn, setBucket } from './tc.ts'

/** Shapes what pods send inside their namespaces. */
export const insidePod: SenderSide = {
  set: (lease, outside, bucket: Bucket | undefined, { nsFd, force }: ApplyOptions) =>
    withPod(lease, outside, nsFd, (rtnl, link) => setBucket(rtnl, link, bucket, force)) ?? 'settled',
  standing: (lease, outside) => withPod(lease, outside, undefined, bucketIn),
  total: () => undefined,
  // A pod's namespace goes with all that is in it.
  sweep: () => undefined,
}

/** Does something with a pod's own end of its link; nothing where that is gone. Throws AGENT_POD_UNREACHABLE. */
function withPod<T>(
  lease: Lease,
  outside: number,
  nsFd: number | undefined,
  action: (rtnl: RtnlSocket, link: number) => T,
): T | undefined {
  const opened = nsFd === undefined ? openPod(lease) : undefined
  const fd = nsFd ?? opened
  if (fd === undefined) return undefined
  try {
    using rtnl = openRtnl({ nsFd: fd })
    const inside = linkFind(rtnl, lease.endpoint.ifname)
    if (inside === undefined) return undefined
    // The path may lead elsewhere by now.
    if (inside.kind !== 'veth' || inside.parent !== outside) throw unreachable(lease, 'another interface has its name')
    return action(rtnl, inside.index)
  } finally {
    if (opened !== undefined) closeFd(opened)
  }
}

/** The pod's namespace as the runtime named it; undefined when it is gone. */
function openPod(lease: Lease): number | undefined {
  try {
    return netnsOpen(lease.netns)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw unreachable(lease, error instanceof Error ? error.message : String(error))
  }
}

function unreachable({ endpoint, netns }: Lease, why: string): AgentError {
  return new AgentError(
    'AGENT_POD_UNREACHABLE',
    `what pod ${endpoint.namespace}/${endpoint.pod} sends cannot be limited: ${netns}: ${why}`,
    'have the agent see the folder of network namespaces as the container runtime does',
  )
}
