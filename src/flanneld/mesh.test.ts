/** On a real kernel: a machine with host-gw whose network was another one before. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lease } from '../compat/flannel/lease.ts'
import { addrAdd, routeList, routeReplace } from '../linux/index.ts'
import { type Scratch, scratch, veth } from '../linux/testing/scratch.ts'
import { ROUTE_PROTOCOL } from '../network/host.ts'
import { type Cidr, cidr, ip } from '../network/model/address.ts'
import { Mesh } from './mesh.ts'
import { ProxyKeeper } from './udp/keeper.ts'

const [NETWORK, OLD] = [cidr('10.1.0.0/16'), cidr('10.9.0.0/16')]
const OLD_ROUTE = '10.9.2.0/24'
const SELF = ip('192.0.2.1')

const lease = (subnet: Cidr, address: string): Lease => ({
  subnets: { ipv4: subnet },
  attributes: { publicIp: ip(address), backendType: 'host-gw' },
})
const OWN = lease(cidr('10.1.7.0/24'), SELF)
const OTHER = lease(cidr('10.1.8.0/24'), '192.0.2.2')
const OUTSIDE = lease(cidr('10.77.8.0/24'), '192.0.2.3')

let machine: Scratch
let segment: Scratch
let folder: string
let link: number
beforeEach(() => {
  machine = scratch()
  folder = mkdtempSync(join(tmpdir(), 'wefttest-flannel-mesh-'))
  segment = scratch()
  link = veth(machine, segment, 'eth0').a
  addrAdd(machine.rtnl, { link, address: `${SELF}/24` })
  leadToOld()
})
afterEach(() => {
  machine[Symbol.dispose]()
  segment[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

function leadToOld(): void {
  routeReplace(machine.rtnl, { destination: OLD_ROUTE, gateway: '192.0.2.2', link, protocol: ROUTE_PROTOCOL })
}

function mesh(hasBlackhole = false): Mesh {
  return new Mesh({
    rtnl: machine.rtnl,
    config: { ipv4: { network: NETWORK }, backend: { type: 'host-gw' } },
    uplink: { link: { index: link, name: 'eth0', mtu: 1500 }, addresses: { ipv4: SELF }, publicIp: SELF },
    keeper: new ProxyKeeper(join(folder, 'weft-udp.sock'), { file: '', args: [], argv0: '' }),
    oldNetworks: [OLD],
    hasBlackhole,
  })
}

const ours = () => routeList(machine.rtnl, { protocol: ROUTE_PROTOCOL }).map(({ destination }) => destination)

describe('networks of the time before', () => {
  test('are done with when the kernel is, whatever another machine’s lease says', async () => {
    const some = mesh()
    const { problems } = await some.apply(OWN, [OTHER, OUTSIDE])
    expect(problems).toEqual([expect.stringContaining('10.77.8.0/24 is left out')])
    expect(ours()).toEqual(['10.1.8.0/24'])
    expect(some.oldNetworks).toEqual([])
    // A route of the same protocol is another program's from now on.
    leadToOld()
    await some.apply(OWN, [OTHER, OUTSIDE])
    expect(ours().toSorted()).toEqual(['10.1.8.0/24', OLD_ROUTE])
  })

  test('stay while the kernel refuses something', async () => {
    const some = mesh(true)
    // No kernel takes such a prefix.
    const refused = { ...OWN, subnets: { ipv4: '10.1.7.0/33' as Cidr } }
    const { problems } = await some.apply(refused, [OTHER])
    expect(problems).toEqual([expect.stringContaining('the blackhole of 10.1.7.0/33')])
    expect(some.oldNetworks).toEqual([OLD])
    await some.apply(OWN, [OTHER])
    expect(some.oldNetworks).toEqual([])
  })
})
