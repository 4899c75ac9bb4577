import { expect, test } from 'bun:test'
import { ip } from '../../../network/model/address.ts'
import type { EndpointObject } from './endpoint.ts'
import { toldAddresses, toldPlace, toldSet } from './told.ts'

/** As Spiderpool writes it. */
const theirs: EndpointObject = {
  metadata: { name: 'db-0', finalizers: ['spiderpool.spidernet.io'] },
  status: {
    current: {
      uid: 'U',
      node: 'node1',
      ips: [
        {
          interface: 'eth0',
          ipv4: '172.18.30.131/16',
          ipv4Pool: 'p4',
          ipv4Gateway: '172.18.0.1',
          vlan: 0,
          cleanGateway: false,
        },
        {
          interface: 'net1',
          ipv6: 'fd00::5/64',
          ipv6Pool: 'p6',
          vlan: 0,
          cleanGateway: true,
          mac: '00:00:00:00:00:01',
        },
      ],
    },
    ownerControllerType: 'StatefulSet',
    ownerControllerName: 'db',
  },
}

test('what an endpoint of Spiderpool tells', () => {
  expect(toldAddresses(theirs)).toEqual([
    { address: ip('172.18.30.131'), ifname: 'eth0', pool: 'p4', hasCleanGateway: false },
    { address: ip('fd00::5'), ifname: 'net1', pool: 'p6', hasCleanGateway: true },
  ])
  expect(toldPlace(theirs)).toEqual({ uid: 'U', node: 'node1' })
  expect(toldSet(theirs)).toEqual({ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' })
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['no object', 'x'],
  ['no list', { current: { ips: { 0: { interface: 'eth0', ipv4: '10.0.0.1/8', ipv4Pool: 'p' } } } }],
  ['no address', { current: { uid: 7, ips: [null, { interface: 'eth0', ipv4: '10.0.0.256/8', ipv4Pool: 'p' }] } }],
  ['another owner', { ownerControllerType: 'Deployment', ownerControllerName: 'db' }],
])('%s tells nothing', (_, status) => {
  const object = { metadata: { name: 'x' }, status }
  expect([toldAddresses(object), toldPlace(object), toldSet(object)]).toEqual([[], { uid: '', node: '' }, undefined])
})
