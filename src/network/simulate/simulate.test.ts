import { describe, expect, test } from 'bun:test'
import { PIPELINE_CASES, type PipelineCase } from '../../../test/tables/pipeline-cases.ts'
import { samplePlanner } from '../../../test/tables/sample-node.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { DROPS, dropByCode } from '../pipeline/drops.ts'
import { compileSwitch, packetOf, simulate } from './simulate.ts'

const target = compileSwitch(samplePlanner().flows())

function outcome({ packet }: PipelineCase): PipelineCase['expect'] | { undefined: number | undefined } {
  const passage = simulate(target, packetOf(packet))
  const [output] = passage.outputs
  if (output !== undefined && output.port !== 'controller') return { port: output.port }
  const last = passage.steps.at(-1)
  const drop = last?.flow && dropByCode(parseCookie(last.flow.cookie)?.dropCode ?? 0)
  return drop === undefined ? { undefined: last?.table } : { drop }
}

describe('the simulator runs the pipeline’s case table', () => {
  for (const one of PIPELINE_CASES) test(one.name, () => expect(outcome(one)).toEqual(one.expect))
})

test('every drop that a single packet can reach is in the table', () => {
  const seen = new Set(PIPELINE_CASES.flatMap(({ expect: e }) => ('drop' in e ? [e.drop as string] : [])))
  const unreachable = ['too-big', 'no-endpoint-port', 'unfinished-advertisement']
  expect(Object.keys(DROPS).filter((name) => !seen.has(name))).toEqual(unreachable)
})

test('an oversize packet for another node is dropped by name', () => {
  const web = PIPELINE_CASES.find(({ name }) => name === 'to another node')
  const passage = simulate(target, packetOf({ ...web?.packet, reg3: 1 << 16 }))
  const cookie = passage.steps.at(-1)?.flow?.cookie ?? 0n
  expect(dropByCode(parseCookie(cookie)?.dropCode ?? 0)).toBe('too-big')
})
