/**
 * What happens to a mesh in time: killed at any call and run again, made by hand on some machines, a list in etcd, an Open vSwitch that dies, a
 * Docker that makes its bridge anew.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MeshStatus } from '../../src/mesh/status.ts'
import type { Call } from '../../src/mesh/testing/program.ts'
import { ETCDS } from '../etcd/etcd-server.ts'
import { eventually, type Running, start } from '../kube/process.ts'
import { output, run } from '../lab/command.ts'
import { type Host, obstacle, PATIENCE, Rig, ROUTER } from './rig.ts'

const reason = process.env['WEFT_TEST_LONG'] === undefined ? 'npm run test:long' : obstacle()
const title = (name: string): string => (reason === undefined ? name : `${name} (${reason})`)
const PROGRAM = join(import.meta.dir, '../../src/mesh/testing/program.ts')
const isUp = ({ peers }: MeshStatus): boolean => peers.length > 0 && peers.every(({ state }) => state === 'up')
const upAll = (rig: Rig): Promise<unknown> => Promise.all(rig.hosts.map((host) => host.whenStatus('up', isUp)))

describe.skipIf(reason !== undefined)(title('killed at any call'), () => {
  const rig = new Rig(2)
  const host = rig.host(1)
  beforeAll(async () => {
    await rig.up()
    rig.write(rig.hosts, 'network: 172.17.0.0/16')
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  /** What does not change by itself. */
  const picture = async (): Promise<string> =>
    (await host.picture()).replaceAll(/^ +(?:bfd_status|error): .*\n/gm, '').replaceAll(/packets \d+ bytes \d+/g, '')
  /** How many calls it made; undefined when it was killed. */
  const call = async (does: Call['does'], killAt?: number): Promise<number | undefined> => {
    const given: Call = {
      does,
      list: rig.list,
      ovsdb: host.ovs?.dbSocket ?? '',
      folder: join(host.folder, 'run'),
      ...(killAt === undefined ? {} : { killAt }),
    }
    const argv = [process.execPath, PROGRAM, JSON.stringify(given)]
    const { code, stdout, stderr } = await run(['nsenter', `--net=/run/netns/${host.namespace}`, ...argv])
    if (stderr !== '') throw new Error(stderr)
    return code === 0 ? Number(stdout) : undefined
  }

  test(
    'run again, it is the same; and taken away, it is gone',
    async () => {
      const before = await picture()
      const ups = (await call('up')) ?? 0
      const made = await picture()
      const downs = (await call('down')) ?? 0
      expect(await picture()).toBe(before)
      expect([ups > 10, downs > 3]).toEqual([true, true])
      // One after the other on what the one before left: also what was begun twice.
      for (let killAt = 0; killAt < ups; killAt += 1) {
        await call('up', killAt)
        if (killAt % 4 === 3) {
          await call('up')
          expect(await picture()).toBe(made)
          await call('down')
          expect(await picture()).toBe(before)
        }
      }
      for (let killAt = 0; killAt < downs; killAt += 1) {
        await call('up')
        expect(await picture()).toBe(made)
        await call('down', killAt)
      }
      await call('down')
      expect(await picture()).toBe(before)
    },
    4 * PATIENCE,
  )
})

describe.skipIf(reason !== undefined)(title('a machine by hand, as in the document'), () => {
  const rig = new Rig(3)
  const [byHand, host] = [rig.host(1), rig.host(2)]
  const type = async ({ ovs, on }: Host, ...peers: readonly string[]): Promise<void> => {
    await ovs?.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev')
    for (const [i, peer] of peers.entries()) {
      const name = `gre${i + 1}`
      await ovs?.vsctl('add-port', 'br0', name, '--', 'set', 'interface', name, 'type=gre', `option:remote_ip=${peer}`)
    }
    await on('ip', 'link', 'set', 'br0', 'master', 'docker0')
    await on('ip', 'link', 'set', 'dev', 'br0', 'up')
    await on('ip', 'link', 'set', 'dev', 'docker0', 'up')
    await on('ip', 'route', 'add', '172.17.0.0/16', 'dev', 'docker0')
  }
  beforeAll(() => rig.up(), PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'what was typed and what is kept are one network',
    async () => {
      await type({ ...byHand, ovs: byHand.ovs, on: byHand.on.bind(byHand) } as Host, host.address)
      rig.write([byHand, host], 'network: 172.17.0.0/16')
      host.up('--config', rig.list)
      await eventually(() => byHand.on('ping', '-c1', '-W1', host.gateway), PATIENCE)
      await host.on('ping', '-c1', '-W2', byHand.gateway)
      await rig.expectMesh([byHand, host])
    },
    PATIENCE,
  )

  test(
    'a bridge that somebody typed is nobody else’s',
    async () => {
      byHand.up('--config', rig.list)
      const { problems } = await byHand.whenStatus('refused', (status) => status.problems.length > 0)
      expect(problems.join()).toContain('somebody else has made the bridge br0 → give another name as bridge')
      expect(await byHand.ovs?.vsctl('list-ports', 'br0')).toBe('gre1')
      await byHand.stop()
      expect((await byHand.weft('down')).code).toBe(0)
      expect(await byHand.ovs?.vsctl('list-ports', 'br0')).toBe('gre1')
      await rig.expectMesh([byHand, host])
    },
    PATIENCE,
  )
})

describe.skipIf(reason !== undefined)(title('what dies and comes back'), () => {
  const rig = new Rig(2)
  const host = rig.host(1)
  beforeAll(async () => {
    await rig.up()
    rig.write(rig.hosts)
    for (const one of rig.hosts) one.up('--config', rig.list)
    await upAll(rig)
    await rig.expectMesh()
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'Open vSwitch',
    async () => {
      await host.ovs?.killVswitchd()
      await rig.host(2).whenStatus('missed', ({ peers }) => peers.some(({ state }) => state === 'down'))
      await host.ovs?.startVswitchd()
      await host.on('ip', 'address', 'replace', `${host.address}/24`, 'dev', 'br-phy')
      await host.on('ip', 'link', 'set', 'br-phy', 'up')
      await upAll(rig)
      await rig.expectMesh()
    },
    PATIENCE,
  )

  test(
    'its database',
    async () => {
      await host.ovs?.killDatabase()
      await host.ovs?.startDatabase()
      rig.write([host])
      await host.whenStatus('followed', ({ peers }) => peers.length === 0)
      await eventually(async () => expect(await host.ovs?.vsctl('list-ports', 'br0')).toBe(''), PATIENCE)
      rig.write(rig.hosts)
      await upAll(rig)
    },
    PATIENCE,
  )

  test(
    'docker0',
    async () => {
      await host.on('ip', 'link', 'del', 'docker0')
      const { problems } = await host.whenStatus('told', (status) => status.problems.length > 0)
      expect(problems.join()).toContain('there is no bridge docker0 → start Docker')
      // With another address, its neighbours would look for the old one for half a minute.
      await host.on('ip', 'link', 'add', 'docker0', 'address', `02:42:ac:11:${40 + host.index}:01`, 'type', 'bridge')
      await host.on('ip', 'address', 'add', `${host.gateway}/24`, 'dev', 'docker0')
      await host.on('ip', 'link', 'set', 'veth0', 'master', 'docker0')
      await host.on('ip', 'link', 'set', 'docker0', 'up')
      await host.whenStatus('whole', (status) => status.problems.length === 0)
      await rig.expectMesh()
    },
    PATIENCE,
  )

  test(
    'docker0 with the address that every Docker has is not joined',
    async () => {
      await host.on('ip', 'address', 'flush', 'dev', 'docker0')
      await host.on('ip', 'address', 'add', '172.17.0.1/16', 'dev', 'docker0')
      await host.on('ip', 'link', 'set', 'br0', 'nomaster')
      const { problems } = await host.whenStatus('told', (status) => status.problems.length > 0)
      expect(problems.join()).toContain(
        'docker0 has 172.17.0.1/16, and the list says that containers of this machine are in 172.17.41.0/24',
      )
      expect(await host.on('ip', 'link', 'show', 'br0')).not.toContain('master docker0')
      await host.on('ip', 'address', 'flush', 'dev', 'docker0')
      await host.on('ip', 'address', 'add', `${host.gateway}/24`, 'dev', 'docker0')
      await host.whenStatus('whole', (status) => status.problems.length === 0)
      await rig.expectMesh()
    },
    PATIENCE,
  )

  test(
    'what somebody undid',
    async () => {
      const [port = ''] = (await host.ovs?.vsctl('list-ports', 'br0'))?.split('\n') ?? []
      await host.ovs?.vsctl('set', 'port', port, 'protected=false', '--', 'clear', 'interface', port, 'bfd')
      await host.on('ip', 'route', 'del', rig.host(2).subnet)
      await host.on('ip', 'link', 'set', 'br0', 'nomaster')
      await host.on('nft', 'delete', 'table', 'inet', 'weft-mesh')
      await eventually(async () => {
        expect(await host.ovs?.vsctl('get', 'port', port, 'protected')).toBe('true')
        expect(await host.on('ip', 'route')).toContain(`${rig.host(2).subnet} dev docker0 proto 77`)
        expect(await host.on('ip', 'link', 'show', 'br0')).toContain('master docker0')
        expect(await host.on('nft', 'list', 'tables')).toContain('weft-mesh')
      }, PATIENCE)
      await upAll(rig)
    },
    PATIENCE,
  )
})

describe.skipIf(reason !== undefined || ETCDS.length === 0)(title('a list in etcd'), () => {
  const rig = new Rig(3)
  const [first, second] = [rig.host(1), rig.host(2)]
  let etcd: Running | undefined
  const put = async (hosts: readonly Host[]): Promise<void> => {
    rig.write(hosts, 'network: 172.17.0.0/16')
    const argv = rig.enter('etcdctl', '--endpoints', `http://${ROUTER}:2379`, 'put', '/weft/mesh')
    await output(argv, { env: { ...process.env, ETCDCTL_API: '3' } as never, input: await Bun.file(rig.list).text() })
  }
  const startEtcd = (): void => {
    const urls = ['client', 'peer'].flatMap((kind, i) => [
      `--listen-${kind}-urls=http://${ROUTER}:${2379 + i}`,
      `--${kind === 'client' ? 'advertise' : 'initial-advertise-peer'}${kind === 'client' ? '-client' : ''}-urls=http://${ROUTER}:${2379 + i}`,
    ])
    const words = [
      ETCDS[0] ?? '',
      `--data-dir=${join(rig.folder, 'etcd')}`,
      ...urls,
      `--initial-cluster=default=http://${ROUTER}:2380`,
    ]
    etcd = start(rig.enter(...words), join(rig.folder, 'etcd.log'))
  }
  beforeAll(() => rig.up(), PATIENCE)
  afterAll(async () => {
    await etcd?.stop('SIGKILL')
    await rig.down()
  }, PATIENCE)

  test(
    'is waited for, followed, and missed only by status',
    async () => {
      for (const host of rig.hosts) host.up('--etcd-endpoints', `http://${ROUTER}:2379`)
      startEtcd()
      await eventually(() => put([first, second]), PATIENCE)
      await Promise.all([first, second].map((host) => host.whenStatus('up', isUp)))
      // It is not of the list.
      expect(await rig.host(3).ended()).toBe(1)
      expect(rig.host(3).log).toContain('no machine of the list has an address of this one')
      await put(rig.hosts)
      rig.host(3).up('--etcd-endpoints', `http://${ROUTER}:2379`)
      await upAll(rig)
      await rig.expectMesh()
      await etcd?.stop('SIGKILL')
      await first.whenStatus('told', ({ problems }) => problems.length > 0)
      await rig.expectMesh()
      startEtcd()
      await first.whenStatus('whole', ({ problems }) => problems.length === 0)
      await eventually(() => put([first, second]), PATIENCE)
      await first.whenStatus('followed', ({ peers }) => peers.length === 1)
    },
    2 * PATIENCE,
  )
})

test.skipIf(reason !== undefined)(
  title('a list that cannot be used ends the program with 2'),
  async () => {
    const rig = new Rig(1, { ovs: false })
    try {
      await rig.up()
      writeFileSync(rig.list, 'way: gre\nhosts: []\n')
      rig.host(1).up('--config', rig.list)
      expect(await rig.host(1).ended()).toBe(2)
      expect(rig.host(1).log).toContain('hosts: has no machine in it')
    } finally {
      await rig.down()
    }
  },
  PATIENCE,
)
