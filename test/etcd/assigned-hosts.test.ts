/**
 * Hosts outside the cluster in k8s-ovs's registry, by `Assign`, on a real etcd; and what is written in a node's place.
 */
import { expect } from 'bun:test'
import { reflect } from '../../src/registry/reflector.ts'
import type { Change } from '../../src/registry/registry.ts'
import { CONFIG } from './k8s-ovs-cluster.ts'
import { onOvsCluster } from './on-ovs-cluster.ts'

onOvsCluster((check) => {
  check('a host outside the cluster gets a range by Assign', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    const key = 'k8ssdn/subnets/192.0.2.99'
    const early = cluster.agent('NodeNetwork')
    await cluster.set(key, '{"Host":"lb","HostIP":"192.0.2.99","Subnet":"","Assign":true}')
    const given = await cluster.recordWhen(key, ({ Assign }) => Assign === false)
    expect(given).toMatchObject({ Host: 'lb', HostIP: '192.0.2.99', Subnet: '172.11.0.0/22', Assign: false })
    const agent = cluster.agent('NodeNetwork')
    await cluster.until(() => agent.has('lb') && early.has('lb'))
    // What is written anew counts when the controller has seen it.
    await cluster.stopController()
    await cluster.set(key, '{"Host":"lb","HostIP":"192.0.2.99","Subnet":"172.11.0.0/22","VNI":4711}')
    const late = cluster.agent('NodeNetwork')
    const heard = cluster.agent('Tenant')
    await cluster.set('k8ssdn/netnamespaces/x', '{"NetName":"x","NetID":12,"VNI":12}')
    await cluster.until(() => heard.has('x'))
    expect([late.has('lb'), agent.get('lb')?.value.machine]).toEqual([false, { kind: 'external', vni: 0 }])
    cluster.startController()
    await cluster.until(() => late.has('lb'))
    await cluster.until(() => Bun.deepEquals(agent.get('lb')?.value.machine, { kind: 'external', vni: 4711 }))
    await cluster.remove(key)
    await cluster.until(() => !agent.has('lb') && !late.has('lb'))
  })

  check('Assign over a node’s record is refused and told, and the node is not gone for a moment', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNode('a', '192.0.2.1')
    const agent = cluster.agent('NodeNetwork')
    await cluster.until(() => agent.get('a')?.value.ranges[0] === '172.11.0.0/22')
    const seen: string[] = []
    const told = new AbortController()
    const onChange = (change: Change<'NodeNetwork'>): void => {
      if (change.type !== 'bookmark') seen.push(`${change.type} ${change.object.name} ${change.object.value.ranges}`)
    }
    await reflect(cluster.registry(), 'NodeNetwork', { signal: told.signal, onChange }).synced
    const key = 'k8ssdn/subnets/192.0.2.1'
    const before = await cluster.record(key)
    await cluster.set(key, '{"Host":"lb","HostIP":"192.0.2.1","Subnet":"","Assign":true}')
    await cluster.recordWhen(key, (record) => Bun.deepEquals(record, before))
    await cluster.until(() => cluster.said.some((line) => line.includes('it says Host "lb" in the place of a, a node')))
    await cluster.set('k8ssdn/subnets/192.0.2.9', '{"Host":"lb","HostIP":"192.0.2.9","Subnet":"","Assign":true}')
    await cluster.until(() => agent.get('lb')?.value.ranges[0] === '172.11.4.0/22')
    told.abort()
    expect(seen.filter((line) => line.includes(' a ') && line !== 'put a 172.11.0.0/22')).toEqual([])
  })

  check('a host at whose address a node appears is told in its record until it moves', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    const key = 'k8ssdn/subnets/192.0.2.1'
    await cluster.set(key, '{"Host":"lb","HostIP":"192.0.2.1","Subnet":"","Assign":true}')
    const { Subnet } = await cluster.recordWhen(key, ({ Assign }) => Assign === false)
    await cluster.addNode('a', '192.0.2.1')
    const { Problem } = await cluster.recordWhen(key, (record) => record['Problem'] !== undefined)
    expect(Problem).toContain("192.0.2.1 is a's address: it stays the node's")
    await cluster.until(() => cluster.said.some((line) => line.includes("192.0.2.1 is a's address")))
    const agent = cluster.agent('NodeNetwork')
    await cluster.until(() => agent.get('lb')?.value.problem === Problem && agent.get('a')?.value.ranges.length === 1)
    // The record with the same range under the old address goes by itself.
    await cluster.set('k8ssdn/subnets/192.0.2.9', JSON.stringify({ Host: 'lb', HostIP: '192.0.2.9', Subnet }))
    await cluster.until(async () => (await cluster.record(key))?.['Host'] !== 'lb')
    await cluster.recordWhen('k8ssdn/subnets/192.0.2.9', (record) => record['External'] === true)
    await cluster.until(() => agent.get('lb')?.value.problem === undefined)
    expect(agent.get('lb')?.value).toMatchObject({ addresses: ['192.0.2.9'], ranges: [Subnet] })
  })

  check('a record under another’s address destroys nothing', async (cluster) => {
    await cluster.set('config', CONFIG)
    cluster.startController()
    await cluster.addNode('a', '192.0.2.197')
    const before = await cluster.recordWhen('k8ssdn/subnets/192.0.2.197', ({ Subnet }) => Subnet !== '')
    await cluster.set('k8ssdn/subnets/192.0.2.199', '{"Host":"lb","HostIP":"192.0.2.197","Subnet":"","Assign":true}')
    await cluster.until(() => cluster.said.some((line) => /192\.0\.2\.199.*not the address in its key/.test(line)))
    expect(await cluster.record('k8ssdn/subnets/192.0.2.197')).toEqual(before)
    expect(await cluster.record('k8ssdn/subnets/192.0.2.199')).toMatchObject({ Subnet: '', Assign: true })
  })

  check(
    'a record that lays claim to a node under another address does not take the node away for a moment',
    async (cluster) => {
      await cluster.set('config', CONFIG)
      cluster.startController()
      await cluster.addNode('a', '192.0.2.1')
      await cluster.addNode('b', '192.0.2.2')
      const agent = cluster.agent('NodeNetwork')
      await cluster.until(() => agent.size === 2)
      const gone: string[] = []
      const told = new AbortController()
      const onChange = (change: Change<'NodeNetwork'>): void => {
        if (change.type === 'delete') gone.push(change.object.name)
      }
      const { synced } = reflect(cluster.registry(), 'NodeNetwork', { signal: told.signal, onChange })
      await synced
      const key = 'k8ssdn/subnets/192.0.2.99'
      await cluster.set(key, '{"Host":"b","HostIP":"192.0.2.99","Subnet":"172.11.0.0/22","Assign":false}')
      await cluster.until(async () => (await cluster.record(key)) === undefined)
      await cluster.recordWhen('k8ssdn/subnets/192.0.2.2', ({ Subnet }) => Subnet === '172.11.4.0/22')
      await cluster.addNode('c', '192.0.2.3')
      await cluster.until(() => agent.has('c'))
      told.abort()
      expect(gone).toEqual([])
    },
  )
})
