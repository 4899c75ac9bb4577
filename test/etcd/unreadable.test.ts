/**
 * Why records in a real etcd cannot be read, for as long as they cannot and no longer.
 */
import { expect } from 'bun:test'
import { type OpenRegistry, openPlace } from '../../src/place/place.ts'
import { reflect } from '../../src/registry/reflector.ts'
import { CONFIG, type OvsCluster } from './k8s-ovs-cluster.ts'
import { onOvsCluster } from './on-ovs-cluster.ts'

const SHOP = '{"NetName":"shop","NetID":4711,"VNI":4711}'

onOvsCluster((onCluster) => {
  const check = (title: string, body: (cluster: OvsCluster, opened: OpenRegistry) => Promise<void>): void =>
    onCluster(title, async (cluster) => {
      const { server, api, prefix } = cluster
      await cluster.set('config', CONFIG)
      const settings = { endpoints: server.endpoint }
      const opened = openPlace({ kind: 'etcd', etcd: { settings, api, prefix, network: '' } })
      try {
        await body(cluster, opened)
      } finally {
        opened.close()
      }
    })
  check('a reason goes when its record is corrected, and when it is removed', async (cluster, opened) => {
    const reason = (): string | undefined => opened.unreadable.get('Tenant/shop')
    const stop = new AbortController()
    const { synced, done } = reflect(opened.registry, 'Tenant', { signal: stop.signal })
    await synced
    const breakIt = async (): Promise<void> => {
      await cluster.set('k8ssdn/netnamespaces/shop', '{"NetName":')
      await cluster.until(() => reason()?.includes('is not a JSON object') === true)
    }
    await breakIt()
    await cluster.set('k8ssdn/netnamespaces/shop', SHOP)
    await cluster.until(() => reason() === undefined)
    await breakIt()
    await cluster.remove('k8ssdn/netnamespaces/shop')
    await cluster.until(() => reason() === undefined)
    stop.abort()
    await done
    expect([...opened.unreadable]).toEqual([])
  })

  check('a record that went while nobody watched is none that a list leaves a reason for', async (cluster, opened) => {
    await cluster.set('k8ssdn/netnamespaces/shop', '{"NetName":')
    await cluster.set('k8ssdn/subnets/192.0.2.1', '[]')
    await opened.registry.list('Tenant')
    await opened.registry.list('NodeNetwork')
    expect([...opened.unreadable].map(([object]) => object)).toEqual(['Tenant/shop', 'NodeNetwork/192.0.2.1'])
    await cluster.remove('k8ssdn/netnamespaces/shop')
    expect(await opened.registry.get('Tenant', 'shop')).toBeUndefined()
    expect([...opened.unreadable].map(([object]) => object)).toEqual(['NodeNetwork/192.0.2.1'])
    await cluster.remove('k8ssdn/subnets/192.0.2.1')
    await opened.registry.list('NodeNetwork')
    expect([...opened.unreadable]).toEqual([])
  })

  check('a record that does not count is told of until it counts', async (cluster, opened) => {
    const write = (address: string): Promise<void> => {
      const record = { Host: 'a', HostIP: address, Subnet: '172.11.4.0/22', NodeUID: 'u' }
      return cluster.set(`k8ssdn/subnets/${address}`, JSON.stringify(record))
    }
    await write('192.0.2.1')
    await write('192.0.2.2')
    const told: string[] = []
    opened.onInvalid(({ problem }) => told.push(problem))
    const stop = new AbortController()
    const { store, synced, done } = reflect(opened.registry, 'NodeNetwork', { signal: stop.signal })
    await synced
    const reason = (): string | undefined => opened.unreadable.get('NodeNetwork/192.0.2.1')
    expect(reason()).toContain('does not count')
    // However often it is read.
    await opened.registry.list('NodeNetwork')
    await opened.registry.get('NodeNetwork', 'a')
    expect(told).toHaveLength(1)
    await cluster.remove('k8ssdn/subnets/192.0.2.2')
    await cluster.until(() => store.get('a')?.value.addresses[0] === '192.0.2.1')
    expect(reason()).toBeUndefined()
    stop.abort()
    await done
  })
})
