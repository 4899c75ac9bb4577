import { expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import { NodesView } from '../cluster/nodes-view.ts'
import { OutsideInputs } from '../cluster/outside-inputs.ts'
import { VIEWED_KINDS } from '../cluster/view.ts'
import { ClusterPools } from '../plugins/spiderpool/cluster-pools.ts'
import { BgpWishes } from './objects.ts'

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

test('no kind is watched for the plan or for pools and once more for BGP; what others read is told, and counts', () => {
  const outside = new OutsideInputs(() => undefined)
  const nodes = new NodesView()
  let changes = 0
  const wishes = new BgpWishes(
    () => {
      changes += 1
    },
    outside,
    nodes,
  )
  const pools = new ClusterPools({ node: 'node1' })
  const viewed: ReadonlySet<string> = new Set([...VIEWED_KINDS, ...Object.keys(pools.watchers)])
  expect(Object.keys(wishes.watchers).filter((kind) => viewed.has(kind))).toEqual([])
  outside.configurations.put({ name: 'default', mesh: false })
  expect([changes, wishes.configuration.mesh]).toEqual([0, false])
  for (const watcher of Object.values(wishes.watchers)) watcher.read?.()
  expect([changes, wishes.isRead]).toEqual([0, false])
  nodes.put({ name: 'node1', uid: 'u1', addresses: [], labels: { [EXCLUDED]: '' } })
  nodes.read()
  expect([changes, wishes.isRead, wishes.isExcluded('node1')]).toEqual([1, true, true])
  nodes.remove('node1')
  expect([changes, [...wishes.nodes]]).toEqual([2, []])
  changes = 0
  outside.pools.put({ name: 'blue', cidr: cidr('10.1.0.0/16') })
  expect([changes, wishes.has('BgpRange', 'blue'), [...wishes.ranges].length]).toEqual([1, true, 1])
  outside.configurations.remove('default')
  expect([changes, wishes.has('BgpConfiguration', 'default'), wishes.configuration]).toEqual([
    2,
    false,
    { name: 'default' },
  ])
})
