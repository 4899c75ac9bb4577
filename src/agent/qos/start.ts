/**
 * The parts that hold pods to their bandwidth, wired: which pods there are, what changes under our hands, and the clock.
 * @module
 */
import { linkFind, type MonitorEvent, openMonitor, type RtnlSocket, TC_ROOT } from '../../linux/index.ts'
import type { Lease } from '../attach/lease.ts'
import type { Ports } from '../attach/ports.ts'
import type { NamespaceWatcher, PodWatcher } from '../cluster/watcher.ts'
import type { AgentOptions } from '../options.ts'
import { Groups } from './groups.ts'
import { Limiter, type LimiterParts } from './limiter.ts'
import { NodePods } from './node-pods.ts'
import { Shaper } from './shaper.ts'
import { isOurs } from './tc.ts'
import { NamespaceTotals } from './totals.ts'
import { noShares, UplinkShares } from './uplink-shares.ts'

/** OVSDB changes are looked at together. */
const SETTLE_MS = 100

/** What limiting needs of the agent. */
export interface LimitingParts
  extends Pick<LimiterParts, 'problems' | 'notices' | 'log' | 'signal' | 'busy' | 'recorded'> {
  readonly options: Pick<AgentOptions, 'node' | 'datapath' | 'resync' | 'uplinkMbit'>
  /** Index of the link that carries the node's tunnels, if it is known. */
  uplink(): number | undefined
  readonly rtnl: RtnlSocket
  readonly ports: Ports
  /** Ports of bridges on the physical network that are held to limits, too. */
  wires(): readonly Lease[]
}

/** Limiting under way. */
export interface Limiting extends Disposable {
  readonly limiter: Limiter
  readonly shaper: Shaper
  /** Are to be told of pods and namespaces. */
  readonly pods: PodWatcher
  readonly namespaces: NamespaceWatcher
}

/** Starts holding pods to their bandwidth. Nothing waits for what it hears of pods and namespaces. */
export function startLimiting({ options, rtnl, uplink, wires, ...parts }: LimitingParts): Limiting {
  const { ports, problems } = parts
  const shaper = new Shaper(rtnl, options.datapath)
  const pods: NodePods = new NodePods(options.node, () => limiter.request())
  const totals: NamespaceTotals = new NamespaceTotals(() => limiter.request())
  const groups = new Groups({ ...parts, datapath: options.datapath, totals })
  const shares = sharesOf(options, rtnl, problems)
  const settled = (leases: readonly Lease[], isChanged: boolean): void => {
    const link = uplink()
    // A limit that went took its pod's mark with it.
    if (isChanged) shares.forget()
    // The uplink of tunnels: what is on the physical network does not pass it as a pod's.
    if (link !== undefined)
      shares.apply(
        link,
        leases.filter(({ wire }) => wire === undefined),
      )
  }
  const limiter: Limiter = new Limiter({ ...parts, ports: together(ports, wires), pods, groups, shaper, settled })
  const watching = watchPorts(ports, limiter, rtnl)
  const clock = setInterval(() => {
    shares.forget()
    limiter.requestAll()
  }, options.resync * 1000)
  // Not before whoever starts this has put all parts together.
  setImmediate(() => limiter.request())
  return {
    limiter,
    shaper,
    pods,
    namespaces: totals,
    [Symbol.dispose]: () => {
      clearInterval(clock)
      watching[Symbol.dispose]()
    },
  }
}

function together(ports: Ports, wires: () => readonly Lease[]): LimiterParts['ports'] {
  return {
    get connected() {
      return ports.connected
    },
    handsOff: ports.handsOff,
    leases: () => [...ports.leases(), ...wires()],
  }
}

/** The uplink's shares, where somebody asked for them and they can be had; else what makes sure that none are left. */
function sharesOf(
  { datapath, uplinkMbit }: LimitingParts['options'],
  rtnl: RtnlSocket,
  problems: LimitingParts['problems'],
): Pick<UplinkShares, 'apply' | 'forget'> {
  if (datapath === 'system') return uplinkMbit === undefined ? noShares(rtnl) : new UplinkShares(rtnl, uplinkMbit * 1e6)
  if (uplinkMbit !== undefined) problems.failed('uplink', new Error(NO_SHARES))
  return { apply: () => undefined, forget: () => undefined }
}

const NO_SHARES =
  'the uplink is not shared between pods: that needs the kernel’s datapath, the userspace one gives packets no mark'

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
