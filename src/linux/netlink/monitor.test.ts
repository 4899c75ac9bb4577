import { expect, test } from 'bun:test'
import { scratch, veth } from '../testing/scratch.ts'
import { addrAdd, addrDel } from './address.ts'
import { linkDel, linkSet } from './link-ops.ts'
import { type MonitorEvent, openMonitor } from './monitor.ts'
import { neighAdd } from './neighbour.ts'
import { routeAdd } from './route.ts'
import { ruleAdd } from './rule.ts'

const topics = ['link', 'address', 'route', 'neighbour', 'rule'] as const

test('each kind of change is told, decoded', async () => {
  using node = scratch()
  const { a: link } = veth(node, node)
  const heard = listener()
  const monitor = openMonitor({ topics, nsFd: node.nsFd, ...heard.options })
  linkSet(node.rtnl, link, { alias: 'told' })
  addrAdd(node.rtnl, { link, address: '10.0.0.1/24' })
  addrDel(node.rtnl, { link, address: '10.0.0.1/24' })
  routeAdd(node.rtnl, { destination: '10.5.0.0/16', link, protocol: 99 })
  neighAdd(node.rtnl, { link, address: '10.0.0.9', mac: '02:00:00:00:00:09' })
  ruleAdd(node.rtnl, { family: 6, priority: 55 })
  await heard.until((event) => event.topic === 'rule')
  await linkDel(node.rtnl, link)
  await heard.until((event) => event.topic === 'link' && event.change === 'del' && event.object.index === link)
  monitor.close()
  const told = (event: object) => expect(heard.events).toContainEqual(expect.objectContaining(event))
  told({ topic: 'link', change: 'new', object: expect.objectContaining({ index: link, alias: 'told' }) })
  told({ topic: 'address', change: 'new', object: expect.objectContaining({ address: '10.0.0.1/24' }) })
  told({ topic: 'address', change: 'del', object: expect.objectContaining({ address: '10.0.0.1/24' }) })
  told({ topic: 'route', change: 'new', object: expect.objectContaining({ destination: '10.5.0.0/16', protocol: 99 }) })
  told({ topic: 'neighbour', change: 'new', object: expect.objectContaining({ address: '10.0.0.9' }) })
  told({ topic: 'rule', change: 'new', object: expect.objectContaining({ family: 6, priority: 55 }) })
  expect(heard.resyncs()).toBe(0)
})

test('an overflow is told as resync, and later changes are told again', async () => {
  using node = scratch()
  const { a: link } = veth(node, node)
  const heard = listener()
  const monitor = openMonitor({ topics, nsFd: node.nsFd, receiveBuffer: 4096, ...heard.options })
  // Nothing is read in between: this thread does not come back to its event loop.
  for (let i = 0; i < 200; i++) linkSet(node.rtnl, link, { mtu: 1300 + i })
  await heard.resynced
  linkSet(node.rtnl, link, { alias: 'after the loss' })
  await heard.until((event) => event.topic === 'link' && event.object.alias === 'after the loss')
  monitor.close()
  monitor.close()
  expect(heard.resyncs()).toBeGreaterThan(0)
})

function listener() {
  const events: MonitorEvent[] = []
  const waiting = new Set<() => void>()
  let resyncs = 0
  const resync = Promise.withResolvers<void>()
  const until = async (wanted: (event: MonitorEvent) => boolean): Promise<void> => {
    while (!events.some(wanted)) await new Promise<void>((resolve) => waiting.add(resolve))
  }
  const wake = () => {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
  const options = {
    onEvent: (event: MonitorEvent) => {
      events.push(event)
      wake()
    },
    onResync: () => {
      resyncs++
      resync.resolve()
    },
  }
  return { events, until, options, resynced: resync.promise, resyncs: () => resyncs }
}
