import { expect, test } from 'bun:test'
import { decodeWith, describeProblems } from './decode.ts'
import { fabricWay } from './fabric-way.ts'

test.each(['tunnel', 'direct', 'bgp'])('%s is a way', (way) => {
  expect(decodeWith(fabricWay, way)).toEqual({ ok: true, value: way as never })
})

test.each<[unknown, RegExp]>([
  ['ipip', /no ipip tunnels.*choose tunnel/],
  ['wireguard', /does not encrypt.*choose tunnel/],
  ['ipsec', /does not encrypt.*choose tunnel/],
  ['frr', /BIRD 2.*choose bgp/],
  ['vxlan', /"vxlan" is not known/],
  ['toString', /is not known/],
  [7, /7 is not known/],
])('%p is none, and it is said why', (way, told) => {
  const decoded = decodeWith(fabricWay, way)
  expect(decoded.ok ? '' : describeProblems(decoded.problems)).toMatch(told)
})
