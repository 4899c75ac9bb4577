/**
 * The mesh by its other ways: tunnels of every kind, routes over the machines' own addresses, and both side by side.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { closeFd, netnsOpen } from '../../src/linux/index.ts'
import type { MeshStatus } from '../../src/mesh/status.ts'
import { eventually } from '../kube/process.ts'
import { capture } from '../lab/capture.ts'
import { obstacle, PATIENCE, Rig } from './rig.ts'

const reason = process.env['WEFT_TEST_LONG'] === undefined ? 'npm run test:long' : obstacle()
const title = (name: string): string => (reason === undefined ? name : `${name} (${reason})`)
const isUp = ({ peers }: MeshStatus): boolean => peers.length === 2 && peers.every(({ state }) => state === 'up')
const upAll = (rig: Rig): Promise<unknown> => Promise.all(rig.hosts.map((host) => host.whenStatus('up', isUp)))

describe.skipIf(reason !== undefined).each([
  [['way: gre', 'key: 77'], 4, 'gre', 1458],
  [['way: vxlan'], 4, 'vxlan', 1450],
  [['way: geneve', 'key: 77', 'port: 6082'], 4, 'geneve', 1450],
  [['way: gre'], 6, 'gre', 1442],
  [['way: vxlan'], 6, 'vxlan', 1430],
] as const)(title('%j over IPv%d'), (lines, underlay, way, mtu) => {
  const rig = new Rig(3, { underlay })
  beforeAll(async () => {
    await rig.up()
    rig.write(rig.hosts, ...lines)
    for (const host of rig.hosts) host.up('--config', rig.list)
    await upAll(rig)
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'everybody reaches everybody, once, up to the largest packet',
    async () => {
      await rig.expectMesh()
      const [one, two] = [rig.host(1), rig.host(2)]
      expect((await one.status()).peers.map((peer) => [peer.way, peer.mtu])).toEqual([
        [way, mtu],
        [way, mtu],
      ])
      expect(await rig.copies(one, '172.17.41.99')).toEqual([0, 1, 1])
      await one.within('ping', '-c1', '-W2', '-M', 'do', '-s', String(mtu - 28), two.inner)
      await expect(one.within('ping', '-c1', '-W2', '-M', 'do', '-s', String(mtu - 27), two.inner)).rejects.toThrow(
        'mtu',
      )
    },
    PATIENCE,
  )
})

describe.skipIf(reason !== undefined)(title('routes without tunnels'), () => {
  const rig = new Rig(4, { ovs: false, apart: [4] })
  const near = rig.hosts.slice(0, 3)
  let before = ''
  beforeAll(async () => {
    await rig.up()
    for (const host of rig.hosts) {
      // As Docker has it.
      const rules = [
        ['-t', 'nat', '-A', 'POSTROUTING', '-s', host.subnet, '!', '-o', 'docker0', '-j', 'MASQUERADE'],
        ['-P', 'FORWARD', 'DROP'],
        ['-A', 'FORWARD', '-i', 'docker0', '-j', 'ACCEPT'],
        ['-A', 'FORWARD', '-o', 'docker0', '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', '-j', 'ACCEPT'],
      ]
      for (const rule of rules) await host.on('iptables', ...rule)
    }
    before = await rig.host(1).picture()
    rig.write(near, 'way: direct')
    for (const host of near) host.up('--config', rig.list)
    await Promise.all(near.map((host) => host.whenStatus('up', isUp)))
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'everybody reaches everybody on the segment, each by its own address',
    async () => {
      await rig.expectMesh(near)
      const [one, two] = [rig.host(1), rig.host(2)]
      const fd = netnsOpen(two.container)
      const seen = capture(fd)
      const sources = (): readonly string[] =>
        seen.frames.filter((frame) => frame[12] === 8 && frame[13] === 0).map((frame) => frame.slice(26, 30).join('.'))
      try {
        await one.within('ping', '-c1', '-W2', two.inner)
        await eventually(async () => expect(sources()).not.toEqual([]), PATIENCE)
      } finally {
        seen.close()
        closeFd(fd)
      }
      expect(sources()).toEqual([one.inner])
      expect(await one.on('ip', 'route', 'show', two.subnet)).toContain(`via ${two.address} dev eth0 proto 77`)
    },
    PATIENCE,
  )

  test(
    'who is not on the segment is refused, and the others go on',
    async () => {
      rig.write(rig.hosts, 'way: direct')
      const { problems } = await rig.host(1).whenStatus('told', ({ peers }) => peers.length === 3)
      expect(problems).toEqual(['node4 (198.51.100.4) is on another segment, behind 192.0.2.254'])
      expect((await rig.host(1).weft('status')).code).toBe(1)
      await rig.expectMesh(near)
      rig.write(near, 'way: direct')
      await rig.host(1).whenStatus('up', isUp)
    },
    PATIENCE,
  )

  test(
    'who is silent is missed',
    async () => {
      await rig.cable(rig.host(3), 'down')
      await rig
        .host(1)
        .whenStatus('missed', ({ peers }) => peers.some(({ name, state }) => name === 'node3' && state === 'silent'))
      await rig.cable(rig.host(3), 'up')
      await rig.host(1).whenStatus('up', isUp)
    },
    PATIENCE,
  )

  test(
    'down leaves nothing',
    async () => {
      await rig.host(1).stop()
      expect((await rig.host(1).weft('down')).code).toBe(0)
      expect(await rig.host(1).picture()).toBe(before)
    },
    PATIENCE,
  )
})

describe.skipIf(reason !== undefined)(title('routes on a segment, tunnels across'), () => {
  const rig = new Rig(3, { apart: [3] })
  beforeAll(async () => {
    await rig.up()
    rig.write(rig.hosts, 'way: direct', 'otherwise: vxlan', 'network: 172.17.0.0/16')
    for (const host of rig.hosts) host.up('--config', rig.list)
    await upAll(rig)
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'each pair goes its way',
    async () => {
      await rig.expectMesh()
      const ways = await Promise.all(rig.hosts.map(async (host) => (await host.status()).peers.map(({ way }) => way)))
      expect(ways).toEqual([
        ['direct', 'vxlan'],
        ['direct', 'vxlan'],
        ['vxlan', 'vxlan'],
      ])
      expect(await rig.copies(rig.host(1), '172.17.99.99')).toEqual([0, 1, 1])
    },
    PATIENCE,
  )

  test(
    'the way is changed live',
    async () => {
      rig.write(rig.hosts, 'way: gre', 'network: 172.17.0.0/16')
      await Promise.all(
        rig.hosts.map((host) =>
          host.whenStatus('gre', (status) => isUp(status) && status.peers.every(({ way }) => way === 'gre')),
        ),
      )
      await rig.expectMesh()
      expect(await rig.host(1).ovs?.vsctl('list-ports', 'br0')).toBe('gre-c0000202\ngre-c6336403')
    },
    PATIENCE,
  )
})
