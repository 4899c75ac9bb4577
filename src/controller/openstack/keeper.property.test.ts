/** Whatever breaks, whenever: in the end Neutron holds what is written down, and what pods had they kept. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { AddressMode } from '../../network/model/neutron.ts'
import type { Mishap } from '../../openstack/testing/fake-neutron.ts'
import { NODE, WISH, World } from './testing/world.ts'

type Step =
  | { readonly do: 'pass'; readonly mishaps: readonly Mishap[] }
  | { readonly do: 'write'; readonly fails: 'before' | 'after' }
  | { readonly do: 'crash' | 'agree' | 'tell' | 'doubt' | 'wait' }
  | { readonly do: 'lease' | 'release' | 'foreign'; readonly nth: number }
  | { readonly do: 'resize'; readonly min: number; readonly max: number }
  | { readonly do: 'limit'; readonly pairs: number; readonly quota: number }

const nth = fc.nat({ max: 20 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      mishaps: fc.array(fc.constantFrom<Mishap>('none', 'none', 'none', 'before', 'after'), { maxLength: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('lease' as const, 'release' as const), nth }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('crash' as const, 'agree' as const, 'tell' as const, 'doubt' as const, 'wait' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreign' as const), nth }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      fails: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 6 }).chain((min) =>
      fc.record({
        do: fc.constant('resize' as const),
        min: fc.constant(min),
        max: fc.integer({ min: Math.max(1, min), max: 14 }),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      pairs: fc.integer({ min: 2, max: 14 }),
      quota: fc.constantFrom(-1, 4, 9),
    }),
  },
)

const FOREIGN_PAIR = { ip_address: '192.0.2.7', mac_address: 'fa:16:3e:00:00:99' }

for (const mode of ['pair', 'fixed', 'trunk'] as const) {
  test(`mode ${mode}: after any misfortune Neutron holds exactly what is written down`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const world = worldOf(mode)
        try {
          for (const one of steps) {
            await perform(world, one)
            standing(world)
          }
          await inTheEnd(world, mode)
        } finally {
          await world.stop()
        }
      }),
      { numRuns: Number(process.env['WEFT_POOL_RUNS'] ?? 40) },
    )
  }, 120_000)
}

function worldOf(mode: AddressMode): World {
  const world = new World({ trunk: 'trunk-1' })
  world.wishes = [{ ...WISH, mode }]
  const vm = world.neutron.ports.get('vm-1')
  vm?.allowed_address_pairs.push(FOREIGN_PAIR)
  world.neutron.trunks.get('trunk-1')?.subports.set('somebody', 3)
  // Of another cluster, and nobody's.
  world.neutron.addVm('foreign-1', 'net', '10.1.0.40').tags.push('weft', 'weft-cluster=other')
  return world
}

async function perform(world: World, step: Step): Promise<void> {
  const { neutron } = world
  switch (step.do) {
    case 'pass': {
      const mishaps = [...step.mishaps]
      neutron.mishap = (_, isWrite) => (isWrite ? (mishaps.shift() ?? 'none') : 'none')
      await world.keeper.lookAfter().catch(() => world.keeper.doubt())
      neutron.mishap = () => 'none'
      return
    }
    case 'write':
      world.failWrite = step.fails
      return
    case 'crash':
      world.restart()
      return
    case 'agree':
      return world.agree()
    case 'tell':
      return world.tell()
    case 'doubt':
      return world.keeper.doubt()
    case 'wait':
      world.now += 61_000
      return
    case 'lease':
    case 'release':
      return world[step.do](step.nth)
    case 'foreign': {
      // Somebody takes a VLAN, and gives the VM an address of its own.
      neutron.trunks.get('trunk-1')?.subports.set(`somebody-${step.nth}`, 100 + step.nth)
      const vm = neutron.ports.get('vm-1')
      if (vm !== undefined) vm.revision_number += 1
      return
    }
    case 'resize':
      world.wishes = world.wishes.map((wish) => ({ ...wish, pool: { min: step.min, max: step.max, batch: 4 } }))
      return
    case 'limit':
      neutron.mostPairs = Math.max(step.pairs, neutron.ports.get('vm-1')?.allowed_address_pairs.length ?? 0)
      neutron.quota = step.quota
  }
}

/** Nobody takes from a pod what it has. */
function standing({ neutron, leased, pool }: World): void {
  const vm = neutron.ports.get('vm-1')
  for (const { id } of leased) {
    const address = id.split('/')[1]
    if (address === undefined) expect(neutron.ports.has(id)).toBe(true)
    else expect(vm?.fixed_ips.some((one) => one.ip_address === address)).toBe(true)
    if (pool !== undefined) expect(pool.ports.some((port) => port.id === id)).toBe(true)
  }
  expect(neutron.ports.has('foreign-1')).toBe(true)
}

async function inTheEnd(world: World, mode: AddressMode): Promise<void> {
  const { neutron } = world
  world.failWrite = 'none'
  neutron.mostPairs = 40
  neutron.quota = -1
  for (let round = 0; round < 4; round += 1) {
    world.agree()
    world.now += 120_000
    await world.settle()
  }
  const { pool, problems } = world
  expect(problems).toEqual([])
  const addresses = (pool?.ports ?? []).flatMap((port) => port.addresses.map(({ address }) => address as string))
  const vm = neutron.ports.get('vm-1')
  const ours = [...neutron.ports.values()].filter(({ tags }) => tags.includes('weft-cluster=cluster-uid'))
  const pairs = (vm?.allowed_address_pairs ?? []).map((pair) => pair.ip_address)
  const subports = [...(neutron.trunks.get('trunk-1')?.subports ?? [])].filter(([id]) => !id.startsWith('somebody'))
  const ids = (pool?.ports ?? []).map(({ id }) => id).toSorted()
  expect(ours.map(({ id }) => id).toSorted()).toEqual(mode === 'fixed' ? [] : ids)
  expect(pairs.toSorted()).toEqual([FOREIGN_PAIR.ip_address, ...(mode === 'pair' ? addresses : [])].toSorted())
  expect((vm?.fixed_ips ?? []).map((one) => one.ip_address).toSorted()).toEqual(
    ['10.1.0.200', ...(mode === 'fixed' ? addresses : [])].toSorted(),
  )
  expect(new Map(subports)).toEqual(
    new Map(mode === 'trunk' ? (pool?.ports ?? []).map(({ id, vlan = 0 }) => [id, vlan]) : []),
  )
  expect(new Set(addresses).size).toBe(addresses.length)
  expect(addresses).not.toContain('10.1.0.200')
  const { min = 0, max = 0 } = world.wishes[0]?.pool ?? {}
  expect(ids.length).toBeGreaterThanOrEqual(Math.min(world.leased.length + min, max))
  expect(ids.length).toBeLessThanOrEqual(Math.max(max, world.leased.length))
  expect(world.ports.get(NODE.name)?.pools).toHaveLength(1)
}
