import { expect, test } from 'bun:test'
import { cidr, ip } from '../../../network/model/address.ts'
import { parseRoutes } from './annotations.ts'

test('routes, bits behind the prefix do not matter', () => {
  const text = JSON.stringify([
    { dst: '10.1.2.3/16', gw: '192.168.1.1' },
    { dst: 'fd01::/64', gw: 'fd00::1' },
    { dst: '0.0.0.0/0', gw: '192.168.1.2' },
  ])
  expect(parseRoutes(text)).toEqual([
    { destination: cidr('10.1.0.0/16'), gateway: ip('192.168.1.1') },
    { destination: cidr('fd01::/64'), gateway: ip('fd00::1') },
    { destination: cidr('0.0.0.0/0'), gateway: ip('192.168.1.2') },
  ])
})

test.each([
  ['{}', 'value: must be a list'],
  ['[7]', '[0]: must be an object'],
  ['[{"gw": "10.0.0.1"}]', '[0].dst: must be a network such as 10.0.0.0/16'],
  ['[{"dst": "10.0.0.0/33", "gw": "10.0.0.1"}]', '[0].dst: must be a network such as 10.0.0.0/16'],
  ['[{"dst": "10.0.0.0/8"}]', '[0].gw: must be an address'],
  [
    '[{"dst": "10.0.0.0/8", "gw": "10.0.0.1"}, {"dst": "10.0.0.0/8", "gw": "fd00::1"}]',
    '[1].gw: must be of the family of dst',
  ],
  [`[${'{},'.repeat(100)}{}]`, 'value: must not have more than 100 items'],
])('refused: %s', (text, why) => {
  expect(() => parseRoutes(text)).toThrow(`annotation ipam.spidernet.io/routes of the pod: ${why}`)
})
