import { expect, test } from 'bun:test'
import { addrAdd, addrDel, linkAdd } from '../../linux/index.ts'
import { type Scratch, scratch } from '../../linux/testing/scratch.ts'
import { ip } from '../../network/model/address.ts'
import { Uplink } from './uplink.ts'

const ADDRESS = '192.0.2.11/24'
const SELF = { addresses: [ip('192.0.2.11')] }

/** A link with this MTU. */
function linkOf({ rtnl }: Scratch, name: string, mtu: number): number {
  return linkAdd(rtnl, { kind: 'veth', name, mtu, up: true, peer: { name: `${name}-peer` } }).index
}

test('a jumbo node that loses its address for a moment does not say that its uplink is Ethernet’s', () => {
  using place = scratch()
  const link = linkOf(place, 'jumbo', 9000)
  addrAdd(place.rtnl, { link, address: ADDRESS })
  const uplink = new Uplink(place.rtnl, () => SELF)
  expect(uplink.mtu).toBe(9000)
  addrDel(place.rtnl, { link, address: ADDRESS })
  uplink.forget()
  expect(uplink.mtu).toBe(9000)
  // Another link has it now: that is news.
  addrAdd(place.rtnl, { link: linkOf(place, 'other', 1400), address: ADDRESS })
  uplink.forget()
  expect(uplink.mtu).toBe(1400)
})

test('an agent that starts before its node has an address goes on with what was said last', () => {
  using place = scratch()
  const status = { ready: true, uplinkMtu: 9000, datapath: 'netdev' } as const
  expect(new Uplink(place.rtnl, () => ({ ...SELF, status })).mtu).toBe(9000)
  expect(new Uplink(place.rtnl, () => SELF).mtu).toBe(1500)
  expect(new Uplink(place.rtnl, () => undefined).mtu).toBe(1500)
})
