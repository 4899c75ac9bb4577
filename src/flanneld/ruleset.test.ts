import { describe, expect, test } from 'bun:test'
import { closeSync } from 'node:fs'
import { applyRuleset, listRuleset, netnsAdd, netnsDel } from '../linux/index.ts'
import { cidr } from '../network/model/address.ts'
import { FLANNEL_TABLE, flannelRuleset, type Guard, NO_RULESET } from './ruleset.ts'

const NETWORKS = [cidr('10.1.0.0/16'), cidr('fd00:10::/48')]
const MACHINES = ['192.0.2.2/32', '192.0.2.3/32', '192.0.2.0/28', '2001:db8::2/128'].map((text) => cidr(text))
const guard = (more: Partial<Guard>): Guard => ({ networks: NETWORKS, uplink: 1, machines: MACHINES, ...more })
const GUARD = ['arriving', 'to_tunnel', 'to_others_tunnels']
const masquerade = { networks: NETWORKS, subnets: [cidr('10.1.7.0/24'), cidr('fd00:10:0:7::/64')], fullyRandom: true }

describe.skipIf(process.getuid?.() !== 0)('our table', () => {
  test.each<[string, Parameters<typeof flannelRuleset>[0], readonly string[]]>([
    ['of a VXLAN mesh', { masquerade, guard: guard({ tunnel: { port: 8472, vni: 1 } }) }, [...GUARD, 'leave']],
    [
      'of udp, with nobody else there',
      { masquerade, guard: guard({ tunnel: { port: 8285 }, machines: [] }) },
      [...GUARD, 'leave'],
    ],
    ['without a tunnel', { masquerade: undefined, guard: guard({}) }, ['arriving']],
    ['of IPv6 alone', { masquerade: undefined, guard: guard({ networks: NETWORKS.slice(1) }) }, ['arriving']],
    ['that translates alone', { masquerade, guard: undefined }, ['leave']],
  ])('%s is one that the kernel takes, twice', async (_, wish, chains) => {
    const netns = `wefttest-flanneld-${process.pid}`
    closeSync(netnsAdd(netns))
    try {
      const list = () => listRuleset({ netns, table: `inet ${FLANNEL_TABLE}`, elements: true })
      for (const _time of [1, 2]) await applyRuleset(flannelRuleset(wish), { netns })
      const { nftables } = (await list()) as {
        readonly nftables: readonly { readonly chain?: { readonly name: string } }[]
      }
      expect(nftables.flatMap(({ chain }) => chain?.name ?? [])).toEqual([...chains])
      await applyRuleset(NO_RULESET, { netns })
      await expect(list()).rejects.toThrow('No such file')
    } finally {
      netnsDel(netns)
    }
  })

  test('nothing wanted is no table', () => {
    expect(flannelRuleset({ masquerade: undefined, guard: undefined })).toBe(NO_RULESET)
  })
})
