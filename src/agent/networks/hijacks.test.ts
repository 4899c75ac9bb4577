import { expect, test } from 'bun:test'
import type { JsonObject } from '../../cni/index.ts'
import { cidr } from '../../network/model/address.ts'
import type { Coordinator } from '../../network/model/definition.ts'
import type { Grants, Origin } from '../../network/model/grants.ts'
import { formatIpRange, type IpRange, parseIpRange } from '../../network/model/ip-range.ts'
import { COORDINATOR } from '../plugins/coordinator/testing/rig.ts'
import { Hijacks } from './hijacks.ts'
import type { NetworkRecord } from './record.ts'

const GRANTS: Grants = { trustedNamespaces: new Set(['weft-system']), types: new Set(['coordinator']), bridges: [] }
const EARLIER = [parseIpRange('198.51.100.1-198.51.100.9')].filter((range) => range !== undefined)

class World {
  coordinator: Coordinator | undefined | false
  records: readonly NetworkRecord[] = []
  changes = 0
  readonly hijacks = new Hijacks(
    { coordinator: () => this.coordinator, records: () => this.records, grants: GRANTS },
    async () => EARLIER,
    () => {
      this.changes += 1
    },
  )

  async ranges(): Promise<readonly string[]> {
    return (await this.hijacks.ranges()).map((range: IpRange) => formatIpRange(range))
  }
}

test.each<[string, Origin, JsonObject, readonly string[]]>([
  [
    'a definition of a trusted namespace',
    definition('weft-system'),
    { hijackCIDR: ['10.9.0.0/16'] },
    ['10.9.0.0-10.9.255.255'],
  ],
  [
    'a file of the node',
    { kind: 'node' },
    { hijackCIDR: ['fd00:9::/64'], overlayPodCIDR: ['10.8.0.1'] },
    ['10.8.0.1', 'fd00:9::-fd00:9::ffff:ffff:ffff:ffff'],
  ],
  ['a tenant’s definition', definition('shop'), { hijackCIDR: ['10.9.0.0/16'] }, []],
  ['who calls the plugin', { kind: 'caller' }, { hijackCIDR: ['10.9.0.0/16'] }, []],
  ['services, which are translated', { kind: 'node' }, { serviceCIDR: ['10.9.0.0/16'] }, []],
  ['what no ADD understands', { kind: 'node' }, { hijackCIDR: ['10.9.0.0/16', 'x'] }, []],
  ['another plugin’s words', { kind: 'node' }, { type: 'bridge', hijackCIDR: ['10.9.0.0/16'] }, []],
])('counted of pods here: %s', async (_, origin, config, expected) => {
  const w = new World()
  w.records = [recordOf(origin, { type: 'coordinator', ...config })]
  w.coordinator = undefined
  w.hijacks.look()
  expect(await w.ranges()).toEqual(expected)
})

test('the SpiderCoordinator’s hijackCIDR counts, and pods of another’s overlay as long as it knows them', async () => {
  const w = new World()
  w.coordinator = { ...COORDINATOR, hijack: [cidr('10.9.0.0/16')] }
  w.hijacks.look()
  const overlay = ['10.233.64.0-10.233.127.255', 'fd00:233:64::-fd00:233:64:0:ffff:ffff:ffff:ffff']
  expect(await w.ranges()).toEqual([overlay[0] ?? '', '10.9.0.0-10.9.255.255', overlay[1] ?? ''])
  w.coordinator = { ...w.coordinator, status: { phase: 'NotReady', reason: 'x' } }
  w.hijacks.look()
  expect(await w.ranges()).toEqual(['10.9.0.0-10.9.255.255'])
})

test('what an earlier agent had counts until it is known better; whoever applies it hears of changes alone', async () => {
  const w = new World()
  w.coordinator = false
  w.hijacks.look()
  const before = await w.hijacks.ranges()
  expect([before, w.changes]).toEqual([EARLIER, 0])
  expect(await w.hijacks.ranges()).toBe(before)
  w.coordinator = undefined
  w.hijacks.look()
  expect([await w.ranges(), w.changes]).toEqual([[], 1])
  const known = await w.hijacks.ranges()
  w.records = [recordOf(definition('shop'), { type: 'coordinator', hijackCIDR: ['10.9.0.0/16'] })]
  w.hijacks.look()
  expect(await w.hijacks.ranges()).toBe(known)
  expect(w.changes).toBe(1)
})

function definition(namespace: string): Origin {
  return { kind: 'definition', namespace, name: 'wire' }
}

function recordOf(origin: Origin, plugin: JsonObject): NetworkRecord {
  const one = { ifname: 'eth0', ordinal: 0, origin, network: 'wire', version: '1.0.0', args: '' } as const
  const call = { containerId: 'c', ifname: 'eth0', program: 'weft', network: 'weft', netns: '/run/netns/c', path: [] }
  return { ...call, attached: [{ ...one, plugins: [plugin] }] }
}
