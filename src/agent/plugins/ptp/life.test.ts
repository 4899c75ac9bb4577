/** What legs are made of, and that nothing of them is left, wherever a program died and whatever became of the pod. */
import { describe, expect, test } from 'bun:test'
import { linkList, linkSet, nftRuleCounts, type Rule, routeList, ruleDel, ruleList } from '../../../linux/index.ts'
import { crashesAfter } from '../../../linux/testing/crash.ts'
import type { Scratch } from '../../../linux/testing/scratch.ts'
import type { PluginCallInside } from '../plugin.ts'
import { ptpPlugin } from './ptp.ts'
import { AT, never, ptpConfig, Site } from './testing/site.ts'

const MACVLAN = { type: 'macvlan' } as const
const WIRE = { ...MACVLAN, master: 'eth0', ipam: { type: 'test' } }

describe('DEL leaves nothing', () => {
  test('on the node, the pod’s namespace gone, twice', async () => {
    using site = place()
    const before = traces(site.node)
    await site.attach(MACVLAN)
    const { netns: _, ...gone } = site.call(ptpConfig())
    await site.endPod(site.pod, 'c1')
    expect(traces(site.node)).not.toEqual(before)
    for (let i = 0; i < 2; i += 1) await site.plugin('unnumbered-ptp').del(gone)
    expect(traces(site.node)).toEqual(before)
  })

  test('in a pod that goes on, either', async () => {
    using site = place()
    await site.plugin('macvlan').add(site.call(WIRE), never)
    const before = [traces(site.node), traces(site.pod)]
    await site.plugin('macvlan').del(site.call(WIRE))
    await site.attach(MACVLAN)
    await site.plugin('unnumbered-ptp').del(site.call(ptpConfig()))
    expect([traces(site.node), traces(site.pod)]).toEqual(before)
  })

  test('of one pod, and all of the other', async () => {
    using site = place()
    await site.attach(MACVLAN, {}, site.otherCall({}))
    const before = traces(site.node)
    const other = await answer(site)
    await site.attach(MACVLAN)
    await site.plugin('unnumbered-ptp').del(site.call(ptpConfig()))
    expect(traces(site.node)).toEqual(before)
    await site.plugin('unnumbered-ptp').check({ ...site.otherCall(ptpConfig()), prevResult: other })
  })
})

describe('GC', () => {
  test('removes legs of its network that are not valid, and what those left whose pods are gone', async () => {
    using site = place()
    const before = traces(site.node)
    await site.attach(MACVLAN)
    await site.attach(MACVLAN, {}, site.otherCall({}))
    await site.endPod(site.other, 'c2')
    const plugin = site.plugin('unnumbered-ptp')
    await plugin.gc?.('another', new Set())
    expect(names(site.node)).toContain(site.leg())
    await plugin.gc?.('n', new Set(['c1/eth0']))
    expect(names(site.node)).toContain(site.leg())
    expect(rulesOf(site.node).some(({ inputLink }) => inputLink === site.leg('c2'))).toBe(false)
    await plugin.gc?.('n', new Set())
    expect(traces(site.node)).toEqual(before)
  })
})

test('two ADDs at once get a routing table each', async () => {
  using site = place()
  const calls = [
    [site.call(WIRE), site.call(ptpConfig())],
    [site.otherCall(WIRE), site.otherCall(ptpConfig())],
  ] as const
  const behind: PluginCallInside[] = []
  for (const [wire, leg] of calls) {
    behind.push({ ...leg, prevResult: await site.plugin('macvlan').add(wire, never) })
  }
  await Promise.all(behind.map((call) => site.plugin('unnumbered-ptp').add(call, never)))
  const tables = ['c1', 'c2'].map((container) => {
    const own = rulesOf(site.node).filter(({ inputLink, table }) => inputLink === site.leg(container) && table !== 254)
    return [...new Set(own.map(({ table }) => table))]
  })
  expect(tables.map((own) => own.length)).toEqual([1, 1])
  expect(tables[0]).not.toEqual(tables[1] ?? [])
})

test.each(['DEL', 'ADD'] as const)(
  'after a crash at any step, %s makes it right',
  async (verb) => {
    let reached = 0
    for (let steps = 1; ; steps += 3) {
      using site = place()
      const before = traces(site.node)
      const prevResult = await site.plugin('macvlan').add(site.call(WIRE), never)
      const call = { ...site.call(ptpConfig()), prevResult }
      const parts = { grants: () => GRANTS, nodeFd: site.node.nsFd }
      const isDone = await ptpPlugin({ ...parts, open: crashesAfter(steps) })
        .add(call, never)
        .then(
          () => true,
          () => false,
        )
      const plugin = ptpPlugin(parts)
      if (verb === 'ADD') await plugin.check({ ...call, prevResult: await plugin.add(call, never) })
      await plugin.del(call)
      expect(traces(site.node)).toEqual(before)
      reached = steps
      if (isDone) break
    }
    expect(reached).toBeGreaterThan(30)
  },
  60_000,
)

describe('CHECK finds', () => {
  test.each([
    [
      'a rule that somebody took',
      (site: Site) => dropRule(site.node, 512),
      'the rule of the node for table 254 is gone',
    ],
    ['a rule of the pod', (site: Site) => dropRule(site.pod, 902), 'the rule of the container of priority 902 is gone'],
    ['a link that is down', (site: Site) => linkSet(site.pod.rtnl, 'veth0', { up: false }), 'veth0 is gone or down'],
  ] as const)('%s, and a restart puts it back on the node', async (_, spoil, words) => {
    using site = place()
    const plugin = site.plugin('unnumbered-ptp')
    const prevResult = await site.attach(MACVLAN)
    const call = { ...site.call(ptpConfig()), prevResult }
    await plugin.check(call)
    spoil(site)
    expect(await failure(plugin.check(call))).toEqual(
      expect.objectContaining({ id: 'check-failed', message: expect.stringContaining(words) }),
    )
    if (words.includes('down')) return
    await plugin.restore?.({ ...call, netnsPath: `/proc/self/fd/${site.pod.nsFd}` })
    await plugin.check(call)
  })
})

describe('refused is', () => {
  const cases = [
    ['a leg behind nothing', {}, {}, 'previous-result-missing'],
    ['a link that is not there', { hostInterface: 'eth9' }, {}, 'config-invalid'],
    ['a link without addresses', { hostInterface: 'lo' }, {}, 'config-invalid'],
    ['the pod’s own interface as leg', { containerInterface: 'eth0' }, {}, 'config-invalid'],
    [
      'a choice of links by a tenant',
      {},
      { origin: { kind: 'definition', namespace: 'shop', name: 'n' } },
      'choice-refused',
    ],
    ['a second leg', {}, { ifname: 'net1' }, 'link-failed'],
  ] as const
  test.each(cases)('%s, and changes nothing', async (what, config, rest, id) => {
    using site = place()
    const prevResult = what === 'a second leg' ? await site.attach(MACVLAN) : await wireAlone(site)
    const before = [traces(site.node), traces(site.pod)]
    const call = site.call(ptpConfig(config), rest)
    const isChained = what !== 'a leg behind nothing'
    const error = await failure(site.plugin('unnumbered-ptp').add(isChained ? { ...call, prevResult } : call, never))
    expect(error).toEqual(expect.objectContaining({ id }))
    expect([traces(site.node), traces(site.pod)]).toEqual(before)
  })

  test('a pod with the address of the node', async () => {
    using site = place()
    const { interfaces, ...rest } = await wireAlone(site)
    const prevResult = { ...rest, interfaces, ips: [{ address: `${AT.node[4]}/24` }] }
    const add = site.plugin('unnumbered-ptp').add({ ...site.call(ptpConfig()), prevResult }, never)
    expect(await failure(add)).toEqual(expect.objectContaining({ id: 'link-failed' }))
  })
})

test('one type is both steps, and undoes both', async () => {
  using site = place()
  const before = [traces(site.node), traces(site.pod)]
  const plugin = site.plugin('macvlan-ptp')
  const call = site.call({ type: 'macvlan-ptp', master: 'eth0', ipam: { type: 'test' } })
  const prevResult = await plugin.add(call, never)
  expect(prevResult.interfaces.map(({ name, sandbox }) => [name, sandbox])).toEqual([
    ['eth0', '/run/netns/pod'],
    [site.leg(), undefined],
    ['veth0', '/run/netns/pod'],
  ])
  expect(prevResult.ips.map((one) => one.interface)).toEqual([0, 0])
  await plugin.check({ ...call, prevResult })
  await plugin.status?.(call)
  await plugin.del(call)
  expect([traces(site.node), traces(site.pod)]).toEqual(before)
  const broken = plugin.add({ ...call, config: { ...call.config, containerInterface: 'eth0' } }, never)
  expect(await failure(broken)).toEqual(expect.objectContaining({ id: 'config-invalid' }))
  expect([traces(site.node), traces(site.pod)]).toEqual(before)
})

const GRANTS = { trustedNamespaces: new Set<string>(), types: new Set<string>(), bridges: [] }

let sites = 0
function place(): Site {
  sites += 1
  return new Site(`wefttest-ptp-${process.pid}-life${sites}`)
}

async function wireAlone(site: Site) {
  return await site.plugin('macvlan').add(site.call(WIRE), never)
}

/** The result of the second pod's attachment, as its ADD gave it. */
async function answer(site: Site) {
  const call = site.otherCall(ptpConfig())
  const prevResult = await site
    .plugin('macvlan')
    .add({ ...call, config: { ...call.config, ...WIRE } }, never)
    .catch(() => undefined)
  if (prevResult !== undefined) throw new Error('there was an interface')
  return {
    interfaces: [{ name: 'eth0', sandbox: '/run/netns/other' }],
    ips: ([4, 6] as const).map((family) => ({
      address: `${AT.other[family]}/${family === 4 ? 24 : 64}`,
      gateway: AT.router[family],
      interface: 0,
    })),
    routes: [],
    dns: { nameservers: [], search: [], options: [] },
  }
}

/** Everything that legs could leave: rules, routes of unicast, links, tables of nftables. */
function traces({ rtnl, nsFd }: Scratch): readonly string[] {
  const names = new Map(linkList(rtnl).map(({ index, name }) => [index, name]))
  return [
    ...ruleList(rtnl).map(
      ({ family, priority, table, inputLink }) => `rule ${family} ${priority} ${table} ${inputLink}`,
    ),
    ...routeList(rtnl)
      .filter(
        ({ table, destination }) =>
          table !== 255 && !destination.startsWith('fe80:') && !destination.startsWith('ff00:'),
      )
      .map(({ table, destination, link }) => `route ${table} ${destination} ${names.get(link ?? 0)}`),
    ...[...names.values()].map((name) => `link ${name}`),
    ...['weft-ptp', 'weft-ptp-2000'].flatMap((table) =>
      nftRuleCounts(table, nsFd).size > 0 ? [`table ${table}`] : [],
    ),
  ].toSorted()
}

function names({ rtnl }: Scratch): readonly string[] {
  return linkList(rtnl).map(({ name }) => name)
}

function rulesOf({ rtnl }: Scratch): readonly Rule[] {
  return ruleList(rtnl)
}

function dropRule({ rtnl }: Scratch, priority: number): void {
  for (const rule of ruleList(rtnl)) if (rule.priority === priority) ruleDel(rtnl, rule)
}

function failure(done: Promise<unknown>): Promise<unknown> {
  return done.then(
    () => undefined,
    (error: unknown) => error,
  )
}
