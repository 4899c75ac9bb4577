/**
 * What others change on the node: ports, links, addresses, routes.
 * @module
 */
import { linkFind, type MonitorEvent, openMonitor, type RtnlSocket } from '../../linux/index.ts'
import { DIRECT } from '../../network/fabric/direct.ts'
import { GATEWAY, NEXT_HOP, ROUTE_PROTOCOL } from '../../network/host.ts'
import type { Ip } from '../../network/model/address.ts'
import type { Ports } from '../attach/ports.ts'
import type { ClusterView } from '../cluster/view.ts'
import type { Reconciler } from '../switch/reconciler.ts'
import type { Uplink } from './uplink.ts'

/** OVSDB changes are looked at together. */
const OVSDB_SETTLE_MS = 100

/** Who is told. */
export interface WatchParts {
  readonly rtnl: RtnlSocket
  readonly ports: Ports
  readonly view: ClusterView
  readonly uplink: Uplink
  readonly reconciler: Reconciler
}

/** Looks after it until disposed. */
export function watchNode({ rtnl, ports, view, uplink, reconciler }: WatchParts): Disposable {
  let settling: ReturnType<typeof setTimeout> | undefined
  const unsubscribe = ports.onChange(() => {
    settling ??= setTimeout(() => {
      settling = undefined
      reconciler.lookAtPorts()
    }, OVSDB_SETTLE_MS)
  })
  const own: OwnAddresses = {
    gateway: () => linkFind(rtnl, GATEWAY)?.index,
    node: () => view.self?.addresses ?? [],
  }
  const monitor = openMonitor({
    topics: ['link', 'address', 'route', 'neighbour'],
    onEvent: (event) => {
      if (event.topic === 'address') {
        uplink.forget()
        view.uplinkChanged()
      } else if (event.topic === 'link' && uplink.sees(event.object)) view.uplinkChanged()
      if (isLossOfOurs(event, own)) reconciler.requestWhole()
    },
    onResync: () => reconciler.requestWhole(),
  })
  return {
    [Symbol.dispose]: () => {
      clearTimeout(settling)
      unsubscribe()
      monitor.close()
    },
  }
}

/** Whose addresses matter. */
export interface OwnAddresses {
  /** Index of the gateway's link, if it is there. */
  gateway(): number | undefined
  /** Addresses that other nodes reach this one at. */
  node(): readonly Ip[]
}

/** Whether it is something of ours, or an address that the node is reached at, that went away by whoever's hand. */
export function isLossOfOurs({ topic, change, object }: MonitorEvent, own: OwnAddresses): boolean {
  // A port to the node's stack that OVS made anew has lost its addresses and routes.
  if (topic === 'link') return [GATEWAY, DIRECT].includes(object.name) && change === 'new' && !object.up
  if (change === 'new') return false
  if (topic === 'address') {
    // Others' links come and go with their containers all the time.
    const isOfNode = own.node().some((one) => object.address.startsWith(`${one}/`))
    return isOfNode || (object.scope !== 'link' && object.link === own.gateway())
  }
  if (topic === 'route') return object.protocol === ROUTE_PROTOCOL
  return topic === 'neighbour' && (object.address === NEXT_HOP[4] || object.address === NEXT_HOP[6])
}
