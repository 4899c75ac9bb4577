import { afterEach, describe, expect, test } from 'bun:test'
import {
  classList,
  closeFd,
  linkAdd,
  netnsAdd,
  netnsDel,
  netnsPath,
  openRtnl,
  qdiscDel,
  qdiscList,
  qdiscReplace,
  type RtnlSocket,
  TC_ROOT,
} from '../../linux/index.ts'
import { scratch } from '../../linux/testing/scratch.ts'
import { ip, macFromIp } from '../../network/model/address.ts'
import type { Limits } from '../../network/model/bandwidth.ts'
import type { Lease } from '../attach/lease.ts'
import { Shaper } from './shaper.ts'
import { isOurs } from './tc.ts'

const POD = `wefttest-qos-${process.pid}`
const LINK = 'weft0123456789a'

afterEach(() => void netnsDel(POD))

describe('an endpoint', () => {
  const cases: readonly Limits[] = [
    { toPod: 10_000_000 },
    { fromPod: 10_000_000 },
    { toPod: 1_000, fromPod: 1e15 },
    { toPod: 40_000_000_000, fromPod: 1_234_567 },
  ]
  test.each(cases)('is held to %j, and let go again', (limits) => {
    using stage = setUp()
    const { shaper, lease } = stage
    shaper.apply(lease({}))
    expect(stage.qdiscs()).toEqual([[], []])
    shaper.apply(lease(limits))
    const asBytes = (bits: number) => Math.floor(bits / 8) * 8
    const expected = Object.fromEntries(Object.entries(limits).map(([key, bits]) => [key, asBytes(bits)]))
    expect(stage.rates(limits)).toEqual(expected)
    // The node's side passes its pod without a name too, as an ADD has it open.
    shaper.apply(lease({ toPod: 5_000_000, fromPod: 6_000_000 }), { nsFd: stage.podFd })
    expect(stage.rates(limits)).toEqual({ toPod: 5_000_000, fromPod: 6_000_000 })
    shaper.apply(lease({}))
    expect(shaper.inForce(lease({}))).toEqual({})
    expect(stage.qdiscs()).toEqual([[], []])
  })

  test.each(cases)('that is as it should be costs no write: %j', (limits) => {
    using stage = setUp()
    stage.shaper.apply(stage.lease(limits))
    const before = stage.writes()
    stage.shaper.apply(stage.lease(limits))
    expect(stage.writes() - before).toBe(0)
  })

  test('whose shapers somebody removed or replaced has them again', () => {
    using stage = setUp()
    const { shaper, lease, node, pod, outside, inside } = stage
    const limits = { toPod: 2_000_000, fromPod: 3_000_000 }
    const damages: readonly (() => unknown)[] = [
      () => qdiscDel(node, { link: outside, parent: TC_ROOT }),
      () => qdiscDel(pod, { link: inside, parent: TC_ROOT }),
      () => qdiscReplace(node, { link: outside, kind: 'pfifo', limit: 7 }),
      () => qdiscReplace(pod, { link: inside, kind: 'tbf', rate: 1e12, burst: 100_000, limit: 1e6 }),
      () => qdiscReplace(pod, { link: inside, kind: 'htb', handle: 0x57450000, defaultClass: 9 }),
      () => qdiscReplace(node, { link: outside, kind: 'tbf', handle: 0x57450000, rate: 1e12, burst: 1e5, limit: 1e6 }),
    ]
    for (const damage of damages) {
      shaper.apply(lease(limits))
      try {
        damage()
      } catch {
        // The kernel does not change one kind into another under the same handle: then it is removed first.
        qdiscDel(node, { link: outside, parent: TC_ROOT })
        qdiscDel(pod, { link: inside, parent: TC_ROOT })
        damage()
      }
      expect(stage.rates(limits)).not.toEqual(limits)
      shaper.apply(lease(limits))
      expect(stage.rates(limits)).toEqual(limits)
    }
    expect(classList(node, outside)).toHaveLength(1)
  })

  test('without limits keeps what is not ours', () => {
    using stage = setUp()
    qdiscReplace(stage.pod, { link: stage.inside, kind: 'pfifo', limit: 7 })
    stage.shaper.apply(stage.lease({}))
    expect(qdiscList(stage.pod, { link: stage.inside })).toMatchObject([{ kind: 'pfifo' }])
  })

  test('whose namespace is gone is no error; one whose name another interface has is', () => {
    using stage = setUp()
    const { shaper, lease } = stage
    const limits = { fromPod: 1_000_000 }
    shaper.apply({ ...lease(limits), netns: '/run/netns/wefttest-qos-gone' })
    shaper.apply({ ...lease(limits), link: 'weftffffffffff1' })
    expect(() => shaper.apply({ ...lease(limits), netns: '/etc/passwd' })).toThrow('cannot be limited')
    linkAdd(stage.pod, { kind: 'veth', name: 'other', peer: { name: 'other1' } })
    const renamed = { ...lease(limits), endpoint: { ...lease(limits).endpoint, ifname: 'other' } }
    expect(() => shaper.apply(renamed)).toThrow('another interface has its name')
  })
})

/** A node and a pod with a veth pair between them. */
function setUp() {
  const node = scratch()
  const podFd = netnsAdd(POD)
  const pod = openRtnl({ nsFd: podFd })
  const made = linkAdd(node.rtnl, { kind: 'veth', name: LINK, up: true, peer: { name: 'eth0', nsFd: podFd } })
  const counted = counting(node.rtnl)
  const inside = made.parent ?? 0
  const shaper = new Shaper(counted.rtnl, 'netdev')
  return {
    node: node.rtnl,
    pod,
    podFd,
    outside: made.index,
    inside,
    shaper,
    rates: (limits: Limits) =>
      Object.fromEntries(Object.entries(shaper.inForce(leaseWith(limits))).map(([key, { rate }]) => [key, rate])),
    writes: counted.writes,
    lease: leaseWith,
    qdiscs: () =>
      [qdiscList(node.rtnl, { link: made.index }), qdiscList(pod, { link: inside })].map((all) => all.filter(isOurs)),
    [Symbol.dispose]: () => {
      pod.close()
      closeFd(podFd)
      node[Symbol.dispose]()
    },
  }
}

/** A socket that counts what changes something. */
function counting(rtnl: RtnlSocket): { readonly rtnl: RtnlSocket; readonly writes: () => number } {
  let writes = 0
  const request: RtnlSocket['request'] = (one) => {
    if (one.type % 4 !== 2) writes += 1
    return rtnl.request(one)
  }
  return { rtnl: { ...rtnl, request }, writes: () => writes }
}

function leaseWith(limits: Limits): Lease {
  const address = ip('10.128.0.2')
  const endpoint = {
    id: 'c/eth0',
    containerId: 'c',
    ifname: 'eth0',
    namespace: 'shop',
    pod: 'web',
    mac: macFromIp(address),
    addresses: [address],
    ofport: 0x1000,
    limits,
  }
  return { endpoint, link: LINK, network: 'weft', netns: netnsPath(POD), mtu: 1450 }
}
