import { expect, test } from 'bun:test'
import { SAMPLE_SERVICES, SAMPLE_SLICES, samplePlanner } from '../../../test/tables/sample-node.ts'
import { together } from '../diff.ts'
import type { NodePlanner } from '../planner.ts'
import { deadEnds, retagged } from './stale.ts'

const [WEB] = SAMPLE_SERVICES
const [SLICE] = SAMPLE_SLICES
if (WEB === undefined || SLICE === undefined) throw new Error('the sample has a service')
const service = WEB
const slice = SLICE

/** What a change of the sample leaves behind. */
function after(change: (planner: NodePlanner) => void): readonly string[] {
  const planner = samplePlanner()
  planner.take()
  change(planner)
  const changes = planner.take()
  const tables = (which: 'before' | 'after') => together(changes.map((each) => each[which]))
  return deadEnds(tables('before'), tables('after')).map(({ address, port }) => `${address} ${port}`)
}

test.each<[string, (planner: NodePlanner) => void, readonly string[]]>([
  ['nothing where nothing changed', (planner) => planner.putEndpointSlice(slice), []],
  [
    'the UDP port of an endpoint that left',
    (planner) => planner.putEndpointSlice({ ...slice, endpoints: slice.endpoints.slice(1) }),
    ['10.128.0.2 5514'],
  ],
  ['nothing of an endpoint that came', (planner) => planner.putEndpointSlice({ ...slice, name: 'more' }), []],
  [
    'every UDP endpoint of a service that is gone',
    (planner) => planner.removeService('shop/web'),
    ['10.128.0.2 5514', '10.128.0.3 5514', '10.129.0.2 5514'].concat([
      'fd00:10:128:1::2 5514',
      'fd00:10:128:1::3 5514',
      'fd00:10:128:2::2 5514',
    ]),
  ],
  [
    'every UDP endpoint of a port that is gone',
    (planner) =>
      planner.putService({ ...service, ports: service.ports.slice(0, 1), clusterIps: service.clusterIps.slice(0, 1) }),
    ['10.128.0.2 5514', '10.128.0.3 5514', '10.129.0.2 5514'].concat([
      'fd00:10:128:1::2 5514',
      'fd00:10:128:1::3 5514',
      'fd00:10:128:2::2 5514',
    ]),
  ],
  [
    'nothing when an endpoint moves to another slice',
    (planner) => {
      planner.removeEndpointSlice('shop/web-ipv4')
      planner.putEndpointSlice({ ...slice, name: 'moved' })
    },
    [],
  ],
])('a change leaves behind %s', (_, change, expected) => {
  expect([...after(change)].sort()).toEqual([...expected].sort())
})

test('a tenant’s change names where its services are called, and nothing else does', () => {
  const calls = (change: (planner: NodePlanner) => void) => {
    const planner = samplePlanner()
    planner.take()
    change(planner)
    const changes = planner.take()
    const [before, later] = (['before', 'after'] as const).map((which) => together(changes.map((each) => each[which])))
    if (before === undefined || later === undefined) throw new Error('two')
    return retagged(before, later).map(({ address, port, protocol }) => `${address} ${port} ${protocol}`)
  }
  expect(calls((planner) => planner.putTenant('shop', 4242))).toEqual(
    expect.arrayContaining(['172.30.0.10 80 6', 'fd00:172:30::10 514 17', '169.254.77.3 30080 6']),
  )
  expect(calls((planner) => planner.putTenant('bank', 4242))).toEqual([])
  expect(calls((planner) => planner.putEndpointSlice({ ...slice, endpoints: slice.endpoints.slice(1) }))).toEqual([])
})
