import { expect, test } from 'bun:test'
import { addrAdd, addrDel, linkAdd, linkDel, type MonitorEvent, openMonitor } from '../../linux/index.ts'
import { scratch } from '../../linux/testing/scratch.ts'
import { ip } from '../../network/model/address.ts'
import { isLossOfOurs } from './watch.ts'

/** What the kernel tells while others are at work on a node. */
async function eventsOf(work: (place: ReturnType<typeof stage>) => void): Promise<readonly MonitorEvent[]> {
  using place = stage()
  const events: MonitorEvent[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const onEvent = (event: MonitorEvent): void => {
    events.push(event)
    if (event.topic === 'link' && event.object.name === 'last') resolve()
  }
  const monitor = openMonitor({ topics: ['link', 'address'], nsFd: place.nsFd, onEvent, onResync: () => undefined })
  work(place)
  linkAdd(place.rtnl, { kind: 'bridge', name: 'last' })
  await promise
  monitor.close()
  return events
}

/** A node with a gateway, an uplink, and a container's link. */
function stage() {
  const place = scratch()
  const link = (name: string, address: string): number => {
    const { index } = linkAdd(place.rtnl, { kind: 'bridge', name, up: true })
    addrAdd(place.rtnl, { link: index, address })
    return index
  }
  const gateway = link('gateway', '10.128.0.1/23')
  const uplink = link('uplink', '192.0.2.11/24')
  const theirs = link('docker0', '172.17.0.1/16')
  return { ...place, gateway, uplink, theirs }
}

async function losses(work: (place: ReturnType<typeof stage>) => void): Promise<number> {
  let gateway = 0
  const events = await eventsOf((place) => {
    gateway = place.gateway
    work(place)
  })
  return events.filter((event) => isLossOfOurs(event, { gateway: () => gateway, node: () => [ip('192.0.2.11')] }))
    .length
}

test('containers that come and go have nothing compared', async () => {
  const count = await losses(({ rtnl, theirs }) => {
    addrDel(rtnl, { link: theirs, address: '172.17.0.1/16' })
    addrAdd(rtnl, { link: theirs, address: '192.0.2.110/24' })
    linkDel(rtnl, theirs)
  })
  expect(count).toBe(0)
})

test.each([
  ['the gateway’s', '10.128.0.1/23', 'gateway'],
  ['the node’s', '192.0.2.11/24', 'uplink'],
] as const)('an address of %s that is removed has everything compared', async (_, address, link) => {
  expect(await losses((place) => addrDel(place.rtnl, { link: place[link], address }))).toBe(1)
})
