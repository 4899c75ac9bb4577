import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode, samplePlanner } from '../../../test/tables/sample-node.ts'
import { WayLog } from './way-log.ts'

test('another reason for the same way is no other way: since when, and what was before, stay', () => {
  let now = 1000
  const log = new WayLog(() => now)
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } })
  const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true } as const
  const because = (why: string) => planner.putPlace('node2', { reach: { 4: { why }, 6: { why } }, places: {} })
  const shown = () => {
    const fact = log
      .facts(planner)
      .get('node2')
      ?.find(({ family }) => family === 4)
    return [fact?.way, fact?.why, fact?.since, fact?.before]
  }
  planner.putPeer({ ...sampleNode(2), status })
  because('the first reason')
  expect(shown()).toEqual(['tunnel', 'the first reason', 1, undefined])
  now = 5000
  because('another one')
  expect(shown()).toEqual(['tunnel', 'another one', 1, undefined])
  now = 9000
  planner.setContext({
    ...planner.context,
    cluster: { ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'refuse' } },
  })
  expect(shown()).toEqual(['none', 'another one', 9, 'tunnel'])
})
