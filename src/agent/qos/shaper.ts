/**
 * Where endpoints are shaped. What a pod receives waits on the node's end of its link, on every datapath. What it sends:
 * Open vSwitch's userspace datapath takes frames before any queue of the node's, so they wait inside the pod's namespace.
 * @module
 */
import { closeFd, hasErrno, type Link, linkFind, netnsOpen, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import type { Direction } from '../../network/model/bandwidth.ts'
import { shapingOf } from '../../network/qos/shaping.ts'
import type { Lease } from '../attach/lease.ts'
import { AgentError } from '../errors.ts'
import { bucketIn, type Outcome, type Standing, setBucket } from './tc.ts'

/** What the kernel holds an endpoint to, and what passed so far. */
export type InForce = { readonly [D in Direction]?: Standing }

/** Shapes endpoints. */
export class Shaper {
  readonly #rtnl: RtnlSocket

  constructor(rtnl: RtnlSocket) {
    this.#rtnl = rtnl
  }

  /**
   * Makes the kernel hold an endpoint to its limits; takes ours away where it has none, as soon as nothing waits in it.
   * `nsFd`: the pod's namespace, where somebody has it open. `force` waits for nothing. A link that is gone is no error.
   * Throws AGENT_POD_UNREACHABLE, LinuxError.
   */
  apply(lease: Lease, { nsFd, force }: { readonly nsFd?: number; readonly force?: boolean } = {}): Outcome {
    const outside = linkFind(this.#rtnl, lease.link)
    if (outside === undefined) return 'settled'
    const { toPod, fromPod } = shapingOf(lease.endpoint, lease.link, lease.mtu)?.buckets ?? {}
    const outcomes = [
      setBucket(this.#rtnl, outside.index, toPod, force),
      insidePod(lease, outside, nsFd, (rtnl, link) => setBucket(rtnl, link, fromPod, force)),
    ]
    return outcomes.includes('draining') ? 'draining' : 'settled'
  }

  /** What the kernel holds an endpoint to. Throws as {@link apply} does. */
  inForce(lease: Lease): InForce {
    const outside = linkFind(this.#rtnl, lease.link)
    if (outside === undefined) return {}
    const toPod = bucketIn(this.#rtnl, outside.index)
    const fromPod = insidePod(lease, outside, undefined, bucketIn)
    return { ...(toPod === undefined ? {} : { toPod }), ...(fromPod === undefined ? {} : { fromPod }) }
  }
}

/** Does something with a pod's own end of its link; nothing where that is gone. */
function insidePod<T>(
  lease: Lease,
  outside: Link,
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
    if (inside.kind !== 'veth' || inside.parent !== outside.index)
      throw unreachable(lease, 'another interface has its name')
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
