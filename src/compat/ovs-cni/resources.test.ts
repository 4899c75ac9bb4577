import { expect, test } from 'bun:test'
import { bridgeResource, resourcePatch } from './resources.ts'

const BR1 = 'ovs-cni.network.kubevirt.io/br1'
const PATH = '/status/capacity/ovs-cni.network.kubevirt.io~1br1'

test.each([
  ['br1', BR1],
  ['br-ex.7_A', 'ovs-cni.network.kubevirt.io/br-ex.7_A'],
  ['br/1', undefined],
  ['-br', undefined],
  ['br~', undefined],
  ['', undefined],
])('the resource of bridge %j is %s', (bridge, resource) => {
  expect(bridgeResource(bridge)).toBe(resource)
})

const node = (capacity: unknown) => ({ status: { capacity } })

test.each<[string, unknown, readonly string[], unknown]>([
  ['a new one', node({ cpu: '2' }), [BR1], [{ op: 'add', path: PATH, value: '1000' }]],
  ['one that is there', node({ [BR1]: '1000' }), [BR1], []],
  ['one that is there as API servers write it', node({ [BR1]: '1k' }), [BR1], []],
  ['one that kubelet set to nothing', node({ [BR1]: '0' }), [BR1], [{ op: 'add', path: PATH, value: '1000' }]],
  ['one that is gone', node({ [BR1]: '1000', cpu: '2' }), [], [{ op: 'remove', path: PATH }]],
  ["others' resources", node({ 'devices.kubevirt.io/kvm': '1k', cpu: '2' }), [], []],
  [
    'a node without a status',
    {},
    [BR1],
    [
      { op: 'add', path: '/status', value: { capacity: {} } },
      { op: 'add', path: PATH, value: '1000' },
    ],
  ],
  [
    'a node without any',
    { status: {} },
    [BR1],
    [
      { op: 'add', path: '/status/capacity', value: {} },
      { op: 'add', path: PATH, value: '1000' },
    ],
  ],
  ['a node that says nonsense', node('x'), [], []],
])('%s', (_, object, wanted, patch) => {
  expect(resourcePatch(object, new Set(wanted))).toEqual(patch as never)
})
