/** By what a NIC is known again. */
import { describe, expect, test } from 'bun:test'
import { type Link, linkGet, openRtnl } from '../../../linux/index.ts'
import { isNoted, markOf, type NicNote, nameInMark, printNote, readNote } from './note.ts'

using rtnl = openRtnl()
/** Any link, to be changed. */
const LINK: Link = linkGet(rtnl, 'lo')
const DEVICE = { bus: 'virtio', name: 'virtio3' }
const NOTE: NicNote = {
  containerId: 'c1',
  ifname: 'net1',
  network: 'n',
  netns: { path: '/run/netns/p1', device: 4, inode: 4_026_532_000 },
  boot: 'first',
  nic: { name: 'eth1', mtu: 1500, up: true, permanentMac: 'fa:16:3e:00:00:05', device: DEVICE },
}
const hardware = (change: Partial<Link> = {}): Link => {
  const { kind: _, alias: __, ...link } = LINK
  return { ...link, name: 'net1', permanentMac: 'fa:16:3e:00:00:05', device: DEVICE, ...change }
}
const mark = markOf(NOTE)

describe('hardware', () => {
  test.each<[string, Link, string, boolean]>([
    ['with its mark', hardware({ alias: mark }), 'first', true],
    ['whose mark a pod took off', hardware({ mac: '02:00:00:00:00:01' }), 'first', true],
    ['with its mark after a restart of the machine', hardware({ alias: mark }), 'second', true],
    ['unmarked after a restart of the machine: it may be called anything by right', hardware(), 'second', false],
    ['of another device', hardware({ device: { bus: 'virtio', name: 'virtio4' } }), 'first', false],
    [
      'of the same device with another MAC address: it has two ports',
      hardware({ permanentMac: '02:00:00:00:00:02' }),
      'first',
      false,
    ],
    ['a pod’s software link with the mark', hardware({ kind: 'veth', alias: mark }), 'first', false],
  ])('%s', (_, link, boot, expected) => {
    expect(isNoted(link, NOTE, boot)).toBe(expected)
  })

  test('of which nothing is known is known by its mark', () => {
    const { device: _, permanentMac: __, ...nic } = NOTE.nic
    const { device: ___, permanentMac: ____, ...bare } = hardware()
    const note = { ...NOTE, nic }
    expect(isNoted(bare, note, 'first')).toBe(false)
    expect(isNoted({ ...bare, alias: mark }, note, 'first')).toBe(true)
  })
})

test('a mark says the old name, and whose it is', () => {
  expect(nameInMark(mark)).toBe('eth1')
  expect(markOf({ ...NOTE, containerId: 'c2' })).not.toBe(mark)
  for (const alias of [undefined, '', 'weft shop/cart', 'weft-nic  0123456789abcdef', `${mark} `]) {
    expect(nameInMark(alias)).toBeUndefined()
  }
})

test('a note is read as it was written', () => {
  expect(readNote(printNote(NOTE))).toEqual(expect.objectContaining(NOTE))
})

test.each([
  ['', 'JSON'],
  ['null', 'version'],
  ['{"version":1}', 'missing'],
  [JSON.stringify({ ...NOTE, version: 1, nic: { name: 7 } }), 'missing'],
  [JSON.stringify({ ...NOTE, version: 1, netns: 'p1' }), 'missing'],
])('%j is no note', (text, words) => {
  expect(() => readNote(text)).toThrow(words)
})
