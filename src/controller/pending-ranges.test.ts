import { describe, expect, test } from 'bun:test'
import { type Cidr, cidr, ip } from '../network/model/address.ts'
import { PendingRanges } from './pending-ranges.ts'
import { Adversary } from './testing/adversary.ts'
import { clusterOf } from './testing/cluster.ts'

const [X, Y, Z] = ['10.1.0.0/18', '10.1.64.0/18', '10.1.128.0/18'].map(cidr) as [Cidr, Cidr, Cidr]

describe('pending ranges', () => {
  test('what is only chosen goes when it is not wanted; what an update may bring stays', () => {
    const pending = new PendingRanges()
    pending.choose('a', [X])
    expect(pending.unchoose('a')).toBe(true)
    expect(pending.of('a')).toEqual([])
    pending.bring('a', [X], 5)
    expect(pending.unchoose('a')).toBe(false)
    pending.unchooseAll()
    expect([...pending]).toEqual([['a', [X]]])
  })

  test('of two updates that replace the same revision either may be made, until the record is at another', () => {
    const pending = new PendingRanges()
    pending.bring('a', [X], 5)
    expect(pending.bring('a', [Y], 5)).toBe(false)
    expect(pending.of('a')).toEqual([X, Y])
    pending.recordIsAt('a', 5)
    expect(pending.unchoose('a')).toBe(false)
    pending.recordIsAt('a', 6)
    expect(pending.of('a')).toEqual([X, Y])
    expect(pending.bring('a', [Z], 6)).toBe(true)
    expect(pending.of('a')).toEqual([Z])
    pending.recordIsAt('a', undefined)
    expect(pending.unchoose('a')).toBe(true)
  })
})

/** Four nodes' worth of ranges, of which three have theirs; each write of the controller is driven step by step. */
async function threeNodes(): Promise<Adversary> {
  const adversary = new Adversary(() => 0)
  await adversary.registry.create(
    'Cluster',
    'default',
    clusterOf({ networks: [{ cidr: cidr('10.1.0.0/16'), hostBits: 14 }] }),
  )
  await adversary.restart()
  for (const name of ['a', 'b', 'c']) await addNode(adversary, name)
  await adversary.settle()
  return adversary
}

async function addNode({ registry }: Adversary, name: string): Promise<void> {
  await registry.create('Node', name, { name, uid: `uid-${name}`, addresses: [ip('192.0.2.1')] })
}

async function ranges({ registry }: Adversary): Promise<Readonly<Record<string, readonly Cidr[]>>> {
  const { objects } = await registry.list('NodeNetwork')
  return Object.fromEntries(objects.map(({ name, value }) => [name, value.ranges]))
}

/** The last range. */
const LAST = [cidr('10.1.192.0/18')]

describe('a write that was given up arrives when its node is gone', () => {
  test('a creation, and another node has the last range by now', async () => {
    const adversary = await threeNodes()
    await addNode(adversary, 'gone')
    adversary.hear('Node', 1)
    await adversary.start('late')
    await adversary.registry.delete('Node', 'gone')
    adversary.hear('Node', 1)
    await adversary.answer()
    await addNode(adversary, 'next')
    adversary.hear('Node', 1)
    for (let writes = 0; writes < 2; writes += 1) {
      await adversary.start('answered')
      await adversary.answer()
    }
    expect(await ranges(adversary)).toMatchObject({ next: LAST })
    await adversary.arrive()
    expect(await ranges(adversary)).toMatchObject({ next: LAST, gone: [] })
    await adversary.settle()
    expect(Object.keys(await ranges(adversary))).toEqual(['a', 'b', 'c', 'next'])
  })

  test('a creation that was repeated, when even the record is gone again', async () => {
    const adversary = await threeNodes()
    await addNode(adversary, 'gone')
    adversary.hear('Node', 1)
    await adversary.start('late')
    await adversary.answer()
    for (let writes = 0; writes < 2; writes += 1) {
      await adversary.start('answered')
      await adversary.answer()
    }
    expect(await ranges(adversary)).toMatchObject({ gone: LAST })
    await adversary.registry.delete('Node', 'gone')
    await addNode(adversary, 'next')
    adversary.hear('Node', 2)
    adversary.hear('NodeNetwork', 2)
    for (let writes = 0; writes < 4; writes += 1) {
      await adversary.start('answered')
      await adversary.answer()
    }
    expect(await ranges(adversary)).toMatchObject({ next: LAST })
    await adversary.arrive()
    expect(await ranges(adversary)).toMatchObject({ next: LAST, gone: [] })
  })

  test('an update, whose range is nobody’s as long as the record stands, and anybody’s after it', async () => {
    const adversary = await threeNodes()
    await addNode(adversary, 'gone')
    adversary.hear('Node', 1)
    await adversary.start('answered')
    await adversary.answer()
    await adversary.start('late')
    await adversary.answer()
    await adversary.registry.delete('Node', 'gone')
    await addNode(adversary, 'next')
    adversary.hear('Node', 2)
    // Twice the deletion of gone's record does not get through; next's is made, and gets no range.
    for (let times = 0; times < 2; times += 1) {
      await adversary.start('lost before')
      await adversary.start('answered')
      expect(await ranges(adversary)).toMatchObject({ gone: [], next: [] })
      await adversary.answer()
      await adversary.answer()
    }
    expect((await adversary.registry.get('NodeNetwork', 'next'))?.value.problem).toStartWith('no subnets available')
    for (let writes = 0; writes < 3; writes += 1) {
      await adversary.start('answered')
      await adversary.answer()
    }
    expect(await ranges(adversary)).toMatchObject({ next: LAST })
    await adversary.arrive()
    expect(await ranges(adversary)).toMatchObject({ next: LAST })
    expect(Object.keys(await ranges(adversary))).not.toContain('gone')
  })
})
