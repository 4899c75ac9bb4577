import { describe, expect, test } from 'bun:test'
import { directPlanner } from '../../../test/tables/direct.ts'
import { DIRECT_CASES } from '../../../test/tables/direct-cases.ts'
import { type Ending, PIPELINE_CASES } from '../../../test/tables/pipeline-cases.ts'
import { SAMPLE_CLUSTER, samplePlanner } from '../../../test/tables/sample-node.ts'
import { SERVICE_CASES } from '../../../test/tables/service-cases.ts'
import { steered } from '../../../test/tables/steering.ts'
import { STEERING_CASES } from '../../../test/tables/steering-cases.ts'
import { connectionsWith } from '../../../test/tables/tracking.ts'
import type { Bucket, Group } from '../../flow/flow.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { DROPS, dropByCode } from '../pipeline/drops.ts'
import {
  compileSwitch,
  type Packet,
  type Passage,
  packetOf,
  type Surroundings,
  type Switch,
  simulate,
} from './simulate.ts'

const planner = samplePlanner()
const target = compileSwitch(planner.flows(), planner.groups())

function endingOf({ outputs, steps }: Passage): Ending | { undefined: number | undefined } {
  const [output] = outputs
  if (output !== undefined && output.port !== 'controller') return { port: output.port }
  const last = steps.at(-1)
  const drop = last?.flow && dropByCode(parseCookie(last.flow.cookie)?.dropCode ?? 0)
  return drop === undefined ? { undefined: last?.table } : { drop }
}

/** What a switch knows before a packet. It learns from the packet, so each gets its own. */
type Knowledge = () => Pick<Surroundings, 'connections' | 'quoted'>

/** Every way that a packet can end, whichever endpoint it is led to. */
function endingsOf(packet: Packet, where: Switch = target, known: Knowledge = () => ({})): readonly object[] {
  let choices = 1
  const endings: object[] = []
  for (let choice = 0; choice < choices; choice += 1) {
    const pick = ({ buckets }: Group): Bucket | undefined => {
      choices = Math.max(choices, buckets.length)
      return buckets[choice]
    }
    endings.push(endingOf(simulate(where, packet, { ...known(), pick })))
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

describe('the simulator runs the case table of packets without a tunnel', () => {
  const switches = new Map(
    (['tunnel', 'refuse'] as const).map((otherwise) => {
      const direct = directPlanner(otherwise)
      return [otherwise, compileSwitch(direct.flows(), direct.groups())]
    }),
  )
  for (const { name, otherwise = 'tunnel', packet, known, endings } of DIRECT_CASES) {
    test(name, () => {
      const knowledge: Knowledge = () => ({ connections: connectionsWith(known) })
      expect(endingsOf(packetOf(packet), switches.get(otherwise), knowledge)).toEqual(distinct(endings))
    })
  }
})

describe('the simulator runs the steering case table', () => {
  const switches = new Map(
    (['weft', 'kube-proxy'] as const).map((services) => {
      const { flows, groups } = steered({ ...SAMPLE_CLUSTER, services })
      return [services, compileSwitch(flows, groups)]
    }),
  )
  for (const { name, services = 'weft', packet, known, quoted, endings } of STEERING_CASES) {
    test(name, () => {
      const knowledge: Knowledge = () => ({
        connections: connectionsWith(known),
        ...(quoted === undefined ? {} : { quoted: packetOf(quoted) }),
      })
      expect(endingsOf(packetOf(packet), switches.get(services), knowledge)).toEqual(distinct(endings))
    })
  }
})

test('every drop that a single packet can reach is in a table', () => {
  const all = [
    ...PIPELINE_CASES.map(({ expect: ending }) => ending),
    ...SERVICE_CASES.flatMap(({ endings }) => endings),
    ...STEERING_CASES.flatMap(({ endings }) => endings),
    ...DIRECT_CASES.flatMap(({ endings }) => endings),
  ]
  const seen = new Set(all.flatMap((ending) => ('drop' in ending ? [ending.drop as string] : [])))
  // The last ones are of policies, whose own table has them.
  const unreachable = [
    'too-big',
    'no-endpoint-port',
    'unfinished-advertisement',
    'held-fragment',
    'unfinished-datagram',
    'egress-denied',
    'ingress-denied',
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
