import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { SAMPLE_CLUSTER } from '../../../test/tables/sample-node.ts'
import { acceptanceScript } from './acceptance.ts'
import { dropsInWords, foreignDrops } from './judge.ts'
import { type Chain, decodeRuleset } from './ruleset.ts'
import { neededTraffic } from './traffic.ts'

const NETNS = `wefttest-network-firewall-${process.pid}`
beforeAll(() => void spawnSync('ip', ['netns', 'add', NETNS]))
afterAll(() => void spawnSync('ip', ['netns', 'del', NETNS]))

/** Chains as nft tells them of a ruleset that the kernel took. */
function chainsOf(ruleset: string): readonly Chain[] {
  const nft = (args: readonly string[], input = '') => {
    const { stdout, stderr, status } = spawnSync('ip', ['netns', 'exec', NETNS, 'nft', ...args], { input })
    if (status !== 0) throw new Error(String(stderr))
    return String(stdout)
  }
  // A chain ends its line.
  nft(['-f', '-'], `flush ruleset\n${ruleset.replaceAll(/(?<=;) +\} /g, ' }\n')}`)
  return decodeRuleset(JSON.parse(nft(['-j', '-t', 'list', 'ruleset'])))
}

function drops(ruleset: string): readonly string[] {
  return foreignDrops(
    neededTraffic(SAMPLE_CLUSTER, [4, 6], 'weft0'),
    chainsOf(ruleset),
    ({ table }) => table === 'weft',
  ).map(
    ({ traffic, family, table, chain, rule }) =>
      `${family} ${table} ${chain}${rule ? ` by ${rule.chain}` : ''}: ${traffic}`,
  )
}

const OUT4 = 'what pods of 10.128.0.0/14 send to the outside'
const BACK4 = 'answers from the outside to pods of 10.128.0.0/14'
const NODE4 = 'what pods of 10.128.0.0/14 send to their node'
const OUT6 = 'what pods of fd00:10:128::/48 send to the outside'
const BACK6 = 'answers from the outside to pods of fd00:10:128::/48'
const NODE6 = 'what pods of fd00:10:128::/48 send to their node'
const TUNNEL = 'tunnel packets of other nodes'

const forward = (rules: string, policy = 'drop', family = 'ip'): string =>
  `table ${family} filter { chain FORWARD { type filter hook forward priority 0; policy ${policy}; ${rules} } }`
const input = (rules: string, policy = 'drop'): string =>
  `table inet host { chain in { type filter hook input priority 0; policy ${policy}; ${rules} } }`

test.each([
  ['nothing', '', []],
  ['a policy', forward(''), [`ip filter FORWARD: ${OUT4}`, `ip filter FORWARD: ${BACK4}`]],
  [
    'a policy for both families',
    forward('', 'drop', 'inet'),
    [OUT4, BACK4, OUT6, BACK6].map((one) => `inet filter FORWARD: ${one}`),
  ],
  ['an accepting policy', forward('', 'accept'), []],
  ['only answers are accepted', forward('ct state established,related accept;'), [`ip filter FORWARD: ${OUT4}`]],
  ['our link is accepted', forward('iifname "weft0" accept; oifname "weft0" accept;'), []],
  ['one direction is accepted', forward('iifname "weft0" accept;'), [`ip filter FORWARD: ${BACK4}`]],
  ['links that begin like ours', forward('iifname "weft*" accept;'), []],
  ['another link is accepted', forward('iifname "docker0" accept;'), [`ip filter FORWARD: ${OUT4}`]],
  ['links that may be the uplink', forward('oifname "eth0" accept; iifname { "eth0", "eth1" } accept;'), []],
  ['the range is accepted', forward('ip saddr 10.0.0.0/8 accept; ip daddr 10.128.0.0/14 accept;'), []],
  ['part of the range', forward('ip saddr 10.128.0.0/24 accept; ip daddr 10.128.0.0/24 accept;'), []],
  ['a range that may be outside', forward('ip saddr 192.168.0.0/16 accept; ip daddr 192.168.0.0/16 accept;'), []],
  ['another network of pods', forward('ip saddr 172.16.0.0/12 accept;'), [`ip filter FORWARD: ${OUT4}`]],
  ['a rule', forward('iifname "weft0" reject;', 'accept'), [`ip filter FORWARD by FORWARD: ${OUT4}`]],
  ['a rule for others', forward('iifname != "weft0" oifname != "weft0" drop;', 'accept'), []],
  ['a rule for some', forward('ip saddr 10.128.0.5 drop; tcp dport 25 drop;', 'accept'), []],
  [
    'a rule of IPv6 in a table of both',
    forward('meta nfproto ipv6 drop;', 'accept', 'inet'),
    [OUT6, BACK6].map((one) => `inet filter FORWARD by FORWARD: ${one}`),
  ],
  [
    'an address of IPv6 says nothing of IPv4',
    forward('ip6 saddr ::/0 drop;', 'accept', 'inet'),
    [OUT6, BACK6].map((one) => `inet filter FORWARD by FORWARD: ${one}`),
  ],
  [
    'a set that we do not see',
    `table ip filter { set s { type ipv4_addr; } chain FORWARD { type filter hook forward priority 0; policy drop; ip saddr @s accept; ip daddr @s accept; } }`,
    [],
  ],
  ['a map of verdicts', forward('ip saddr vmap { 10.0.0.1 : drop };', 'drop'), []],
  ['a limit', forward('limit rate 10/second accept;'), []],
  [
    'a chain that accepts',
    `table ip filter { chain own { iifname "weft0" accept; oifname "weft0" accept; } ${forward('jump own;').slice('table ip filter {'.length)}`,
    [],
  ],
  [
    'a chain that drops',
    `table ip filter { chain own { return; } chain other { drop; } ${forward('jump own; jump other;', 'accept').slice('table ip filter {'.length)}`,
    [`ip filter FORWARD by other: ${OUT4}`, `ip filter FORWARD by other: ${BACK4}`],
  ],
  [
    'a chain that is left for good',
    `table ip filter { chain own { return; } ${forward('goto own; accept;').slice('table ip filter {'.length)}`,
    [`ip filter FORWARD: ${OUT4}`, `ip filter FORWARD: ${BACK4}`],
  ],
  ['our own table', `table inet weft { chain forward { type filter hook forward priority 0; policy drop; } }`, []],
  ['a closed input', input(''), [NODE4, NODE6, TUNNEL].map((one) => `inet host in: ${one}`)],
  [
    'a closed input with a port',
    input('tcp dport 22 accept; ct state established accept;'),
    [`inet host in: ${TUNNEL}`],
  ],
  ['a closed input with the tunnel', input('udp dport 4789 accept; iifname "weft0" accept;'), []],
  [
    'a tunnel port that is dropped',
    input('udp dport { 4789, 8472 } drop;', 'accept'),
    [`inet host in by in: ${TUNNEL}`],
  ],
] as const)('%s', (_, ruleset, expected) => {
  expect(drops(ruleset)).toEqual([...expected])
})

test('a drop in words says where and why', () => {
  const traffic = neededTraffic(SAMPLE_CLUSTER, [4], 'weft0')
  const words = (ruleset: string) => dropsInWords(foreignDrops(traffic, chainsOf(ruleset), () => false))
  expect(words(forward(''))).toEqual([
    `ip filter FORWARD (hook forward) drops ${OUT4}, ${BACK4}: its policy is drop and no rule accepts that`,
  ])
  expect(words(forward('drop;', 'accept'))).toEqual([
    expect.stringMatching(/drops what pods .* outside, answers .*: rule \d+ of FORWARD$/),
  ])
})

test('chains that jump in a circle, and nonsense, end', () => {
  const circle = {
    nftables: [
      { chain: { family: 'ip', table: 'filter', name: 'FORWARD', type: 'filter', hook: 'forward', policy: 'drop' } },
      { rule: { family: 'ip', table: 'filter', chain: 'FORWARD', handle: 1, expr: [{ jump: { target: 'FORWARD' } }] } },
    ],
  }
  expect(
    foreignDrops([{ title: 'x', of: 'pods', hook: 'forward', family: 4 }], decodeRuleset(circle), () => false),
  ).toEqual([])
  const keyed = fc.dictionary(
    fc.constantFrom('rule', 'chain', 'expr', 'match', 'left', 'right', 'set', 'xt'),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.record({ nftables: fc.array(keyed) })), (json) => {
      const chains = decodeRuleset(json)
      foreignDrops([{ title: 'x', of: 'pods', hook: 'forward', family: 4 }], chains, () => false)
      acceptanceScript([], chains)
    }),
  )
})
