/** Byte by byte, as linux/if_link.h has them: not every kernel that tests run on has these kinds. */
import { expect, test } from 'bun:test'
import { LinuxError } from '../errno.ts'
import { decodeKind } from './link-kinds.ts'
import { encodeStacked, type StackedSpec } from './link-kinds-stacked.ts'
import { readAttributes } from './reader.ts'
import { MessageWriter } from './writer.ts'

test.each<[StackedSpec, string]>([
  [{ kind: 'macvlan', parent: 2 }, ''],
  [{ kind: 'macvlan', parent: 2, mode: 'private' }, '08 00 01 00 01 00 00 00'],
  [{ kind: 'macvlan', parent: 2, mode: 'bridge' }, '08 00 01 00 04 00 00 00'],
  [{ kind: 'ipvlan', parent: 2 }, ''],
  [{ kind: 'ipvlan', parent: 2, mode: 'l2' }, '06 00 01 00 00 00 00 00'],
  [{ kind: 'ipvlan', parent: 2, mode: 'l3' }, '06 00 01 00 01 00 00 00'],
  [{ kind: 'ipvlan', parent: 2, mode: 'l3s' }, '06 00 01 00 02 00 00 00'],
  [{ kind: 'vlan', parent: 2, id: 100 }, '06 00 01 00 64 00 00 00'],
  [{ kind: 'vlan', parent: 2, id: 4094, protocol: '802.1q' }, '06 00 01 00 fe 0f 00 00 06 00 05 00 81 00 00 00'],
  [{ kind: 'vlan', parent: 2, id: 0, protocol: '802.1ad' }, '06 00 01 00 00 00 00 00 06 00 05 00 88 a8 00 00'],
])('%j', (spec, expected) => {
  const writer = new MessageWriter()
  encodeStacked(spec, writer)
  const bytes = writer.finish()
  expect(
    Buffer.from(bytes)
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$& '),
  ).toBe(expected)
  const { parent: _, ...data } = spec
  expect<unknown>(decodeKind(spec.kind, readAttributes(bytes, 0))).toEqual(data)
})

test.each([-1, 4096, 1.5])('VLAN %d is refused', (id) => {
  expect(() => encodeStacked({ kind: 'vlan', parent: 2, id }, new MessageWriter())).toThrow(LinuxError)
})

test('a mode that we do not know is none', () => {
  const written = new MessageWriter().u16(1, 77).finish()
  expect<unknown>(decodeKind('ipvlan', readAttributes(written, 0))).toEqual({ kind: 'ipvlan' })
  expect(decodeKind('unheard', readAttributes(written, 0))).toBeUndefined()
})
