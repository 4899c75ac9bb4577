/** What a node is reached at, read from a real kernel. */
import { expect, test } from 'bun:test'
import { addrAdd, linkAdd, linkGet } from '../../../linux/index.ts'
import { scratch } from '../../../linux/testing/scratch.ts'
import { ip } from '../../../network/model/address.ts'
import { observeHost } from './observe.ts'

test('a node is not reached at addresses of links that lead to containers and virtual machines', () => {
  using node = scratch()
  const give = (name: string, ...addresses: readonly string[]): void => {
    const made = name === 'lo' ? linkGet(node.rtnl, name) : linkAdd(node.rtnl, { kind: 'bridge', name, up: true })
    for (const address of addresses) addrAdd(node.rtnl, { link: made.index, address, nodad: address.includes(':') })
  }
  const others = [
    'docker0',
    'cbr0',
    'dummy0',
    'virbr0',
    'lxcbr0',
    'vethabc',
    'cali1',
    'flannel.1',
    'kube-ipvs0',
    'cni0',
  ]
  for (const [index, name] of [...others, 'vx-submariner', 'cilium_host'].entries()) {
    give(name, `172.17.${index}.1/24`, `fd17:${index}::1/64`)
  }
  give('lo', '192.0.2.1/32')
  give('bond0', '203.0.113.7/24')
  // A name that only has one of those in it is a card's.
  give('my-docker0', '198.51.100.7/24')
  give('eth0', '172.18.30.10/16', 'fd00:18::10/64')
  expect(observeHost(node.rtnl, [ip('172.18.30.131'), ip('fd00:18::131')], undefined).addresses).toEqual(
    ['172.18.30.10', 'fd00:18::10', '203.0.113.7', '198.51.100.7'].map((text) => ip(text)),
  )
})
