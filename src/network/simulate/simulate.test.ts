import { describe, expect, test } from 'bun:test'
import { type Ending, PIPELINE_CASES } from '../../../test/tables/pipeline-cases.ts'
import { samplePlanner } from '../../../test/tables/sample-node.ts'
import { SERVICE_CASES } from '../../../test/tables/service-cases.ts'
import type { Bucket, Group } from '../../flow/flow.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { DROPS, dropByCode } from '../pipeline/drops.ts'
import { compileSwitch, type Packet, type Passage, packetOf, simulate } from './simulate.ts'

const planner = samplePlanner()
const target = compileSwitch(planner.flows(), planner.groups())

function endingOf({ outputs, steps }: Passage): Ending | { undefined: number | undefined } {
  const [output] = outputs
  if (output !== undefined && output.port !== 'controller') return { port: output.port }
  const last = steps.at(-1)
  const drop = last?.flow && dropByCode(parseCookie(last.flow.cookie)?.dropCode ?? 0)
  return drop === undefined ? { undefined: last?.table } : { drop }
}

/** Every way that a packet can end, whichever endpoint it is led to. */
function endingsOf(packet: Packet): readonly object[] {
  let choices = 1
  const endings: object[] = []
  for (let choice = 0; choice < choices; choice += 1) {
    const pick = ({ buckets }: Group): Bucket | undefined => {
      choices = Math.max(choices, buckets.length)
      return buckets[choice]
    }
    endings.push(endingOf(simulate(target, packet, { pick })))
  }
  return distinct(endings)
}

function distinct(endings: readonly object[]): readonly object[] {
  const texts = new Set(endings.map((ending) => JSON.stringify(ending)))
  return [...texts].sort().map((text) => JSON.parse(text))
}

describe('the simulator runs the pipeline’s case table', () => {
  for (const { name, packet, expect: expected } of PIPELINE_CASES) {
    test(name, () => expect(endingsOf(packetOf(packet))).toEqual([expected]))
  }
})

describe('the simulator runs the services’ case table', () => {
  for (const { name, packet, endings } of SERVICE_CASES) {
    test(name, () => expect(endingsOf(packetOf(packet))).toEqual(distinct(endings)))
  }
})

test('every drop that a single packet can reach is in a table', () => {
  const all = [
    ...PIPELINE_CASES.map(({ expect: ending }) => ending),
    ...SERVICE_CASES.flatMap(({ endings }) => endings),
  ]
  const seen = new Set(all.flatMap((ending) => ('drop' in ending ? [ending.drop as string] : [])))
  const unreachable = [
    'too-big',
    'no-endpoint-port',
    'unfinished-advertisement',
    'held-fragment',
    'unfinished-datagram',
    'unasked-answer',
    'egress-denied',
    'egress-isolated',
    'ingress-denied',
    'ingress-isolated',
    'firewall-denied',
    'firewall-ambiguous',
    'firewall-unresolved',
    'policy-pending',
  ]
  expect(Object.keys(DROPS).filter((name) => !seen.has(name))).toEqual(unreachable)
})

test('an oversize packet for another node is dropped by name', () => {
  const web = PIPELINE_CASES.find(({ name }) => name === 'to another node')
  const passage = simulate(target, packetOf({ ...web?.packet, reg3: 1 << 16 }))
  expect(endingOf(passage)).toEqual({ drop: 'too-big' })
})
