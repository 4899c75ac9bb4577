import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { ip, macFromIp } from '../../network/model/address.ts'
import { DIRECTIONS, type Limits, RATE_REMEDY } from '../../network/model/bandwidth.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { Pod } from '../../network/model/pod.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'
import { type Lease, linkName } from '../attach/lease.ts'
import { Problems } from '../problems.ts'
import { Groups } from './groups.ts'
import { Limiter } from './limiter.ts'
import { NodePods } from './node-pods.ts'
import type { ApplyOptions, InForce } from './shaper.ts'
import type { Outcome } from './tc.ts'
import { NamespaceTotals } from './totals.ts'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const PODS = [0, 1, 2] as const

/** A node whose database and kernel can be asked, and told to fail. */
class Scene {
  readonly leases = new Map<string, Lease>()
  readonly kernel = new Map<string, Limits>()
  readonly groupOf = new Map<string, ApplyOptions['group']>()
  readonly ours = new Set<string>()
  readonly events: string[] = []
  readonly busy = new Set<string>()
  writes = 0
  failing = ''
  drains = 0
  readonly pods = new NodePods('node1', () => undefined)
  readonly totals = new NamespaceTotals(() => undefined)
  readonly limiter: Limiter

  constructor(datapath: 'system' | 'netdev' = 'netdev') {
    const log = SILENT as never
    const notices = {
      warn: (_: unknown, reason: string, message: string) => void this.events.push(`${reason} ${message}`),
    }
    this.limiter = new Limiter({
      ports: {
        connected: true,
        leases: () => [...this.leases.values()],
        handsOff: {
          has: (link: string) => this.ours.has(link),
          setLimits: async (link: string, limits: Limits) => this.#record(link, limits),
          sweep: async () => undefined,
        } as never,
      },
      pods: this.pods,
      shaper: {
        apply: (lease, options) => this.#apply(lease, options),
        inForce: ({ link }) => inForceOf(this.kernel.get(link) ?? {}),
        totalInForce: () => ({}),
        sweep: () => undefined,
      },
      groups: new Groups({ datapath, totals: this.totals, notices, log }),
      problems: new Problems(log),
      notices,
      log,
      signal: new AbortController().signal,
      busy: () => this.busy,
      recorded: () => undefined,
    })
  }

  attach(n: number, limits: Limits = {}): Lease {
    const lease = leaseOf(n, limits)
    this.leases.set(lease.link, lease)
    return lease
  }

  #record(link: string, limits: Limits): void {
    this.writes += 1
    this.ours.add(link)
    const lease = this.leases.get(link)
    if (lease === undefined) return
    const { limits: _, ...endpoint } = lease.endpoint
    this.leases.set(link, { ...lease, endpoint: isUnlimited(limits) ? endpoint : { ...endpoint, limits } })
  }

  #apply({ link, endpoint }: Lease, { force = false, group }: ApplyOptions = {}): Outcome {
    if (this.failing === link) throw new Error('out of reach')
    this.writes += 1
    this.groupOf.set(link, group)
    const limits = endpoint.limits ?? {}
    if (isUnlimited(limits) && this.drains > 0 && !force) {
      this.drains -= 1
      return 'draining'
    }
    this.kernel.set(link, limits)
    return 'settled'
  }
}

const rate = fc.constantFrom(1_000, 10_000_000, 1e12)
const wish = fc.oneof(
  rate.map((one) => ({ rate: one })),
  fc.constant({ problem: 'no rate' }),
)
const bandwidth = fc.option(fc.record({ toPod: wish, fromPod: wish }, { requiredKeys: [] }), { nil: undefined })
const step = fc.oneof(
  fc.record({ kind: fc.constant('annotate' as const), n: fc.constantFrom(...PODS), bandwidth }),
  fc.record({
    kind: fc.constantFrom('forget' as const, 'attach' as const, 'detach' as const),
    n: fc.constantFrom(...PODS),
  }),
  fc.record({
    kind: fc.constantFrom('damage' as const, 'work' as const, 'drain' as const),
    n: fc.constantFrom(...PODS),
  }),
)

test('whatever happens, the kernel ends up holding pods to what was asked last and made sense', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (history) => {
      const scene = new Scene()
      for (const one of history) await take(one, scene)
      for (let looks = 0; looks < 30; looks += 1) await scene.limiter.applyNow()
      for (const lease of scene.leases.values()) expectHeld(scene, lease)
    }),
    { numRuns: 150 },
  )
})

test('an agent that starts with everything as it was writes no record, and looks at the kernel once', async () => {
  const scene = new Scene()
  const { link } = scene.attach(0, { toPod: 5_000 })
  scene.ours.add(link)
  scene.pods.put(podOf(0, { toPod: { rate: 5_000 } }))
  await scene.limiter.applyNow()
  expect(scene.writes).toBe(1)
  scene.limiter.request()
  await Bun.sleep(5)
  expect(scene.writes).toBe(1)
})

test('a pod that has not been seen, or is another by now, keeps what is recorded', async () => {
  const scene = new Scene()
  const { link } = scene.attach(0, { fromPod: 7_000 })
  await scene.limiter.applyNow()
  expect(scene.kernel.get(link)).toEqual({ fromPod: 7_000 })
  scene.pods.put({ ...podOf(0, undefined), uid: 'later' })
  await scene.limiter.applyNow()
  expect(scene.kernel.get(link)).toEqual({ fromPod: 7_000 })
})

test('what makes no sense is told once, and changes nothing', async () => {
  const scene = new Scene()
  scene.attach(0, { toPod: 5_000 })
  scene.pods.put(podOf(0, { toPod: { problem: 'too small' } }))
  await scene.limiter.applyNow()
  await scene.limiter.applyNow()
  expect(scene.events).toEqual([`BandwidthRefused too small → ${RATE_REMEDY}. What was in force stays so.`])
  expect(scene.limiter.facts()).toMatchObject([
    { pod: 'pod0', limits: { toPod: 5_000 }, inForce: { toPod: { rate: 5_000 } } },
  ])
  expect(scene.limiter.limitsFor({ namespace: 'shop', pod: 'pod0', podUid: 'u0' }).problems).toEqual(['too small'])
})

test('one pod out of reach keeps nobody else from being limited, and is said', async () => {
  const scene = new Scene()
  const [first, second] = [scene.attach(0), scene.attach(1)]
  scene.failing = first.link
  for (const n of [0, 1]) scene.pods.put(podOf(n, { toPod: { rate: 8_000 } }))
  await expect(scene.limiter.applyNow()).rejects.toThrow('out of reach')
  expect(scene.kernel.get(second.link)).toEqual({ toPod: 8_000 })
})

test('an attachment under way is left alone', async () => {
  const scene = new Scene()
  const { link, endpoint } = scene.attach(0)
  scene.pods.put(podOf(0, { toPod: { rate: 8_000 } }))
  scene.busy.add(endpoint.id)
  await scene.limiter.applyNow()
  expect(scene.kernel.has(link)).toBe(false)
})

test('a namespace’s total is given to its pods where the kernel forwards', async () => {
  const scene = new Scene('system')
  const { link } = scene.attach(0)
  await scene.limiter.applyNow()
  // Nobody has read the namespaces: what stands stays.
  expect(scene.groupOf.get(link)?.limits).toBeUndefined()
  scene.totals.put({ name: 'shop', totals: { fromPod: { rate: 9_000 } } })
  scene.totals.read()
  await scene.limiter.applyNow()
  expect(scene.groupOf.get(link)?.limits).toEqual({ fromPod: 9_000 })
  scene.totals.put({ name: 'shop', totals: { fromPod: { problem: 'no rate' } } })
  await scene.limiter.applyNow()
  expect(scene.groupOf.get(link)?.limits).toEqual({ fromPod: 9_000 })
  scene.totals.remove('shop')
  await scene.limiter.applyNow()
  expect(scene.groupOf.get(link)?.limits).toEqual({})
})

test('elsewhere it is refused, and says why', async () => {
  const scene = new Scene('netdev')
  scene.attach(0)
  scene.totals.put({ name: 'shop', totals: { fromPod: { rate: 9_000 } } })
  scene.totals.read()
  await scene.limiter.applyNow()
  expect(scene.events).toHaveLength(1)
  expect(scene.events[0]).toContain('BandwidthTotalRefused namespace shop: weft.dev/egress-bandwidth')
  expect(scene.events[0]).toContain('kernel’s datapath')
  expect(scene.limiter.facts()).toMatchObject([{ endpoint: 'namespace/shop', pod: '', limits: {}, inForce: {} }])
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function take(one: Step, scene: Scene): Promise<void> {
  const { link } = leaseOf(one.n, {})
  switch (one.kind) {
    case 'annotate':
      return scene.pods.put(podOf(one.n, one.bandwidth as Pod['bandwidth']))
    case 'forget':
      return scene.pods.remove(`shop/pod${one.n}`)
    case 'attach':
      if (!scene.leases.has(link)) scene.attach(one.n)
      return
    case 'detach':
      scene.leases.delete(link)
      return
    case 'damage':
      scene.kernel.delete(link)
      return
    case 'drain':
      scene.drains = 2
      return
    case 'work':
      return scene.limiter.applyNow()
  }
}

/** The kernel does what is recorded, and that is what was asked for. */
function expectHeld(scene: Scene, { link, endpoint }: Lease): void {
  expect(scene.kernel.get(link)).toEqual(endpoint.limits ?? {})
  const wanted = scene.pods.wantedFor(endpoint)
  for (const direction of DIRECTIONS) {
    const asked = wanted?.[direction]
    const held = endpoint.limits?.[direction]
    if (asked !== undefined && 'rate' in asked) expect(held).toBe(asked.rate)
    if (wanted !== undefined && asked === undefined) expect(held).toBeUndefined()
  }
}

function inForceOf(limits: Limits): InForce {
  return Object.fromEntries(Object.entries(limits).map(([direction, one]) => [direction, { rate: one, bytes: 0n }]))
}

function podOf(n: number, asked: Pod['bandwidth']): Pod {
  const pod = { namespace: 'shop', name: `pod${n}`, uid: `u${n}`, node: 'node1', addresses: [] }
  return asked === undefined ? pod : { ...pod, bandwidth: asked }
}

function leaseOf(n: number, limits: Limits): Lease {
  const address = ip(`10.128.0.${n + 2}`)
  const id = `c${n}/eth0`
  const names = { id, containerId: `c${n}`, ifname: 'eth0', namespace: 'shop', pod: `pod${n}`, podUid: `u${n}` }
  const endpoint: Endpoint = { ...names, mac: macFromIp(address), addresses: [address], ofport: 0x1000 + n }
  const held = isUnlimited(limits) ? endpoint : { ...endpoint, limits }
  return { endpoint: held, link: linkName(id), network: 'weft', netns: '/run/netns/x', mtu: 1450 }
}
