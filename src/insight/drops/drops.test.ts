import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { InstalledFlow, NodeFacts } from '../../agent/control/facts.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { DROPS } from '../../network/pipeline/drops.ts'
import { lookFor, PLAIN } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import { countDrops, type DropCount, increments, isBenign, namesStrangers } from './drops.ts'
import { printDrops, printIncrement } from './print.ts'

const facts = sampleNodeFacts()
const counters = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
  minLength: facts.installed.length,
  maxLength: facts.installed.length,
})

test('the sum of the named drops is the sum of what drop flows counted, to the packet', () => {
  fc.assert(
    fc.property(counters, (packets) => {
      const flows = countedBy(packets)
      const exact = flows.filter(isDrop).reduce((sum, one) => sum + one.packets, 0n)
      expect(sum(countDrops('node1', flows, facts.fragments))).toBe(exact)
    }),
  )
})

test('increments add up to the difference', () => {
  fc.assert(
    fc.property(counters, counters, (first, more) => {
      const before = countDrops('node1', countedBy(first), facts.fragments)
      const total = first.map((packets, i) => packets + (more[i] ?? 0n))
      const after = countDrops('node1', countedBy(total), facts.fragments)
      expect(sum(increments(before, after))).toBe(sum(after) - sum(before))
    }),
  )
})

test('a flow that was installed anew counts from zero', () => {
  const one = { node: 'n', reason: 'ethertype', object: 'o', packets: 9n, bytes: 90n } as const
  const anew = { ...one, packets: 4n, bytes: 40n }
  expect(increments([one], [anew])).toEqual([anew])
  expect(increments([one], [])).toEqual([])
})

test('the object is named', () => {
  const [first] = countDrops('node1', countedBy([]).map(spoofed), facts.fragments)
  expect(first).toEqual({ node: 'node1', reason: 'spoofed-mac', object: 'pod shop/web', packets: 3n, bytes: 126n })
})

test('objects that the fragments do not have are noticed', () => {
  expect(namesStrangers(facts.installed, facts.fragments)).toBe(false)
  expect(namesStrangers(facts.installed, facts.fragments.slice(1))).toBe(true)
})

test('benign drops are hidden unless asked for, and counted', () => {
  const counts: DropCount[] = [
    { node: 'n', reason: 'multicast', object: 'every node', packets: 1234n, bytes: 5n },
    { node: 'n', reason: 'rogue-ra', object: 'every node', packets: 1n, bytes: 5n },
  ]
  const hidden = printDrops(counts, false, PLAIN).join('\n')
  expect(hidden).not.toContain('multicast')
  expect(hidden).toContain('1234 packets of ordinary noise')
  expect(printDrops(counts, true, PLAIN).join('\n')).toContain('multicast')
})

test('every reason is printed with sentence and advice on a page’s width', () => {
  const reasons = Object.keys(DROPS) as (keyof typeof DROPS)[]
  const counts = reasons.map((reason) => ({ node: 'n', reason, object: 'every node', packets: 1n, bytes: 60n }))
  const text = printDrops(counts, true, PLAIN).join(' ').replaceAll(/\s+/g, ' ')
  for (const reason of reasons) {
    expect(text).toContain(`${reason}: ${DROPS[reason].because}.`)
    expect(text).toContain(DROPS[reason].remedy)
    expect(isBenign(reason)).toBe('benign' in DROPS[reason])
  }
  for (const columns of [100, 80]) {
    const lines = printDrops(counts, true, lookFor({ columns }, false))
    expect(lines.filter((line) => line.length > columns)).toEqual([])
  }
})

test('a counter of all pods is told as nobody’s, with the way to find whose', () => {
  const shared = { node: 'n', reason: 'tenant-isolation', object: 'every node', packets: 7n, bytes: 9n } as const
  const text = printDrops([shared, { ...shared, object: 'pod shop/web' }], true, PLAIN).join('\n')
  expect(text).toMatch(/tenant-isolation +—$/m)
  expect(text).toContain('weft trace <pod> <pod>')
  expect(text).not.toContain('every node')
  expect(printIncrement(shared, PLAIN)).toStartWith('n  —  tenant-isolation +7')
})

test('policy and rule are named', () => {
  const [rule, isolation] = [
    { object: 'AdminNetworkPolicy tenants, spec.ingress[0]', reason: 'ingress-denied' },
    { object: 'isolation of pods by NetworkPolicy shop/deny-all (ingress)', reason: 'ingress-isolated' },
  ] as const
  const counts = [rule, isolation].map((one) => ({ ...one, node: 'node1', packets: 3n, bytes: 180n }))
  const text = printDrops(counts, false, lookFor({ columns: 100 }, false))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
  expect(text).toContain('· AdminNetworkPolicy tenants, spec.ingress[0] denies that its sender opens')
  expect(text).toContain('the isolation of pods by NetworkPolicy shop/deny-all (ingress) ends what no rule allows')
  const [first] = counts
  if (first !== undefined) expect(printIncrement(first, PLAIN)).toContain('tenants, spec.ingress[0] denies')
})

test('of many objects of a reason the first few are told', () => {
  const counts = Array.from({ length: 9 }, (_, i) => ({
    node: 'n',
    reason: 'spoofed-mac' as const,
    object: `pod shop/p${i}`,
    packets: 1n,
    bytes: 1n,
  }))
  const text = printDrops(counts, false, PLAIN).join('\n')
  expect(text.match(/· pod shop/g)).toHaveLength(4)
  expect(text).toContain('· and 5 more objects')
})

test('names do not command the terminal', () => {
  const count = { node: 'n', reason: 'ethertype', object: 'pod \u001b[2J\u009b/x', packets: 1n, bytes: 1n } as const
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  expect(printIncrement(count, PLAIN)).not.toMatch(/[\u0000-\u001f\u0080-\u009f]/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  expect(printDrops([count], true, PLAIN).join('')).not.toMatch(/[\u0000-\u001f\u0080-\u009f]/)
})

function sampleNodeFacts(): NodeFacts {
  const [first] = sampleView().nodes
  if (first === undefined) throw new Error('a node')
  return first
}

function countedBy(packets: readonly bigint[]): InstalledFlow[] {
  return facts.installed.map(({ flow }, i) => ({ flow, packets: packets[i] ?? 0n, bytes: (packets[i] ?? 0n) * 60n }))
}

function isDrop({ flow }: InstalledFlow): boolean {
  return (parseCookie(flow.cookie)?.dropCode ?? 0) > 0
}

function spoofed(one: InstalledFlow): InstalledFlow {
  const { in_port: port } = one.flow.match
  const hit = port === 0x1002 && parseCookie(one.flow.cookie)?.dropCode === DROPS['spoofed-mac'].code
  return hit ? { ...one, packets: 3n, bytes: 126n } : one
}

function sum(counts: readonly DropCount[]): bigint {
  return counts.reduce((total, { packets }) => total + packets, 0n)
}
