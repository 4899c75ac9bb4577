/** Against the kernel, read back by nft(8) and by traffic. */
import { describe, expect, test } from 'bun:test'
import { netnsAdd, netnsDel } from '../../netns.ts'
import { listRuleset } from '../../nft.ts'
import { closeFd } from '../../socket.ts'
import { scratch } from '../../testing/scratch.ts'
import { type NftTable, nftRuleCounts, nftTableAdd, nftTableDel, nftTableReplace } from './table.ts'

const TABLE: NftTable = {
  name: 'weft-test',
  chains: [
    {
      name: 'receive',
      type: 'filter',
      hook: 'prerouting',
      priority: -150,
      rules: [[{ match: 'iifname', name: 'veth0' }, { match: 'ct state new' }, { set: 'ct mark', value: 0x12345678 }]],
    },
    {
      name: 'answer',
      type: 'route',
      hook: 'output',
      priority: -150,
      rules: [
        [
          { match: 'ct mark', value: 0x12345678 },
          { set: 'meta mark', from: 'ct mark' },
        ],
        [{ match: 'ct state new' }],
      ],
    },
  ],
}

const WORDS: NftTable = {
  name: 'weft-words',
  chains: [
    {
      name: 'arrive',
      type: 'filter',
      hook: 'prerouting',
      priority: -150,
      rules: [
        [
          { match: 'iifgroup', group: 0x574c },
          { match: 'ct direction', value: 'reply' },
          { set: 'meta mark', bits: 0x2000 },
        ],
        [{ match: 'ct direction', value: 'original' }, { match: 'fib saddr . iif oif missing' }, { verdict: 'drop' }],
      ],
    },
    {
      name: 'leave',
      type: 'nat',
      hook: 'postrouting',
      priority: 90,
      rules: [
        [
          { match: 'rt nexthop', address: '169.254.77.5' },
          { verdict: 'snat', to: '169.254.77.6' },
        ],
        [
          { match: 'rt nexthop', address: 'fe80::77:5' },
          { verdict: 'snat', to: 'fd77:6566:7400::6' },
        ],
        [
          { match: 'oifgroup', group: 0x574c, not: true },
          { match: 'oifname', name: 'eth0' },
          { verdict: 'masquerade' },
        ],
      ],
    },
    {
      name: 'speak',
      type: 'filter',
      hook: 'output',
      priority: 0,
      rules: [
        [{ match: 'icmp redirect', family: 4 }, { verdict: 'drop' }],
        [{ match: 'icmp redirect', family: 6 }, { match: 'ip6 saddr', address: 'fe80::77:7' }, { verdict: 'drop' }],
      ],
    },
  ],
}

describe('a table', () => {
  test('is what nft says it is', async () => {
    const netns = `wefttest-nftables-${process.pid}`
    const nsFd = netnsAdd(netns)
    nftTableReplace(TABLE, nsFd)
    const rules = await rulesIn(netns).finally(() => netnsDel(netns))
    closeFd(nsFd)
    expect(rules).toEqual([
      {
        chain: 'receive',
        expr: [
          { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'veth0' } },
          { match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } },
          { mangle: { key: { ct: { key: 'mark' } }, value: 0x12345678 } },
        ],
      },
      {
        chain: 'answer',
        expr: [
          { match: { op: '==', left: { ct: { key: 'mark' } }, right: 0x12345678 } },
          { mangle: { key: { meta: { key: 'mark' } }, value: { ct: { key: 'mark' } } } },
        ],
      },
      { chain: 'answer', expr: [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }] },
    ])
  })

  test('speaks of links, groups, directions, ways and translations as nft does', async () => {
    const netns = `wefttest-nftables-words-${process.pid}`
    const nsFd = netnsAdd(netns)
    nftTableReplace(WORDS, nsFd)
    const rules = (await rulesIn(netns).finally(() => netnsDel(netns))) as readonly {
      readonly expr: readonly unknown[]
    }[]
    closeFd(nsFd)
    const is = (left: object, right: unknown, op = '=='): unknown => ({ match: { op, left, right } })
    const mark = { meta: { key: 'mark' } }
    expect(rules.map(({ expr }) => expr)).toEqual([
      [
        is({ meta: { key: 'iifgroup' } }, 0x574c),
        is({ ct: { key: 'direction' } }, 'reply'),
        { mangle: { key: mark, value: { '|': [mark, 0x2000] } } },
      ],
      [
        is({ ct: { key: 'direction' } }, 'original'),
        is({ fib: { result: 'oif', flags: ['saddr', 'iif'] } }, '0'),
        { drop: null },
      ],
      [is({ rt: { key: 'nexthop', family: 'ip' } }, '169.254.77.5'), { snat: { family: 'ip', addr: '169.254.77.6' } }],
      [
        is({ rt: { key: 'nexthop', family: 'ip6' } }, 'fe80::77:5'),
        { snat: { family: 'ip6', addr: 'fd77:6566:7400::6' } },
      ],
      [is({ meta: { key: 'oifgroup' } }, 0x574c, '!='), is({ meta: { key: 'oifname' } }, 'eth0'), { masquerade: null }],
      [is({ payload: { protocol: 'icmp', field: 'type' } }, 'redirect'), { drop: null }],
      [
        is({ payload: { protocol: 'icmpv6', field: 'type' } }, 'nd-redirect'),
        is({ payload: { protocol: 'ip6', field: 'saddr' } }, 'fe80::77:7'),
        { drop: null },
      ],
    ])
  })

  test('is replaced as a whole, and deleted once', async () => {
    using a = scratch()
    nftTableReplace(TABLE, a.nsFd)
    nftTableReplace(TABLE, a.nsFd)
    expect(nftRuleCounts(TABLE.name, a.nsFd)).toEqual(
      new Map([
        ['receive', 1],
        ['answer', 2],
      ]),
    )
    nftTableReplace({ name: TABLE.name, chains: [] }, a.nsFd)
    expect(nftRuleCounts(TABLE.name, a.nsFd)).toEqual(new Map())
    expect(nftTableDel(TABLE.name, a.nsFd)).toBe(true)
    expect(nftTableDel(TABLE.name, a.nsFd)).toBe(false)
  })

  test('is added once', () => {
    using a = scratch()
    nftTableAdd(TABLE, a.nsFd)
    expect(() => nftTableAdd({ ...TABLE, chains: [] }, a.nsFd)).toThrow('file exists')
    expect(nftRuleCounts(TABLE.name, a.nsFd).size).toBe(2)
  })

  test('of others is not touched', async () => {
    using a = scratch()
    nftTableReplace({ ...TABLE, name: 'theirs' }, a.nsFd)
    nftTableReplace(TABLE, a.nsFd)
    nftTableDel(TABLE.name, a.nsFd)
    expect(nftRuleCounts('theirs', a.nsFd)).toEqual(
      new Map([
        ['receive', 1],
        ['answer', 2],
      ]),
    )
  })

  test('the kernel refuses leaves what was there', () => {
    using a = scratch()
    nftTableReplace(TABLE, a.nsFd)
    const broken: NftTable = {
      name: TABLE.name,
      chains: [{ name: 'odd', type: 'nat', hook: 'forward', priority: 0, rules: [] }],
    }
    expect(() => nftTableReplace(broken, a.nsFd)).toThrow('NFT_MSG_NEWCHAIN table weft-test')
    expect(nftRuleCounts(TABLE.name, a.nsFd).size).toBe(2)
  })
})

async function rulesIn(netns: string): Promise<readonly unknown[]> {
  const listed = (await listRuleset({ netns })) as {
    readonly nftables: readonly { readonly rule?: Parameters<typeof pick>[0] }[]
  }
  return listed.nftables.flatMap(({ rule }) => (rule === undefined ? [] : [pick(rule)]))
}

function pick({ chain, expr }: { readonly chain: string; readonly expr: unknown }): unknown {
  return { chain, expr }
}
