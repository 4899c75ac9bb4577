import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { checkedTag } from '../../openstack/neutron/tags.ts'
import { deviceIdOf, portNameOf, tagOf } from './names.ts'

const POD = { namespace: 'shop', name: 'web-0', uid: undefined, infraContainerId: undefined }

test.each([
  ['weft-node', 'node-1.example', 'weft-node=node-1.example'],
  ['weft-network', 'a/b,c', 'weft-network=a-b-c~5328ac887816'],
  ['weft-node', `${'n'.repeat(63)}.example`, `weft-node=${'n'.repeat(37)}~`],
] as const)('tag %s of %s', (key, value, start) => {
  expect(tagOf(key, value)).toStartWith(start)
})

test('the document’s container', () => {
  const key = { containerId: 'example', ifname: 'dummy0' }
  expect([deviceIdOf(key), portNameOf(key, undefined), portNameOf(key, POD)]).toEqual([
    'weft:example/dummy0',
    'weft/example/dummy0',
    'weft/shop/web-0/dummy0',
  ])
})

test('whatever they are made of, Neutron takes them, and what differs stays different', () => {
  const text = fc.string({ maxLength: 300, unit: 'binary' })
  fc.assert(
    fc.property(text, text, (one, other) => {
      for (const value of [one, other]) expect(checkedTag(tagOf('weft-network', value))).not.toMatch(/[,/]/)
      expect(tagOf('weft-network', one) === tagOf('weft-network', other)).toBe(one === other)
    }),
  )
  const id = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/)
  const ifname = fc.stringMatching(/^[a-z][a-z0-9]{0,14}$/)
  fc.assert(
    fc.property(id, id, ifname, ifname, (a, b, x, y) => {
      const [one, other] = [deviceIdOf({ containerId: a, ifname: x }), deviceIdOf({ containerId: b, ifname: y })]
      expect(one.length).toBeLessThanOrEqual(255)
      expect(one === other).toBe(a === b && x === y)
      expect(portNameOf({ containerId: a, ifname: x }, { ...POD, name: b }).length).toBeLessThanOrEqual(120)
    }),
  )
})
