/** On a real wire: the plugin asks it, and passes by what a neighbour has. */
import { expect, test } from 'bun:test'
import { addrAdd, linkGet, sysctlSet } from '../../../linux/index.ts'
import { type Scratch, scratch, veth } from '../../../linux/testing/scratch.ts'
import { ip } from '../../../network/model/address.ts'
import { MemoryRegistry } from '../../../registry/memory.ts'
import { checkWire } from '../../wire/check.ts'
import { from, pod, pool } from './testing/objects.ts'
import { Agent, claimsIn } from './testing/rig.ts'

test('addresses of both families that a neighbour has go to no pod; the gateway has to answer', async () => {
  using inside = scratch()
  using outside = scratch()
  veth(outside, inside, 'eth0', 'eth0')
  for (const address of ['172.18.0.1/16', '172.18.30.131/16', 'fd00::1/64', 'fd00::10/64']) give(outside, address)
  const registry = new MemoryRegistry()
  const pools = [pool('p', '172.18.30.131-172.18.30.140'), pool('q', 'fd00::10-fd00::1f')]
  for (const one of pools) await registry.create('AddressPool', one.name, one)
  const agent = await Agent.start(registry, { checkWire })
  const netns = { netns: { fd: inside.nsFd, path: '/unused' } }
  expect(await agent.addresses(pod('a', from(['p'], ['q'])), 'c1', netns)).toBe('172.18.30.132 fd00::11')
  expect(await claimsIn(registry)).toEqual(['172.18.30.132 a c1', 'fd00::11 a c1'])
  const mac = linkGet(outside.rtnl, 'eth0').mac ?? 'none'
  expect(agent.warnings.map((text) => text.includes(mac))).toEqual([true, true])
  // Nobody has this gateway.
  await registry.create('AddressPool', 's', pool('s', '172.18.50.1', { gateway: ip('172.18.0.77') }))
  await Bun.sleep(5)
  const failed = agent.add(pod('b', from(['s'])), 'c2', netns)
  await expect(failed).rejects.toThrow('gateway 172.18.0.77 of address 172.18.50.1 does not answer')
  expect(await claimsIn(registry)).toEqual(['172.18.30.132 a c1', 'fd00::11 a c1'])
})

function give(host: Scratch, address: string): void {
  sysctlSet(['net', 'ipv6', 'conf', 'eth0', 'accept_dad'], '0', host.nsFd)
  addrAdd(host.rtnl, { link: linkGet(host.rtnl, 'eth0').index, address, nodad: address.includes(':') })
}
