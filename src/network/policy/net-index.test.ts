/** What finds networks without a look at all of them, held against a look at all of them. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cidr, contains, formatIp, type Ip, networkAround, overlaps } from '../model/address.ts'
import type { NodeNetwork } from '../model/node.ts'
import { ChosenNets } from './chosen-nets.ts'
import { Machines } from './machines.ts'
import { NetIndex } from './net-index.ts'
import { inRange, partsIn } from './ranges.ts'

/** Few addresses, so that much meets. */
const addresses: fc.Arbitrary<Ip> = fc.oneof(
  fc.integer({ min: 0, max: 63 }).map((n) => formatIp(4, 0x0a000000n | BigInt(n))),
  fc.integer({ min: 0, max: 63 }).map((n) => formatIp(6, (0xfd00n << 112n) | BigInt(n))),
)
const nets: fc.Arbitrary<Cidr> = fc
  .tuple(addresses, fc.integer({ min: 0, max: 7 }))
  .map(([ip, bits]) => networkAround(ip, bits === 7 ? 0 : (ip.includes(':') ? 128 : 32) - bits))
const someNets = fc.array(nets, { maxLength: 12 })

test('networks that meet one are those that overlap it, as often as they are there', () => {
  fc.assert(
    fc.property(someNets, nets, (all, net) => {
      const found = [...new NetIndex(all.map((one) => ({ net: one }))).meeting(net)].map((one) => one.net)
      expect(found.toSorted()).toEqual(all.filter((one) => overlaps(one, net)).toSorted())
    }),
  )
})

test('what ranges leave of networks holds the addresses that are in both', () => {
  const ranges = fc.array(fc.record({ range: nets, except: fc.array(nets, { maxLength: 3 }) }), { maxLength: 4 })
  fc.assert(
    fc.property(someNets, ranges, addresses, (all, within, address) => {
      const isLeft = partsIn(all, within).some((part) => contains(part, address))
      const isWithin = within.some(({ range, except }) => inRange(range, except, address))
      expect(isLeft).toBe(isWithin && all.some((net) => contains(net, address)))
    }),
  )
})

test('sets that come, change and go hold what one of them has, and say what came and went', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), someNets), { maxLength: 8 })
  fc.assert(
    fc.property(steps, addresses, (changes, address) => {
      const chosen = new ChosenNets()
      const model = new Map<string, readonly Cidr[]>()
      for (const [set, now] of changes) {
        const [before, after] = [new Set(model.get(set)), new Set(now)]
        const told = [...after].filter((net) => !before.has(net)).concat([...before].filter((net) => !after.has(net)))
        expect(chosen.put(set, now).toSorted()).toEqual(told.toSorted())
        model.set(set, now)
        expect(chosen.hold(address)).toBe([...model.values()].flat().some((net) => contains(net, address)))
      }
    }),
  )
})

test('machines that come, move and go are found by networks around an address of theirs', () => {
  const steps = fc.array(
    fc.tuple(fc.constantFrom('n1', 'n2', 'n3'), fc.option(fc.array(addresses, { maxLength: 3 }), { nil: undefined })),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(steps, someNets, (changes, asked) => {
      const machines = new Machines()
      const model = new Map<string, readonly Ip[]>()
      for (const [node, at] of changes) {
        if (at === undefined) machines.remove(node)
        else machines.put({ node, addresses: at, ranges: [] } as unknown as NodeNetwork)
        if (at === undefined) model.delete(node)
        else model.set(node, at)
      }
      const wanted = [...model].filter(([, at]) => at.some((one) => asked.some((net) => contains(net, one))))
      expect([...machines.in(asked)].map(({ node }) => node).toSorted()).toEqual(
        wanted.map(([node]) => node).toSorted(),
      )
    }),
  )
})
