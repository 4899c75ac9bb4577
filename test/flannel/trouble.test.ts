/**
 * What others write into etcd, and what becomes of etcd: the last good state stays, log and exit code say why.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '../kube/process.ts'
import { inside, longObstacle, MASTER, PATIENCE, PREFIX, Rig } from './rig.ts'

const reason = longObstacle()

describe.skipIf(reason !== undefined)(`flannel in trouble${reason ? ` (${reason})` : ''}`, () => {
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  const put = (key: string, value: string) => rig.etcdctl(3, 'put', `${PREFIX}/${key}`, value)
  const remove = (key: string) => rig.etcdctl(3, 'del', `${PREFIX}/${key}`)
  const routes = () => inside(one.namespace, 'ip', 'route', 'show', 'proto', '77')
  beforeAll(() => rig.up(), PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'a configuration that cannot be followed is waited out, and the log says which value would be right',
    async () => {
      await put('config', '{"Network": "10.1.0.0/16", "SubnetMin": "10.1.9.7"')
      one.start()
      two.start()
      const says = (text: string) => eventually(async () => expect(one.log).toContain(text), PATIENCE)
      await says('the network configuration is no JSON')
      await put('config', '{"Network": "10.1.0.0/16", "SubnetMin": "10.1.9.7"}')
      await says('write 10.1.9.0')
      await put('config', '{"Network": "10.1.0.0/16", "Backend": {"Type": "ipip"}}')
      await says('IP in IP is not made here yet')
      await put('config', '{"Network": "10.1.0.0/16", "Backend": {"Type": "vxlan"}}')
      await rig.dockAll()
      await rig.expectMesh()
    },
    3 * PATIENCE,
  )

  test(
    'leases that are twice there, overlap, or make no sense change nothing for the others',
    async () => {
      const before = await routes()
      const own = await one.subnet()
      const other = await two.subnet()
      const wrong = new Map([
        [`${own.replace('.0/24', '.128-25')}`, lease('192.0.2.66')],
        [`${other.replace('.0/24', '.0-25')}`, lease('192.0.2.67')],
        ['172.16.0.0-24', lease('192.0.2.68')],
        ['10.1.250.0-24', lease('10.1.250.1')],
        ['10.1.251.0-24', '{"PublicIP": "x"'],
        ['nonsense', lease('192.0.2.69')],
      ])
      for (const [key, value] of wrong) await put(`subnets/${key}`, value)
      for (const [key] of wrong) {
        await eventually(async () => expect(one.log).toContain(key.replace('-', '/').slice(0, 9)), PATIENCE)
      }
      await eventually(async () => expect(one.log).toContain('tells of no lease'), PATIENCE)
      expect(one.log).toContain(`it overlaps ${own}, which is somebody else's`)
      expect(await routes()).toBe(before)
      await rig.expectMesh()
      for (const [key] of wrong) await remove(`subnets/${key}`)
      await eventually(async () => expect(one.log).toContain('nothing is in the way any more'), PATIENCE)
      expect(await routes()).toBe(before)
    },
    3 * PATIENCE,
  )

  test(
    'a lease that comes and goes all the time ends as it was written last',
    async () => {
      const before = await routes()
      for (let round = 0; round < 15; round += 1) {
        await put('subnets/10.1.240.0-24', lease(`192.0.2.${100 + round}`))
        await remove('subnets/10.1.240.0-24')
      }
      await put('subnets/10.1.240.0-24', lease('192.0.2.120'))
      await eventually(async () => {
        expect(await routes()).toContain('10.1.240.0/24')
        expect(await inside(one.namespace, 'bridge', 'fdb', 'show', 'dev', 'flannel.1')).toMatch(/dst 192\.0\.2\.120 /)
      }, PATIENCE)
      await remove('subnets/10.1.240.0-24')
      await eventually(async () => expect(await routes()).toBe(before), PATIENCE)
    },
    3 * PATIENCE,
  )

  test(
    'etcd is gone, and has forgotten what happened when it comes back: leases are listed anew',
    async () => {
      await put('subnets/10.1.241.0-24', lease('192.0.2.130'))
      await eventually(async () => expect(await routes()).toContain('10.1.241.0/24'), PATIENCE)
      const cut = (state: 'up' | 'down') => inside(rig.wire, 'ip', 'link', 'set', 'host1', state)
      await cut('down')
      await rig.stopEtcd()
      await rig.startEtcd()
      await remove('subnets/10.1.241.0-24')
      await put('subnets/10.1.242.0-24', lease('192.0.2.131'))
      const { header } = JSON.parse(await rig.etcdctl(3, 'get', '--write-out=json', `${PREFIX}/config`))
      await rig.etcdctl(3, 'compact', '--physical', String(header.revision))
      await cut('up')
      await eventually(async () => {
        const now = await routes()
        expect(now).toContain('10.1.242.0/24')
        expect(now).not.toContain('10.1.241.0/24')
      }, PATIENCE)
      await rig.expectMesh()
      await remove('subnets/10.1.242.0-24')
    },
    3 * PATIENCE,
  )

  test(
    'a reservation goes before the lease that a machine has, is taken over as it is, and stays one',
    async () => {
      await two.stop()
      await put('subnets/10.1.7.0-24', lease(two.address))
      two.start()
      await eventually(async () => expect(await two.subnet()).toBe('10.1.7.0/24'), PATIENCE)
      const { kvs } = JSON.parse(await rig.etcdctl(3, 'get', '--write-out=json', `${PREFIX}/subnets/10.1.7.0-24`))
      expect(kvs).toHaveLength(1)
      // Written by the machine, and without an end.
      expect(kvs[0].version).toBe(2)
      expect(kvs[0].lease ?? 0).toBe(0)
      await two.dock()
      await rig.expectMesh()
    },
    3 * PATIENCE,
  )

  test(
    'whose lease is given to another machine ends with 1; started again it takes another one',
    async () => {
      const lost = await two.subnet()
      await put(`subnets/${lost.replace('/', '-')}`, lease('192.0.2.140'))
      expect(await two.ended()).toBe(1)
      expect(two.log).toContain('lease revoked')
      two.start()
      await eventually(async () => expect(await two.subnet()).not.toBe(lost), PATIENCE)
      await two.dock()
      await rig.expectMesh()
    },
    3 * PATIENCE,
  )

  test(
    'where every subnet is taken or reserved it ends with 1',
    async () => {
      const network = '{"Network": "10.9.0.0/24", "SubnetLen": 26, "SubnetMin": "10.9.0.64", "SubnetMax": "10.9.0.64"}'
      await rig.etcdctl(3, 'put', '/full/config', network)
      // Half of it is enough: reservations of any length are in the way.
      await rig.etcdctl(3, 'put', '/full/subnets/10.9.0.64-27', lease('192.0.2.150'))
      await two.stop()
      two.run('flanneld', [
        `--etcd-endpoints=http://${MASTER}:2379`,
        '--etcd-prefix=/full',
        '--iface=eth0',
        `--subnet-file=${two.folder}/full/subnet.env`,
      ])
      expect(await two.ended()).toBe(1)
      expect(two.log).toContain('out of subnets')
    },
    PATIENCE,
  )
})

function lease(publicIp: string): string {
  const end = Number(publicIp.split('.')[3])
  const mac = `c6:d2:32:6f:8f:${end.toString(16).padStart(2, '0')}`
  return JSON.stringify({
    PublicIP: publicIp,
    PublicIPv6: null,
    BackendType: 'vxlan',
    BackendData: { VNI: 1, VtepMAC: mac },
  })
}
