/**
 * host-gw, the way around the tunnel for machines on one segment, both families, and machines on another segment.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '../kube/process.ts'
import { inVxlan, packet6, whoReaches } from './forged.ts'
import { attempt, type Host, inside, longObstacle, PATIENCE, PREFIX, Rig } from './rig.ts'
import { expectStream } from './tcp.ts'

const reason = longObstacle()

describe.skipIf(reason !== undefined)(`flannel's other ways${reason === undefined ? '' : ` (${reason})`}`, () => {
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  beforeAll(async () => {
    await rig.up()
    // A router to another segment, which nobody answers behind.
    for (const { namespace } of rig.hosts) {
      await inside(namespace, 'ip', 'route', 'add', '198.51.100.0/24', 'via', '192.0.2.254')
    }
    await rig.configure(3, '{"Network": "10.1.0.0/16", "Backend": {"Type": "host-gw"}}')
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'host-gw: routes by the other machine, pods’ packets as large as the machine’s',
    async () => {
      const unreached = '{"PublicIP":"198.51.100.7","PublicIPv6":null,"BackendType":"host-gw"}'
      await rig.etcdctl(3, 'put', `${PREFIX}/subnets/10.1.250.0-24`, unreached)
      for (const host of rig.hosts) host.start('--ip-masq')
      await rig.dockAll()
      await rig.expectMesh()
      expect(await routes(one)).toBe(`${await two.subnet()} via 192.0.2.2 dev eth0`)
      await inside(one.pod, 'ping', '-c1', '-W5', '-M', 'do', '-s', '1472', await two.podAddress)
      await expectStream(one, two)
      await eventually(async () => expect(one.log).toContain('10.1.250.0/24 is not reached'), PATIENCE)
      // An address of its own on either side, and the machines' links as they were.
      expect((await attempt(one.namespace, 'ip', 'link', 'show', 'flannel.1')).code).not.toBe(0)
    },
    3 * PATIENCE,
  )

  test(
    'what somebody removes is put back',
    async () => {
      await inside(one.namespace, 'ip', 'route', 'flush', 'proto', '77')
      await eventually(async () => expect(await routes(one)).toContain('via 192.0.2.2 dev eth0'), PATIENCE)
      // Links take routes with them when they go down.
      await inside(one.namespace, 'ip', 'link', 'set', 'eth0', 'down')
      await inside(one.namespace, 'ip', 'link', 'set', 'eth0', 'up')
      await rig.expectMesh()
    },
    3 * PATIENCE,
  )

  test(
    'with --public-ip of another link host-gw refuses to start, and ends with 2',
    async () => {
      await two.stop()
      two.start('--public-ip=192.0.2.99')
      expect(await two.ended()).toBe(2)
      expect(two.log).toContain('192.0.2.99 is none of eth0')
    },
    PATIENCE,
  )

  test(
    'vxlan with DirectRouting: by a route on one segment, by the tunnel to another',
    async () => {
      await one.stop()
      const backend = '{"Type": "vxlan", "DirectRouting": true}'
      await rig.etcdctl(3, 'put', `${PREFIX}/config`, `{"Network": "10.1.0.0/16", "Backend": ${backend}}`)
      const far = '{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}'
      const lease = `{"PublicIP":"198.51.100.7","PublicIPv6":null,"BackendType":"vxlan","BackendData":${far}}`
      await rig.etcdctl(3, 'put', `${PREFIX}/subnets/10.1.250.0-24`, lease)
      for (const host of rig.hosts) host.start('--ip-masq')
      await eventually(async () => {
        const now = await routes(one)
        expect(now).toContain(`${await two.subnet()} via 192.0.2.2 dev eth0`)
        expect(now).toContain('10.1.250.0/24 via 10.1.250.0 dev flannel.1 onlink')
      }, PATIENCE)
      await rig.dockAll()
      await rig.expectMesh()
    },
    3 * PATIENCE,
  )

  test(
    'both families by VXLAN of their own, with the largest packet of either',
    async () => {
      for (const host of rig.hosts) await host.stop()
      await rig.etcdctl(3, 'del', '--prefix', `${PREFIX}/subnets/`)
      const config = {
        Network: '10.1.0.0/16',
        EnableIPv6: true,
        IPv6Network: 'fd00:10::/48',
        Backend: { Type: 'vxlan' },
      }
      await rig.etcdctl(3, 'put', `${PREFIX}/config`, JSON.stringify(config))
      for (const host of rig.hosts) host.start('--ip-masq')
      await eventually(async () => expect(one.log).toContain('no IPv6 address that others reach'), PATIENCE)
      for (const { namespace, index } of rig.hosts) {
        await inside(namespace, 'ip', 'address', 'add', `2001:db8::${index}/64`, 'dev', 'eth0', 'nodad')
      }
      await eventually(async () => expect((await one.env()).get('FLANNEL_MTU')).toBe('1430'), PATIENCE)
      await eventually(async () => expect((await two.env()).get('FLANNEL_IPV6_SUBNET')).toBeDefined(), PATIENCE)
      await rig.dockAll()
      await rig.expectMesh()
      for (const host of rig.hosts) await dock6(host)
      await eventually(
        async () => inside(one.pod, 'ping', '-c1', '-W1', '-M', 'do', '-s', '1382', await pod6(two)),
        PATIENCE,
      )
      expect(await inside(one.namespace, 'ip', '-6', 'route', 'show', 'proto', '77')).toContain('dev flannel-v6.1')
    },
    3 * PATIENCE,
  )

  test(
    'over IPv6, too, nobody but the machines puts frames into the tunnel, and pods come by their link alone',
    async () => {
      const [link] = JSON.parse(await inside(one.namespace, 'ip', '-j', 'link', 'show', 'flannel-v6.1'))
      const [from, to] = [await pod6(two), await pod6(one)]
      await inside(rig.wire, 'ip', 'address', 'add', '2001:db8::fe/64', 'dev', 'wire', 'nodad')
      const to1 = {
        to: '2001:db8::1',
        datagram: (payload: Buffer) => inVxlan(packet6(from, to, payload), 1, link.address),
      }
      expect(
        await whoReaches(one, 8472, [
          { name: 'the segment', namespace: rig.wire, source: '2001:db8::fe', ...to1 },
          { name: 'a pod', namespace: two.pod, source: from, ...to1 },
          { name: 'a machine', namespace: two.namespace, source: '2001:db8::2', ...to1 },
        ]),
      ).toEqual(['a machine'])
      const forged = from.replace(/2$/, '9')
      await inside(rig.wire, 'ip', 'address', 'add', `${forged}/128`, 'dev', 'lo', 'nodad')
      await inside(rig.wire, 'ip', 'route', 'add', `${to}/128`, 'via', '2001:db8::1')
      const dropped = async () =>
        /ip6 saddr fd00:10::\/48 fib .* counter packets (\d+)/.exec(
          await inside(one.namespace, 'nft', 'list', 'table', 'inet', 'weft-flannel'),
        )?.[1]
      const before = await dropped()
      expect((await attempt(rig.wire, 'ping', '-c1', '-W1', '-I', forged, to)).code).not.toBe(0)
      expect(Number(await dropped())).toBe(Number(before) + 1)
    },
    3 * PATIENCE,
  )

  const routes = async (host: Host) => (await inside(host.namespace, 'ip', 'route', 'show', 'proto', '77')).trim()
})

const subnet6 = async (host: Host) => (await host.env()).get('FLANNEL_IPV6_SUBNET') ?? ''
const pod6 = async (host: Host) => (await subnet6(host)).replace(/1\/64$/, '2')

/** Gives bridge and pod their IPv6 addresses. */
async function dock6(host: Host): Promise<void> {
  const gateway = await subnet6(host)
  await inside(host.namespace, 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1')
  await inside(host.namespace, 'ip', 'address', 'add', gateway, 'dev', 'docker0', 'nodad')
  await inside(host.pod, 'ip', 'address', 'add', `${await pod6(host)}/64`, 'dev', 'eth0', 'nodad')
  await inside(host.pod, 'ip', 'route', 'replace', 'default', 'via', gateway.replace(/\/.*/, ''))
}
