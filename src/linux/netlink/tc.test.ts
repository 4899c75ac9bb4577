import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { indexOf, type Scratch, scratch, veth } from '../testing/scratch.ts'
import { decodeFilter, filterAdd, filterDel, filterList } from './filter.ts'
import { linkAdd } from './link-add.ts'
import { linkGet } from './link-ops.ts'
import { openMonitor } from './monitor.ts'
import { decodeQdiscMessage, qdiscAdd, qdiscDel, qdiscList, qdiscReplace } from './qdisc.ts'
import { formatTcHandle, TC_INGRESS, TC_INGRESS_FILTERS, TC_INGRESS_HANDLE, TC_ROOT, tcHandle } from './tc-message.ts'
import { burstBytes, burstTicks, bytesPerSecond } from './tc-rate.ts'
import { classAdd, classDel, classList, classReplace, decodeClass } from './tclass.ts'

/** From one kilobit to one petabit a second, below and above what 32 bits of bytes hold. */
const RATES = [
  [1_000, '1Kbit'],
  [64_000, '64Kbit'],
  [10_000_000, '10Mbit'],
  [10_000_000_000, '10Gbit'],
  [34_359_738_360, '34359Mbit'],
  [34_360_000_000, '34360Mbit'],
  [1e12, '1Tbit'],
  [1e15, '1000Tbit'],
] as const

describe('what is set is what tc(8) reads, and what comes back', () => {
  test.each(RATES)('tbf of %d bit/s', (rate) => {
    using node = scratch()
    const { a: link } = veth(node, node)
    const burst = burstFor(rate)
    const spec = { kind: 'tbf', rate, burst, limit: 200_000 } as const
    qdiscAdd(node.rtnl, { link, ...spec })
    const [told] = tc(node, 'qdisc', 'show', 'dev', 'a0')
    expect(told).toMatchObject({ kind: 'tbf', root: true, options: { rate: bytesPerSecond(rate) } })
    const [found] = qdiscList(node.rtnl, { link })
    expect(found).toMatchObject({
      link,
      parent: TC_ROOT,
      kind: 'tbf',
      data: { kind: 'tbf', rate: bytesPerSecond(rate) * 8 },
    })
    if (found?.data?.kind !== 'tbf') throw new Error('no tbf')
    expect(found.data.limit).toBe(200_000)
    expect(near(found.data.burst, spec.burst, rate)).toBe(true)
    expect(near(Number((told?.['options'] as Options | undefined)?.['burst']), spec.burst, rate)).toBe(true)
  })

  test.each(RATES)('htb of %d bit/s', (rate, text) => {
    using node = scratch()
    const { a: link } = veth(node, node)
    const burst = burstFor(rate)
    qdiscAdd(node.rtnl, { link, kind: 'htb', handle: tcHandle(1, 0), defaultClass: 1 })
    const spec = { rate, ceil: rate * 2, burst, cburst: burst, quantum: 65_536, priority: 3 }
    classAdd(node.rtnl, { link, parent: tcHandle(1, 0), handle: tcHandle(1, 1), ...spec })
    qdiscAdd(node.rtnl, { link, parent: tcHandle(1, 1), handle: tcHandle(2, 0), kind: 'bfifo', limit: 123_456 })
    expect(tc(node, 'qdisc', 'show', 'dev', 'a0')).toMatchObject([
      { kind: 'htb', handle: '1:', root: true, options: { default: '0x1' } },
      { kind: 'bfifo', handle: '2:', parent: '1:1', options: { limit: 123_456 } },
    ])
    const told = tcText(node, 'class', 'show', 'dev', 'a0')
    expect(told).toMatch(new RegExp(`^class htb 1:1 root leaf 2: prio 3 rate ${text} ceil`))
    const bytes = bytesPerSecond(rate)
    const [found] = classList(node.rtnl, link)
    expect(found).toMatchObject({ link, parent: TC_ROOT, handle: tcHandle(1, 1), kind: 'htb' })
    expect(found?.data).toMatchObject({
      rate: bytes * 8,
      ceil: bytesPerSecond(rate * 2) * 8,
      quantum: 65_536,
      priority: 3,
    })
    expect(near(found?.data?.burst ?? 0, burst, rate)).toBe(true)
    expect(qdiscList(node.rtnl, { link }).map(({ data }) => data)).toEqual([
      { kind: 'htb', defaultClass: 1 },
      { kind: 'bfifo', limit: 123_456 },
    ])
  })

  test.each([
    ['ingress', TC_INGRESS_HANDLE],
    ['clsact', TC_INGRESS_FILTERS],
  ] as const)('%s with a filter that redirects', (kind, parent) => {
    using node = scratch()
    const { a: link } = veth(node, node)
    linkAdd(node.rtnl, { kind: 'ifb', name: 'i0', up: true })
    expect(linkGet(node.rtnl, 'i0')).toMatchObject({ kind: 'ifb', up: true })
    const redirect = indexOf(node, 'i0')
    qdiscAdd(node.rtnl, { link, kind })
    filterAdd(node.rtnl, { link, parent, priority: 7, kind: 'u32', actions: { redirect } })
    expect(filterList(node.rtnl, { link, parent })).toMatchObject([
      { link, priority: 7, kind: 'u32', actions: { redirect } },
    ])
    const filters = tc(node, 'filter', 'show', 'dev', 'a0', 'ingress')
    const actions = filters.flatMap(
      ({ options }) => (options as { readonly actions?: readonly Options[] } | undefined)?.actions ?? [],
    )
    expect(actions).toMatchObject([
      {
        kind: 'mirred',
        mirred_action: 'redirect',
        direction: 'egress',
        to_dev: 'i0',
        control_action: { type: 'stolen' },
      },
    ])
    expect(qdiscList(node.rtnl, { link }).map(({ data }) => data)).toEqual([{ kind }])
    const again = () => filterAdd(node.rtnl, { link, parent, priority: 7, kind: 'u32', actions: { redirect } })
    expect(filterDel(node.rtnl, { link, parent, priority: 7 })).toBe(true)
    expect(filterDel(node.rtnl, { link, parent, priority: 7 })).toBe(false)
    expect(filterList(node.rtnl, { link, parent })).toEqual([])
    again()
    expect(qdiscDel(node.rtnl, { link, parent: TC_INGRESS })).toBe(true)
    expect(qdiscDel(node.rtnl, { link, parent: TC_INGRESS })).toBe(false)
    expect(filterList(node.rtnl, { link, parent })).toEqual([])
  })
})

test('a change leaves what waits, another kind takes the place, and all of it goes', () => {
  using node = scratch()
  const { a: link } = veth(node, node)
  const tbf = { link, kind: 'tbf', rate: 1_000_000, burst: 3_000, limit: 50_000 } as const
  qdiscReplace(node.rtnl, tbf)
  const before = qdiscList(node.rtnl, { link })
  expect(() => qdiscAdd(node.rtnl, tbf)).toThrow('file exists')
  qdiscReplace(node.rtnl, { ...tbf, rate: 2_000_000 })
  const after = qdiscList(node.rtnl, { link })
  // The same qdisc, for its handle is the same.
  expect(after).toMatchObject([{ handle: before[0]?.handle, data: { rate: 2_000_000 } }])
  qdiscReplace(node.rtnl, { link, kind: 'htb', handle: tcHandle(1, 0), defaultClass: 1 })
  const one = { link, parent: tcHandle(1, 0), handle: tcHandle(1, 1), quantum: 1_500 }
  classReplace(node.rtnl, { ...one, rate: 1e6, ceil: 1e6, burst: 3_000, cburst: 3_000 })
  classReplace(node.rtnl, { ...one, rate: 2e6, ceil: 3e6, burst: 3_000, cburst: 3_000 })
  expect(classList(node.rtnl, link)).toMatchObject([{ data: { rate: 2e6, ceil: 3e6 } }])
  expect(classDel(node.rtnl, one)).toBe(true)
  expect(classDel(node.rtnl, one)).toBe(false)
  expect(qdiscDel(node.rtnl, { link, parent: TC_ROOT })).toBe(true)
  expect(qdiscDel(node.rtnl, { link, parent: TC_ROOT })).toBe(false)
  expect(qdiscList(node.rtnl)).toEqual([])
})

test('the kernel’s own words reach the error', () => {
  using node = scratch()
  const { a: link } = veth(node, node)
  const orphan = { link, parent: tcHandle(1, 0), handle: tcHandle(1, 1), rate: 8e3, ceil: 8e3, burst: 3e3, cburst: 3e3 }
  expect(() => classAdd(node.rtnl, { ...orphan, quantum: 1_500 })).toThrow('RTM_NEWTCLASS 1:1 of link')
  expect(() => qdiscAdd(node.rtnl, { link: 99, kind: 'clsact' })).toThrow('no such device')
})

test('somebody else’s qdiscs are named, and seen to come and go', async () => {
  using node = scratch()
  // Down: the kernel itself sends for IPv6 on one that is up, and its packets would be counted.
  const { index: link } = linkAdd(node.rtnl, { kind: 'veth', name: 'a0', peer: { name: 'b0', nsFd: node.nsFd } })
  const seen: string[] = []
  const monitor = openMonitor({
    topics: ['qdisc'],
    nsFd: node.nsFd,
    onEvent: ({ topic, change, object }) => {
      if (topic === 'qdisc' && object.link === link) seen.push(`${change} ${object.kind}`)
    },
    onResync: () => seen.push('resync'),
  })
  try {
    tc(node, 'qdisc', 'replace', 'dev', 'a0', 'root', 'pfifo', 'limit', '9')
    expect(qdiscList(node.rtnl)).toMatchObject([{ link, kind: 'pfifo', data: { limit: 9 }, counters: { packets: 0 } }])
    tc(node, 'qdisc', 'del', 'dev', 'a0', 'root')
    for (let i = 0; i < 2_000 && !seen.includes('del pfifo'); i += 1) await Bun.sleep(10)
    expect(seen).toContain('new pfifo')
    expect(seen).toContain('del pfifo')
  } finally {
    monitor.close()
  }
})

test('a burst is told in ticks to a thousandth, and refused where it lasts too long', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8_000, max: 1e12 }), fc.integer({ min: 1_500, max: 1 << 20 }), (rate, burst) => {
      fc.pre(burst / bytesPerSecond(rate) < 200)
      expect(near(burstBytes(rate, burstTicks(rate, burst)), burst, rate)).toBe(true)
    }),
  )
  expect(() => burstTicks(1_000, 1 << 20)).toThrow('lasts longer')
  for (const rate of [0, 7, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => bytesPerSecond(rate)).toThrow('no rate')
})

test('handles are written as tc(8) writes them', () => {
  expect([tcHandle(1, 0), tcHandle(1, 0xfffe), TC_ROOT, TC_INGRESS].map(formatTcHandle)).toEqual([
    '1:',
    '1:fffe',
    'root',
    'ingress',
  ])
  expect(() => tcHandle(0x10000, 0)).toThrow('no half')
})

test('no garbage makes a decoder crash otherwise than by saying so', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeQdiscMessage, decodeClass, decodeFilter]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'LINUX_MALFORMED' })
        }
      }
    }),
  )
})

type Options = Readonly<Record<string, unknown>>

/** What tc(8) says in a namespace. */
function tc(node: Scratch, ...argv: readonly string[]): readonly Options[] {
  const text = tcText(node, '-j', ...argv)
  return text === '' ? [] : JSON.parse(text)
}

function tcText(node: Scratch, ...argv: readonly string[]): string {
  const command = ['nsenter', `--net=/proc/${process.pid}/fd/${node.nsFd}`, 'tc', ...argv]
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command])
  if (exitCode !== 0) throw new Error(`tc ${argv.join(' ')}: ${stderr}`)
  return stdout.toString().trim()
}

/** A millisecond's worth, within what tc(8) itself can print. */
function burstFor(rate: number): number {
  return Math.min(Math.max(3_000, Math.ceil(rate / 8_000)), 1 << 24)
}

/** Equal but for a microsecond's worth of bytes (tc(8) counts in those), and a thousandth. */
function near(found: number, wanted: number, rate: number): boolean {
  return Math.abs(found - wanted) <= wanted / 1_000 + bytesPerSecond(rate) / 1e6 + 1
}
