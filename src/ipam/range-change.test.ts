import { expect, test } from 'bun:test'
import { cidr } from '../network/model/address.ts'
import { type RangeState, rangeChange } from './range-change.ts'

const [A, B, C] = [cidr('10.1.0.0/26'), cidr('10.1.0.64/26'), cidr('10.1.0.128/26')]
const STATE: RangeState = { ranges: [A, B, C], closing: [], wants: 2, unused: [], most: 20, revision: 9 }

interface Case extends Partial<RangeState> {
  readonly is: string
  readonly to: readonly [ranges: readonly string[], closing: readonly string[], lacks: number]
}

const CASES: readonly Case[] = [
  { is: 'what nobody calls unused stays', to: [[A, B, C], [], 0] },
  { is: 'one that is unused is closed', unused: [{ range: B }], to: [[A, B, C], [`${B}@9`], 0] },
  { is: 'as many as wanted are left alone', wants: 3, unused: [{ range: B }], to: [[A, B, C], [], 0] },
  { is: 'the first stays', unused: [{ range: A }], to: [[A, B, C], [], 0] },
  {
    is: 'nothing is closed without a number',
    revision: undefined as never,
    unused: [{ range: B }],
    to: [[A, B, C], [], 0],
  },
  {
    is: 'closed and empty goes',
    closing: [{ range: B, since: 9 }],
    unused: [{ range: B, since: 9 }],
    to: [[A, C], [], 0],
  },
  {
    is: 'a word about an earlier closing takes nothing',
    closing: [{ range: B, since: 9 }],
    unused: [{ range: B, since: 5 }],
    to: [[A, B, C], [`${B}@9`], 0],
  },
  {
    is: 'nor does one about a range that is not closed',
    wants: 3,
    unused: [{ range: B, since: 5 }],
    to: [[A, B, C], [], 0],
  },
  { is: 'closed is opened before one is added', closing: [{ range: B, since: 9 }], wants: 3, to: [[A, B, C], [], 0] },
  { is: 'what is wanted and not there is lacking', wants: 5, to: [[A, B, C], [], 2] },
  { is: 'but no more than a node may have', wants: 5, most: 4, to: [[A, B, C], [], 1] },
  { is: 'nothing is taken because a node may have less now', wants: 3, most: 1, to: [[A, B, C], [], 0] },
  { is: 'a node without any lacks one', ranges: [], wants: 1, to: [[], [], 1] },
  { is: 'the first is never closing', closing: [{ range: A, since: 9 }], wants: 3, to: [[A, B, C], [], 0] },
]

test.each(CASES)('$is', ({ is: _, to: [ranges, closing, lacks], ...change }) => {
  const found = rangeChange({ ...STATE, ...change })
  expect(found.closing.map(({ range, since }) => `${range}@${since}`)).toEqual([...closing])
  expect<unknown>([found.ranges, found.lacks]).toEqual([ranges, lacks])
})
