/**
 * A GRE mesh of machines with Docker, in namespaces, with Open vSwitch in user space: every container reaches every other one, what is for
 * all comes once, and whoever goes is missed by the others within seconds.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Host, obstacle, PATIENCE, Rig } from './rig.ts'

const reason = obstacle()
if (reason !== undefined) console.warn(reason)
const rig = new Rig(6)
/** The sixth comes later. */
const five = rig.hosts.slice(0, 5)
const newcomer = rig.host(6)
let before = ''

const isUp = ({ peers }: { readonly peers: readonly { readonly state: string }[] }): boolean =>
  peers.every(({ state }) => state === 'up')
const allUp = (hosts: readonly Host[], peers: number): Promise<unknown> =>
  Promise.all(hosts.map((host) => host.whenStatus('up', (status) => status.peers.length === peers && isUp(status))))
const portsOf = async ({ ovs }: Host): Promise<readonly string[]> =>
  (await ovs?.vsctl('--bare', '--columns=_uuid,name', 'find', 'Interface', 'external_ids:weft-owner=weft-mesh'))
    ?.split('\n\n')
    .sort() ?? []

describe.skipIf(reason !== undefined)('a GRE mesh of five machines', () => {
  beforeAll(async () => {
    await rig.up()
    before = await rig.host(1).picture()
    rig.write(five, 'way: gre', 'network: 172.17.0.0/16')
    for (const host of five) host.up('--config', rig.list)
    await allUp(five, 4)
    await rig.expectMesh(five)
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'an address that nobody has is asked for once at each container',
    async () => {
      expect(await rig.copies(rig.host(1), '172.17.99.99', five)).toEqual([0, 1, 1, 1, 1])
      expect(await rig.copies(rig.host(4), '172.17.99.98', five)).toEqual([1, 1, 1, 0, 1])
    },
    PATIENCE,
  )

  test(
    'machines reach each other’s docker0, as in the document that it is from',
    async () => {
      await rig.host(1).on('ping', '-c1', '-W2', rig.host(2).gateway)
      await rig.host(2).on('ping', '-c1', '-W2', rig.host(1).gateway)
      expect(await rig.host(1).on('ip', 'route', 'show', '172.17.0.0/16')).toContain('dev docker0 proto 77')
    },
    PATIENCE,
  )

  test(
    'the largest packet passes, and who sends a larger one is told',
    async () => {
      const [from, to] = [rig.host(2), rig.host(3)]
      // As containers of a machine that does not forward: they would follow a redirect.
      await from.within('sysctl', '-qw', 'net.ipv4.ip_forward=0')
      await from.within('ping', '-c1', '-W2', '-M', 'do', '-s', '1434', to.inner)
      await expect(from.within('ping', '-c1', '-W2', '-M', 'do', '-s', '1435', to.inner)).rejects.toThrow(
        /mtu ?= ?1462/,
      )
      await from.within('ping', '-c1', '-W2', '-s', '4000', to.inner)
    },
    PATIENCE,
  )

  test('a container cannot send tunnel packets to a machine', async () => {
    const drop = await rig.host(1).on('nft', 'list', 'table', 'inet', 'weft-mesh')
    expect(drop).toContain('iifname "docker0" ip daddr { 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5 }')
  })

  test(
    'a machine without its cable is missed by the others, who go on',
    async () => {
      const [gone, ...others] = [rig.host(5), ...five.slice(0, 4)]
      await rig.cable(gone, 'down')
      await Promise.all(
        others.map((host) =>
          host.whenStatus('down', ({ peers }) =>
            peers.some(({ name, state }) => name === gone.name && state === 'down'),
          ),
        ),
      )
      for (const host of others) {
        const { peers } = await host.status()
        expect(peers.filter(({ state }) => state === 'up').map(({ name }) => name)).toEqual(
          others.filter((other) => other !== host).map(({ name }) => name),
        )
      }
      await rig.expectMesh(others)
      const { code, stdout } = await rig.host(1).weft('status')
      expect(code).toBe(1)
      expect(stdout).toMatch(/node5 +192\.0\.2\.5 +172\.17\.45\.0\/24 +gre +down +1462 +\d+ seconds? ago/)
      const overview = await rig.host(1).overview()
      expect([overview.code, overview.stdout]).toEqual([
        1,
        '! mesh of Docker hosts: node1 and 4 other machines, 3 up → weft mesh status\n',
      ])
      await rig.cable(gone, 'up')
      await allUp(five, 4)
      const { code: whole, stdout: json } = await rig.host(1).overview('--json')
      expect(whole).toBe(0)
      expect(JSON.parse(json)).toMatchObject({ ready: true, nodes: [], mesh: { host: 'node1', peers: 4, up: 4 } })
    },
    PATIENCE,
  )

  test(
    'a machine comes and one goes, and nobody else’s port is touched',
    async () => {
      const first = rig.host(1)
      const ports = await portsOf(first)
      rig.write([...five, newcomer], 'way: gre', 'network: 172.17.0.0/16')
      newcomer.up('--config', rig.list)
      await allUp(rig.hosts, 5)
      await rig.expectMesh([first, newcomer])
      expect(await portsOf(first)).toEqual(expect.arrayContaining([...ports]))
      rig.write(five, 'way: gre', 'network: 172.17.0.0/16')
      await allUp(five, 4)
      expect(await portsOf(first)).toEqual(ports)
      // Who is not of the list any more keeps what it has, and says so.
      await newcomer.whenStatus('told', ({ problems }) =>
        problems.some((problem) => problem.includes('is not followed')),
      )
    },
    PATIENCE,
  )

  test(
    'a list that makes no sense is not followed',
    async () => {
      rig.write([rig.host(1), rig.host(1)], 'way: gre')
      const { problems, peers } = await rig
        .host(1)
        .whenStatus('told', (status) => status.problems.some((problem) => problem.includes('is not followed')))
      expect(problems.join()).toContain('node1 is listed twice')
      expect(peers).toHaveLength(4)
      rig.write(five, 'way: gre', 'network: 172.17.0.0/16')
      await rig.host(1).whenStatus('whole again', (status) => status.problems.length === 0)
    },
    PATIENCE,
  )

  test(
    'down removes what is ours and nothing else',
    async () => {
      const host = rig.host(1)
      const busy = await host.weft('down', '--json')
      expect(busy.code).toBe(1)
      expect(JSON.parse(busy.stdout)).toMatchObject({ error: { code: 'MESH_BUSY' } })
      await host.stop('SIGKILL')
      await rig.expectMesh(five)
      expect((await host.status()).problems.join()).toContain('no daemon keeps the mesh')
      expect(await host.weft('down')).toEqual(
        expect.objectContaining({ code: 0, stdout: 'the mesh of this machine is taken away\n' }),
      )
      expect(await host.picture()).toBe(before)
      expect(await host.weft('down')).toEqual(
        expect.objectContaining({ code: 0, stdout: 'nothing to take down: there is no mesh on this machine\n' }),
      )
    },
    PATIENCE,
  )
})
