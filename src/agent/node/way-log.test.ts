import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode, samplePlanner } from '../../../test/tables/sample-node.ts'
import { hostPlan } from '../../network/host.ts'
import { cidr, ip } from '../../network/model/address.ts'
import { WayLog } from './way-log.ts'

test('another reason for the same way is no other way: since when, and what was before, stay', () => {
  let now = 1000
  const log = new WayLog(() => now)
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } })
  const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true } as const
  const because = (why: string) => planner.putPlace('node2', { reach: { 4: { why }, 6: { why } }, places: {} })
  const shown = () => {
    const fact = log
      .facts(planner)
      .get('node2')
      ?.find(({ family }) => family === 4)
    return [fact?.way, fact?.why, fact?.since, fact?.before]
  }
  planner.putPeer({ ...sampleNode(2), status })
  because('the first reason')
  expect(shown()).toEqual(['tunnel', 'the first reason', 1, undefined])
  now = 5000
  because('another one')
  expect(shown()).toEqual(['tunnel', 'another one', 1, undefined])
  now = 9000
  planner.setContext({
    ...planner.context,
    cluster: { ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'refuse' } },
  })
  expect(shown()).toEqual(['none', 'another one', 9, 'tunnel'])
})

const STATUS = { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true } as const

test('a way is called what the fabric is: a route by BGP is no direct one', () => {
  const log = new WayLog(() => 1000)
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } })
  const place = { link: 'eth0', address: ip('192.0.2.1') }
  const shown = () => log.facts(planner).get('node2')?.[0]
  planner.putPeer({ ...sampleNode(2), status: STATUS })
  planner.putPlace('node2', { reach: { 4: 'open', 6: 'open' }, places: { 4: place } })
  planner.led(hostPlan(planner.context, planner.publication()).direct)
  expect(shown()).toEqual({ family: 4, way: 'bgp', via: place.address, link: 'eth0', since: 1 })
  planner.setContext({
    ...planner.context,
    cluster: { ...SAMPLE_CLUSTER, fabric: { way: 'direct', otherwise: 'tunnel' } },
  })
  planner.led(hostPlan(planner.context, planner.publication()).direct)
  expect(shown()).toMatchObject({ way: 'direct', before: 'bgp' })
})

test('where the ranges of a machine have different ways each is told with its own', () => {
  const log = new WayLog(() => 1000)
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } })
  const fresh = cidr('10.128.255.0/24')
  const place = { link: 'eth0', address: ip('192.0.2.1') }
  const ranges = [...sampleNode(2).ranges, fresh]
  planner.putPeer({ ...sampleNode(2), status: STATUS, ranges })
  const known = { reach: { 4: 'open', 6: 'open' }, places: { 4: place } } as const
  planner.putPlace('node2', { ...known, without: { [fresh]: 'nobody told of it' } })
  planner.led(hostPlan(planner.context, planner.publication()).direct)
  const fact = log.facts(planner).get('node2')?.[0]
  expect(fact).toMatchObject({ way: 'tunnel', why: 'nobody told of it' })
  expect(fact?.via).toBeUndefined()
  expect(fact?.ranges).toEqual([
    { range: cidr('10.129.0.0/23'), way: 'bgp', via: place.address, link: 'eth0' },
    { range: fresh, way: 'tunnel', why: 'nobody told of it' },
  ])
  planner.putPlace('node2', known)
  planner.led(hostPlan(planner.context, planner.publication()).direct)
  expect(log.facts(planner).get('node2')?.[0]?.ranges).toBeUndefined()
})
