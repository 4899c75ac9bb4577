/**
 * The parts that hold pods to their bandwidth, wired: which pods there are, what changes under our hands, and the clock.
 * @module
 */
import { linkFind, type MonitorEvent, openMonitor, type RtnlSocket, TC_ROOT } from '../../linux/index.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Ports } from '../attach/ports.ts'
import type { AgentOptions } from '../options.ts'
import { Groups } from './groups.ts'
import { Limiter, type LimiterParts } from './limiter.ts'
import { NodePods, reflectPods } from './node-pods.ts'
import { Shaper } from './shaper.ts'
import { isOurs } from './tc.ts'
import { NamespaceTotals, reflectTotals } from './totals.ts'

/** OVSDB changes are looked at together. */
const SETTLE_MS = 100

/** What limiting needs of the agent. */
export interface LimitingParts
  extends Pick<LimiterParts, 'problems' | 'notices' | 'log' | 'signal' | 'busy' | 'recorded'> {
  readonly options: Pick<AgentOptions, 'node' | 'datapath' | 'resync'>
  readonly registry: Registry
  readonly rtnl: RtnlSocket
  readonly ports: Ports
}

/** Limiting under way. */
export interface Limiting extends Disposable {
  readonly limiter: Limiter
  readonly shaper: Shaper
}

/** Starts holding pods to their bandwidth. It reads the registry by itself; nothing waits for that. */
export function startLimiting({ options, registry, rtnl, ...parts }: LimitingParts): Limiting {
  const { ports, problems, signal } = parts
  const shaper = new Shaper(rtnl, options.datapath)
  const pods: NodePods = new NodePods(options.node, () => limiter.request())
  const totals: NamespaceTotals = new NamespaceTotals(() => limiter.request())
  const groups = new Groups({ ...parts, datapath: options.datapath, totals })
  const limiter: Limiter = new Limiter({ ...parts, pods, groups, shaper })
  const health = {
    failed: (error: unknown) => problems.failed('pods', error),
    recovered: () => problems.solved('pods'),
  }
  reflectPods(registry, pods, health, signal)
  reflectTotals(registry, totals, health, signal)
  const watching = watchPorts(ports, limiter, rtnl)
  const clock = setInterval(() => limiter.requestAll(), options.resync * 1000)
  // Not before whoever starts this has put all parts together.
  setImmediate(() => limiter.request())
  return {
    limiter,
    shaper,
    [Symbol.dispose]: () => {
      clearInterval(clock)
      watching[Symbol.dispose]()
    },
  }
}

/** Looks after what others do to our ports' rows and queueing disciplines. */
function watchPorts(ports: Ports, limiter: Limiter, rtnl: RtnlSocket): Disposable {
  let settling: ReturnType<typeof setTimeout> | undefined
  const unsubscribe = ports.onChange(() => {
    settling ??= setTimeout(() => {
      settling = undefined
      limiter.request()
    }, SETTLE_MS)
  })
  const monitor = openMonitor({
    topics: ['qdisc'],
    onEvent: (event) => {
      const link = isLossOfOurs(event) ? linkFind(rtnl, event.object.link)?.name : undefined
      if (link !== undefined) limiter.touched(link)
    },
    onResync: () => limiter.requestAll(),
  })
  return {
    [Symbol.dispose]: () => {
      clearTimeout(settling)
      unsubscribe()
      monitor.close()
    },
  }
}

/** Ours went away at a link's root, or somebody else's came there. */
function isLossOfOurs(event: MonitorEvent): event is Extract<MonitorEvent, { readonly topic: 'qdisc' }> {
  if (event.topic !== 'qdisc' || event.object.parent !== TC_ROOT || event.object.handle === 0) return false
  return event.change === 'del' ? isOurs(event.object) : !isOurs(event.object)
}
