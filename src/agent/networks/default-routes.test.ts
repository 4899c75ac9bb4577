import { expect, test } from 'bun:test'
import type { DefaultRoutes } from '../../compat/multus/default-route.ts'
import { addrAdd, linkAdd, linkGet, linkSet, routeAdd, routeAddBehind, routeList } from '../../linux/index.ts'
import { type Scratch, scratch } from '../../linux/testing/scratch.ts'
import { ip } from '../../network/model/address.ts'
import { applyDefaultRoutes } from './default-routes.ts'

/** A pod with two networks, each with a way out in both families, and a table of its own for the second. */
function pod(): Scratch {
  const own = scratch()
  for (const [name, net] of [
    ['eth0', 8],
    ['net1', 9],
  ] as const) {
    linkAdd(own.rtnl, { kind: 'veth', name, up: true, peer: { name: `${name}-wire` } })
    linkSet(own.rtnl, `${name}-wire`, { up: true })
    const link = linkGet(own.rtnl, name).index
    addrAdd(own.rtnl, { link, address: `10.${net}.0.5/16` })
    addrAdd(own.rtnl, { link, address: `fd0${net}::5/64`, nodad: true })
    for (const [destination, gateway] of [
      ['0.0.0.0/0', `10.${net}.0.1`],
      ['::/0', `fd0${net}::1`],
    ] as const) {
      if (name === 'eth0') routeAdd(own.rtnl, { destination, gateway, link })
      else routeAddBehind(own.rtnl, { destination, gateway, link })
    }
  }
  const link = linkGet(own.rtnl, 'net1').index
  routeAdd(own.rtnl, { destination: '10.99.0.0/16', gateway: '10.9.0.1', link })
  routeAdd(own.rtnl, { destination: '0.0.0.0/0', gateway: '10.9.0.1', link, table: 101 })
  return own
}

/** Routes by a gateway, each way of one with several as a line. */
function waysOut({ rtnl }: Scratch): readonly string[] {
  const names = new Map(['eth0', 'net1'].map((name) => [linkGet(rtnl, name).index, name]))
  return routeList(rtnl)
    .flatMap(({ hops, ...route }) => (hops ?? [route]).map(({ gateway, link }) => ({ ...route, gateway, link })))
    .filter(({ gateway }) => gateway !== undefined)
    .map(
      ({ destination, gateway, link, table }) => `${table}: ${destination} via ${gateway} dev ${names.get(link ?? 0)}`,
    )
    .toSorted()
}

const OTHERS = ['101: 0.0.0.0/0 via 10.9.0.1 dev net1', '254: 10.99.0.0/16 via 10.9.0.1 dev net1']
const OUT = {
  eth4: '254: 0.0.0.0/0 via 10.8.0.1 dev eth0',
  eth6: '254: ::/0 via fd08::1 dev eth0',
  net4: '254: 0.0.0.0/0 via 10.9.0.1 dev net1',
  net6: '254: ::/0 via fd09::1 dev net1',
}

test.each<[string, DefaultRoutes & { readonly ifname: string }, readonly (keyof typeof OUT | string)[]]>([
  ['nothing was asked for', { ifname: 'net1', droppedDefaults: [], gateways: [] }, ['eth4', 'eth6', 'net4', 'net6']],
  ['an interface gives way', { ifname: 'net1', droppedDefaults: [4, 6], gateways: [] }, ['eth4', 'eth6']],
  ['in one family', { ifname: 'eth0', droppedDefaults: [4], gateways: [] }, ['eth6', 'net4', 'net6']],
  [
    'an interface has another gateway, which is the only one then',
    { ifname: 'eth0', droppedDefaults: [4, 6], gateways: [ip('10.8.0.9'), ip('fd08::9')] },
    ['254: 0.0.0.0/0 via 10.8.0.9 dev eth0', '254: ::/0 via fd08::9 dev eth0'],
  ],
  [
    'an interface is not there',
    { ifname: 'net7', droppedDefaults: [4], gateways: [] },
    ['eth4', 'eth6', 'net4', 'net6'],
  ],
])('%s; other routes stay, and twice is as once', (_, asked, expected) => {
  using own = pod()
  const all = [...OTHERS, ...expected.map((one) => (one in OUT ? OUT[one as keyof typeof OUT] : one))].toSorted()
  applyDefaultRoutes(asked, { fd: own.nsFd, path: '' })
  expect(waysOut(own)).toEqual(all)
  applyDefaultRoutes(asked, { fd: own.nsFd, path: '' })
  expect(waysOut(own)).toEqual(all)
})
