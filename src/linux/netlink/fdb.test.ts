import { expect, test } from 'bun:test'
import { scratch } from '../testing/scratch.ts'
import { fdbDel, fdbList, fdbReplace } from './fdb.ts'
import { linkAdd } from './link-add.ts'

const MAC = 'c6:d2:32:6f:8f:44'

test('a MAC address leads to one machine, wherever it moves', () => {
  using scope = scratch()
  const spec = { kind: 'vxlan', vni: 1, port: 8472, local: '192.0.2.1', learning: false } as const
  const link = linkAdd(scope.rtnl, { ...spec, name: 'flannel.1', up: true }).index
  const other = linkAdd(scope.rtnl, { ...spec, vni: 2, name: 'flannel.2' }).index
  expect(fdbList(scope.rtnl, link)).toEqual([])
  fdbReplace(scope.rtnl, { link, mac: MAC, to: '192.0.2.2' })
  fdbReplace(scope.rtnl, { link: other, mac: MAC, to: '192.0.2.9' })
  fdbReplace(scope.rtnl, { link, mac: 'c6:d2:32:6f:8f:45', to: '192.0.2.3' })
  fdbReplace(scope.rtnl, { link, mac: MAC, to: '192.0.2.4' })
  const found = fdbList(scope.rtnl, link).toSorted((a, b) => (a.mac < b.mac ? -1 : 1))
  expect(found).toEqual([
    { link, mac: MAC, to: '192.0.2.4' },
    { link, mac: 'c6:d2:32:6f:8f:45', to: '192.0.2.3' },
  ])
  for (const entry of found) fdbDel(scope.rtnl, entry)
  expect(fdbList(scope.rtnl, link)).toEqual([])
  expect(() => fdbDel(scope.rtnl, { link, mac: MAC, to: '192.0.2.4' })).toThrow(
    expect.objectContaining({ code: 'LINUX_ENOENT' }),
  )
})
