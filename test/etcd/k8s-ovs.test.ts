/**
 * What k8s-ovs's documents say, line by line, on a real etcd, and what its users mistype.
 */
import { expect } from 'bun:test'
import { EitherKeySpace } from '../../src/etcd/choose.ts'
import { EtcdV2 } from '../../src/etcd/v2.ts'
import { EtcdV3 } from '../../src/etcd/v3.ts'
import { CONFIG, OvsCluster } from './k8s-ovs-cluster.ts'
import { onOvsCluster } from './on-ovs-cluster.ts'

onOvsCluster((check) => {
  check('nodes get their ranges as k8s-ovs gives them', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNode('sdn-test1', '192.0.2.1')
    await cluster.addNode('sdn-test2', '192.0.2.2')
    const first = await cluster.recordWhen('k8ssdn/subnets/192.0.2.1', ({ Subnet }) => Subnet !== '')
    expect(first).toMatchObject({ Host: 'sdn-test1', HostIP: '192.0.2.1', Subnet: '172.11.0.0/22', Assign: false })
    const second = await cluster.recordWhen('k8ssdn/subnets/192.0.2.2', ({ Subnet }) => Subnet !== '')
    expect(second).toMatchObject({ Host: 'sdn-test2', Subnet: '172.11.4.0/22' })
    await cluster.kubernetes.delete('Node', 'sdn-test1')
    await cluster.until(async () => (await cluster.record('k8ssdn/subnets/192.0.2.1')) === undefined)
  })

  check('a change of address moves the key and keeps the range; two may swap theirs', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNode('a', '192.0.2.1')
    await cluster.addNode('b', '192.0.2.2')
    const agent = cluster.agent('NodeNetwork')
    await cluster.until(() => agent.size === 2)
    const rangeOf = (name: string) => agent.get(name)?.value.ranges[0]
    const before = { a: rangeOf('a'), b: rangeOf('b') }
    await cluster.moveNode('a', '192.0.2.3')
    await cluster.recordWhen('k8ssdn/subnets/192.0.2.3', ({ Subnet }) => Subnet === before.a)
    await cluster.until(async () => (await cluster.record('k8ssdn/subnets/192.0.2.1')) === undefined)
    await cluster.moveNode('a', '192.0.2.2')
    await cluster.moveNode('b', '192.0.2.3')
    await cluster.until(() => agent.get('a')?.value.addresses[0] === '192.0.2.2')
    await cluster.until(() => agent.get('b')?.value.addresses[0] === '192.0.2.3')
    expect({ a: rangeOf('a'), b: rangeOf('b') }).toEqual(before)
    expect(agent.size).toBe(2)
  })

  check(
    'of two records of one host the later counts: what a move left goes, what is of others is told',
    async (cluster) => {
      await cluster.set('config', CONFIG)
      const write = (address: string, Host: string, Subnet: string) =>
        cluster.set(`k8ssdn/subnets/${address}`, JSON.stringify({ Host, HostIP: address, Subnet, Assign: false }))
      // Killed between the new record and the old one's end.
      await write('192.0.2.1', 'a', '172.11.4.0/22')
      await write('192.0.2.2', 'a', '172.11.4.0/22')
      // As k8s-ovs leaves it when an address changes.
      await write('192.0.2.3', 'b', '172.11.8.0/22')
      await write('192.0.2.4', 'b', '172.11.12.0/22')
      await cluster.addNode('a', '192.0.2.2')
      await cluster.addNode('b', '192.0.2.4')
      cluster.startController()
      const agent = cluster.agent('NodeNetwork')
      await cluster.recordWhen('k8ssdn/subnets/192.0.2.2', ({ NodeUID }) => NodeUID === 'uid-of-a')
      await cluster.recordWhen('k8ssdn/subnets/192.0.2.4', ({ NodeUID }) => NodeUID === 'uid-of-b')
      await cluster.until(async () => (await cluster.record('k8ssdn/subnets/192.0.2.1')) === undefined)
      expect(await cluster.record('k8ssdn/subnets/192.0.2.3')).toMatchObject({ Subnet: '172.11.8.0/22' })
      await cluster.until(() => cluster.said.some((line) => /192\.0\.2\.3: does not count/.test(line)))
      // What an agent is told comes a moment later.
      await cluster.until(() => agent.get('a')?.value.ranges.join() === '172.11.4.0/22')
      await cluster.until(() => agent.get('b')?.value.ranges.join() === '172.11.12.0/22')
      // With the node all of them go, or the earlier one would come back.
      await cluster.kubernetes.delete('Node', 'b')
      await cluster.until(async () => (await cluster.record('k8ssdn/subnets/192.0.2.4')) === undefined)
      expect(await cluster.record('k8ssdn/subnets/192.0.2.3')).toBeUndefined()
      await cluster.until(() => !agent.has('b'))
    },
  )

  check('which of the two key spaces is meant is found out', async (cluster) => {
    const registry = cluster.registry()
    const other = new OvsCluster(cluster.server, cluster.api === 'v2' ? 'v3' : 'v2')
    Object.assign(other, { prefix: cluster.prefix })
    const auto = new EitherKeySpace(
      new EtcdV2(cluster.server.config()),
      new EtcdV3(cluster.server.config()),
      `${cluster.prefix}/config`,
    )
    const codeOf = (call: Promise<unknown>) => call.then(String, (error: { code?: unknown }) => error.code)
    expect(await codeOf(auto.list(`${cluster.prefix}/`))).toBe('ETCD_UNAVAILABLE')
    await other.set('config', CONFIG)
    await cluster.set('config', CONFIG)
    expect(await codeOf(auto.list(`${cluster.prefix}/`))).toBe('ETCD_CONFIG')
    await other.remove('config')
    expect((await auto.list(`${cluster.prefix}/`)).entries).toHaveLength(1)
    expect(auto.api).toBe(cluster.api)
    expect((await registry.get('Cluster', 'default'))?.value.tenancy).toBe('multitenant')
    auto.close()
  })

  check('join, isolate and global, as administrators write them', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    const agent = cluster.agent('Tenant')
    for (const name of ['helloworld1', 'helloworld2', 'helloworld3']) await cluster.addNamespace(name)
    await cluster.until(() => agent.size === 3)
    const idOf = async (name: string) => (await cluster.record(`k8ssdn/netnamespaces/${name}`))?.['NetID'] as number
    const [one, two, three] = [await idOf('helloworld1'), await idOf('helloworld2'), await idOf('helloworld3')]
    expect(new Set([one, two, three]).size).toBe(3)
    const ask = (name: string, record: object) =>
      cluster.set(`k8ssdn/netnamespaces/${name}`, JSON.stringify({ NetName: name, ...record }))
    const answered = (name: string) =>
      cluster.recordWhen(`k8ssdn/netnamespaces/${name}`, ({ Action, VNI }) => Action === '' && VNI !== undefined)

    await ask('helloworld1', { NetID: one, Action: 'join', Namespace: 'helloworld2' })
    expect(await answered('helloworld1')).toMatchObject({ NetID: two, Action: '', Namespace: '' })
    await ask('helloworld1', { NetID: two, Action: 'isolate', Namespace: '' })
    const alone = (await answered('helloworld1'))['NetID']
    expect([one, two, three, 0].filter((id) => id !== one)).not.toContain(alone as number)
    expect(await idOf('helloworld2')).toBe(two)
    await ask('helloworld3', { NetID: three, Action: 'global', Namespace: '' })
    expect(await answered('helloworld3')).toMatchObject({ NetID: 0 })
    await cluster.until(() => agent.get('helloworld3')?.value.vni === 0)
    await cluster.kubernetes.delete('Namespace', 'helloworld3')
    await cluster.until(async () => (await cluster.record('k8ssdn/netnamespaces/helloworld3')) === undefined)
    await cluster.until(() => !agent.has('helloworld3'))
  })

  check('a refused request stays, with the reason', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNamespace('shop')
    const key = 'k8ssdn/netnamespaces/shop'
    const { NetID } = await cluster.recordWhen(key, () => true)
    const requests = [
      [{ Action: 'join', Namespace: 'nowhere' }, 'TENANT_UNKNOWN_TARGET'],
      [{ Action: 'join', Namespace: 'shop' }, 'TENANT_SELF_JOIN'],
      [{ Action: 'leave', Namespace: '' }, 'TENANT_UNKNOWN_ACTION'],
    ] as const
    for (const [request, Code] of requests) {
      await cluster.set(key, JSON.stringify({ NetName: 'shop', NetID, ...request }))
      const isRefused = ({ Outcome }: Record<string, unknown>) => (Outcome as { Code?: string })?.Code === Code
      expect(await cluster.recordWhen(key, isRefused)).toMatchObject({ NetID, ...request })
    }
  })

  check('a number that somebody types takes no effect', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNamespace('shop')
    const agent = cluster.agent('Tenant')
    await cluster.until(() => agent.has('shop'))
    const vni = agent.get('shop')?.value.vni
    const seen = new Set<number | undefined>()
    const key = 'k8ssdn/netnamespaces/shop'
    await cluster.set(key, '{"NetName":"shop","NetID":4711,"Action":"","Namespace":""}')
    await cluster.until(async () => {
      seen.add(agent.get('shop')?.value.vni)
      return (await cluster.record(key))?.['NetID'] === vni
    })
    expect([...seen]).toEqual([vni])
    expect(await cluster.record(key)).toMatchObject({ NetID: vni, Action: 'NetID 4711' })
    await cluster.set(key, JSON.stringify({ NetName: 'shop', NetID: vni, VNI: 5 }))
    const isPutBack = ({ VNI }: Record<string, unknown>): boolean => VNI === vni
    expect(await cluster.recordWhen(key, isPutBack)).toMatchObject({ NetID: vni, Action: 'VNI 5' })
    await cluster.until(() => agent.get('shop')?.value.outcome?.id === 'words:VNI 5')
    expect(agent.get('shop')?.value.vni).toBe(vni)
    // An agent that starts while no controller runs knows nothing better, and waits.
    await cluster.stopController()
    await cluster.set(key, '{"NetName":"shop","NetID":4711,"Action":"","Namespace":""}')
    const late = cluster.agent('Tenant')
    await cluster.until(() => agent.get('shop')?.value.request !== undefined)
    expect(late.has('shop')).toBe(false)
    expect(agent.get('shop')?.value.vni).toBe(vni)
  })

  check('damaged records take nothing down, and are put right', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNode('a', '192.0.2.1')
    await cluster.addNamespace('shop')
    const [networks, tenants, clusters] = [
      cluster.agent('NodeNetwork'),
      cluster.agent('Tenant'),
      cluster.agent('Cluster'),
    ]
    // A node is there before it has its range.
    const hasRange = (): boolean => networks.get('a')?.value.ranges.length === 1
    await cluster.until(() => hasRange() && tenants.has('shop') && clusters.has('default'))
    const before = [networks.get('a')?.value.ranges, tenants.get('shop')?.value.vni, clusters.get('default')?.value]
    await cluster.set('config', '{"Name":"k8ssdn", "Network":')
    await cluster.set('k8ssdn/subnets/192.0.2.1', '"oops"')
    await cluster.set('k8ssdn/netnamespaces/shop', '{"NetName":"shop","NetID":5}')
    await cluster.recordWhen('k8ssdn/netnamespaces/shop', ({ VNI }) => VNI === before[1])
    await cluster.until(() => cluster.said.some((line) => line.includes('config: is not a JSON object')))
    await cluster.set('config', CONFIG.replace('"k8ssdn"', '"another"'))
    await cluster.until(() => cluster.said.some((line) => line.includes('says Name "another"')))
    await cluster.set('config', CONFIG)
    await cluster.recordWhen('k8ssdn/subnets/192.0.2.1', ({ Subnet }) => Subnet === '172.11.0.0/22')
    expect([networks.get('a')?.value.ranges, tenants.get('shop')?.value.vni, clusters.get('default')?.value]).toEqual(
      before,
    )
    expect([networks.size, tenants.size, clusters.size]).toEqual([1, 1, 1])
  })

  check('two controllers give nothing out twice', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    const other = new OvsCluster(cluster.server, cluster.api)
    Object.assign(other, { prefix: cluster.prefix, kubernetes: cluster.kubernetes })
    other.startController()
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
    await Promise.all(names.map((name, i) => cluster.addNode(name, `192.0.2.${i + 1}`)))
    const agent = cluster.agent('NodeNetwork')
    const ranges = () => [...agent.values()].flatMap(({ value }) => value.ranges)
    await cluster.until(() => ranges().length === 12 && new Set(ranges()).size === 12)
    await other.close()
  })
})
