import { expect, test } from 'bun:test'
import { sampleHosts, sampleNode } from '../../test/tables/sample-node.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import { SILENT_AFTER_MS, Silences } from './silences.ts'

const DATE = new Date('2026-01-02T03:04:05Z')

function host(beat?: number): readonly NodeNetwork[] {
  const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev' } as const
  return [
    sampleNode(1),
    { ...sampleHosts()[0], status: beat === undefined ? status : { ...status, beat } } as NodeNetwork,
  ]
}

/** What is said of the host when it counts so at these times. */
function verdicts(counts: readonly (readonly [now: number, beat: number | undefined])[]): readonly boolean[] {
  const silences = new Silences()
  return counts.map(([now, beat]) => silences.judge(host(beat), now, DATE).get('balancer') !== undefined)
}

test.each([
  {
    title: 'one that counts',
    counts: [
      [0, 1],
      [SILENT_AFTER_MS, 2],
    ],
    silent: [false, false],
  },
  {
    title: 'one that stops',
    counts: [
      [0, 1],
      [SILENT_AFTER_MS - 1, 1],
      [SILENT_AFTER_MS, 1],
    ],
    silent: [false, false, true],
  },
  {
    title: 'one that comes back',
    counts: [
      [0, 1],
      [SILENT_AFTER_MS, 1],
      [SILENT_AFTER_MS + 1, 2],
    ],
    silent: [false, true, false],
  },
  {
    title: 'one whose count went back, as after a restart',
    counts: [
      [0, 9],
      [SILENT_AFTER_MS, 1],
    ],
    silent: [false, false],
  },
  {
    title: 'one that never counted',
    counts: [
      [0, undefined],
      [SILENT_AFTER_MS, undefined],
    ],
    silent: [false, false],
  },
] as const)('$title', ({ counts, silent }) => expect(verdicts(counts)).toEqual([...silent]))

test('the words say since when', () => {
  const silences = new Silences()
  silences.judge(host(1), 0, DATE)
  expect(silences.judge(host(1), SILENT_AFTER_MS, new Date()).get('balancer')).toContain('since 2026-01-02T03:04:05Z')
})

test('while the registry was away nobody could be heard', () => {
  const silences = new Silences()
  silences.judge(host(1), 0, DATE)
  silences.forgive()
  expect(silences.judge(host(1), SILENT_AFTER_MS, DATE).get('balancer')).toBeUndefined()
})

test('nodes are Kubernetes’ own to miss', () => {
  const [node] = host(1)
  const counting = { ...node, status: { ready: true, uplinkMtu: 1500, datapath: 'netdev', beat: 1 } } as NodeNetwork
  expect(new Silences().judge([counting], 0, DATE).size).toBe(0)
})
