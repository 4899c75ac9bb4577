import { expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import { OutsideInputs } from '../cluster/outside-inputs.ts'
import { VIEWED_KINDS } from '../cluster/view.ts'
import { BgpWishes } from './objects.ts'

test('no kind is watched for the plan and once more for BGP; what the plan reads is told, and counts', () => {
  const outside = new OutsideInputs(() => undefined)
  let changes = 0
  const wishes = new BgpWishes(() => {
    changes += 1
  }, outside)
  const viewed: ReadonlySet<string> = new Set(VIEWED_KINDS)
  expect(Object.keys(wishes.watchers).filter((kind) => viewed.has(kind))).toEqual([])
  outside.configurations.put({ name: 'default', mesh: false })
  expect([changes, wishes.configuration.mesh]).toEqual([0, false])
  for (const watcher of Object.values(wishes.watchers)) watcher.read?.()
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
