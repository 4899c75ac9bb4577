import { afterEach, expect, test } from 'bun:test'
import type { AddressMode } from '../../network/model/neutron.ts'
import { WISH, World } from './testing/world.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

function worldOf(mode: AddressMode): World {
  const world = new World({ trunk: 'trunk-1' })
  ends.push(() => world.stop())
  world.wishes = [{ ...WISH, mode }]
  return world
}

test('the ports of a network that cannot be read stay as they are', async () => {
  const world = worldOf('pair')
  await world.settle()
  const { pool } = world
  // As the registry tells of it: it is not in its list.
  world.wishes = []
  world.spoilt.add('pods')
  world.keeper.doubt()
  await world.settle()
  expect(world.pool).toEqual(pool)
  world.spoilt.clear()
  await world.settle()
  expect(world.pool?.ports.every(({ withdrawn }) => withdrawn)).toBe(true)
})
