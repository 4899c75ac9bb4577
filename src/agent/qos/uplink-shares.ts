/**
 * Fair shares of the uplink: every pod of the node has a class there, and whoever has less gets its turn. Packets carry
 * their pod's class with them from the pod's link on, through the switch and the tunnel: the kernel's datapath only.
 * @module
 */
import {
  classDel,
  classList,
  filterAdd,
  filterDel,
  filterList,
  linkFind,
  qdiscAdd,
  qdiscDel,
  qdiscList,
  type RtnlSocket,
  TC_INGRESS,
  TC_INGRESS_FILTERS,
  TC_ROOT,
  tcHandle,
} from '../../linux/index.ts'
import { bucketOf } from '../../network/qos/shaping.ts'
import type { Lease } from '../attach/lease.ts'
import { PRIORITY } from './on-node.ts'
import { ensureHtb, isOurs, OUR_MAJOR, setClass } from './tc.ts'

/** The class of everything together, and that of what is no pod's. */
const WHOLE = 1
const NODE = 2
/** What a pod is sure of, in bit/s: next to nothing, so that all share what there is. */
const SHARE = 8_000
/** What the node's own programs are sure of. */
const NODE_SHARE = 0.1
const ETHERNET_MTU = 1_500

/** Shares an uplink between pods. */
export class UplinkShares {
  readonly #rtnl: RtnlSocket
  readonly #rate: number
  /** What was made last, to be compared. */
  #made = ''

  /** `rate`: the uplink's, in bit/s. What goes out faster waits here, where it is shared, and not in the network. */
  constructor(rtnl: RtnlSocket, rate: number) {
    this.#rtnl = rtnl
    this.#rate = rate
  }

  /** Gives every pod its class on the uplink, and takes those of pods that are gone. */
  apply(uplink: number, leases: readonly Lease[]): void {
    const rtnl = this.#rtnl
    const asked = JSON.stringify([uplink, leases.map(({ link, endpoint }) => [link, endpoint.ofport])])
    if (asked === this.#made) return
    const bucket = bucketOf(this.#rate, ETHERNET_MTU)
    ensureHtb(rtnl, uplink, NODE)
    setClass(rtnl, uplink, { minor: WHOLE, bucket, isInner: true })
    setClass(rtnl, uplink, { minor: NODE, parent: WHOLE, bucket, share: this.#rate * NODE_SHARE })
    const present = new Set(classList(rtnl, uplink).map(({ handle }) => handle))
    const wanted = new Set([WHOLE, NODE].map((minor) => tcHandle(OUR_MAJOR, minor)))
    for (const lease of leases) {
      const handle = tcHandle(OUR_MAJOR, lease.endpoint.ofport)
      wanted.add(handle)
      if (!present.has(handle)) {
        setClass(rtnl, uplink, { minor: lease.endpoint.ofport, parent: WHOLE, bucket, share: SHARE })
      }
      this.#mark(lease, handle)
    }
    for (const handle of present) if (!wanted.has(handle)) classDel(rtnl, { link: uplink, handle })
    this.#made = asked
  }

  /** Looks at all of it again at the next time. */
  forget(): void {
    this.#made = ''
  }

  /** What a pod sends carries its class from its link on; on a detour it does so anyway. */
  #mark({ link }: Lease, setPriority: number): void {
    const rtnl = this.#rtnl
    const outside = linkFind(rtnl, link)?.index
    if (outside === undefined) return
    const place = { link: outside, parent: TC_INGRESS_FILTERS, priority: PRIORITY }
    const [ours] = filterList(rtnl, place).filter(({ priority }) => priority === PRIORITY)
    if (ours?.actions?.setPriority === setPriority) return
    if (!qdiscList(rtnl, { link: outside }).some(({ kind }) => kind === 'clsact')) {
      qdiscDel(rtnl, { link: outside, parent: TC_INGRESS })
      qdiscAdd(rtnl, { link: outside, kind: 'clsact' })
    }
    filterDel(rtnl, place)
    filterAdd(rtnl, { ...place, kind: 'u32', actions: { setPriority } })
  }
}

/** No shares: those that an earlier agent had been told to make go. */
export function noShares(rtnl: RtnlSocket): Pick<UplinkShares, 'apply' | 'forget'> {
  let isLookedAt = false
  return {
    apply: (uplink) => {
      if (isLookedAt) return
      const root = qdiscList(rtnl, { link: uplink }).find(({ parent }) => parent === TC_ROOT)
      if (root !== undefined && isOurs(root)) qdiscDel(rtnl, { link: uplink, parent: TC_ROOT })
      isLookedAt = true
    },
    forget: () => undefined,
  }
}
