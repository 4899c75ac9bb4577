/**
 * The pipeline's case table on a real Open vSwitch: installed through our OpenFlow client, asked through
 * `ofproto/trace`. The simulator runs the same table in `src/network/simulate`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseOfprotoTrace } from '../src/insight/trace/ofproto-trace.ts'
import { questionText } from '../src/insight/trace/probe.ts'
import { diffSwitch, type SwitchDiff } from '../src/network/diff.ts'
import type { SwitchTables } from '../src/network/fragments/fragment.ts'
import type { Cluster } from '../src/network/model/cluster.ts'
import { AGENT_METERS } from '../src/network/pipeline/answers.ts'
import { parseCookie } from '../src/network/pipeline/cookie.ts'
import { dropByCode } from '../src/network/pipeline/drops.ts'
import { DIRECT_PORT, GATEWAY_PORT, TUNNEL_PORT } from '../src/network/pipeline/stages.ts'
import { packetOf } from '../src/network/simulate/simulate.ts'
import {
  addFlows,
  connectOpenFlow,
  type GroupMod,
  type OpenFlowClient,
  removeFlows,
} from '../src/ovs/openflow/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../src/ovs/testing/ovs-sandbox.ts'
import { directPlanner } from './tables/direct.ts'
import { DIRECT_CASES } from './tables/direct-cases.ts'
import { type Ending, PIPELINE_CASES } from './tables/pipeline-cases.ts'
import { SAMPLE_CLUSTER, SAMPLE_PODS, samplePlanner } from './tables/sample-node.ts'
import { SERVICE_CASES, type ServiceCase } from './tables/service-cases.ts'
import { type SteeringCase, steered } from './tables/steering.ts'
import { STEERING_CASES } from './tables/steering-cases.ts'
import { tracedPacket, tracedState } from './tables/tracking.ts'

let ovs: OvsSandbox
let client: OpenFlowClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br-weft', '--', 'set', 'bridge', 'br-weft', 'datapath_type=dummy', 'fail_mode=secure')
  const tunnel = ['type=vxlan', 'options:key=flow', 'options:remote_ip=flow', `ofport_request=${TUNNEL_PORT}`]
  await ovs.vsctl('add-port', 'br-weft', 'tunnel', '--', 'set', 'interface', 'tunnel', ...tunnel)
  const ports = [GATEWAY_PORT, DIRECT_PORT, ...Object.values(SAMPLE_PODS).map(({ ofport }) => ofport)]
  for (const port of ports) {
    const settings = ['type=dummy', `ofport_request=${port}`]
    await ovs.vsctl('add-port', 'br-weft', `p${port}`, '--', 'set', 'interface', `p${port}`, ...settings)
  }
  client = await connectOpenFlow({ path: ovs.mgmtSocket('br-weft'), fragments: 'nx-match' })
  await client.meters(AGENT_METERS.map((meter) => ({ op: 'add', meter })))
  const plan = samplePlanner()
  const groups = plan.groups().map((group) => ({ op: 'add', group }) as const)
  await client.bundle({ groups, flows: addFlows(plan.flows()) })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

describe('Open vSwitch agrees with the case table', () => {
  for (const one of PIPELINE_CASES) {
    test(one.name, async () => {
      expect(await endingsOnOvs(one)).toEqual([one.expect])
    })
  }
})

describe('Open vSwitch agrees with the services’ case table', () => {
  for (const one of SERVICE_CASES) {
    test(one.name, async () => {
      expectEndings(one, await endingsOnOvs(one))
    })
  }
})

describe('Open vSwitch agrees with the steering case table', () => {
  for (const mode of ['weft', 'kube-proxy'] as const) {
    describe(mode, () => {
      beforeAll(async () => apply(diffSwitch(await held(), steered({ ...SAMPLE_CLUSTER, services: mode }))))
      for (const one of STEERING_CASES.filter(({ services = 'weft' }) => services === mode)) {
        test(one.name, async () => {
          expectEndings(one, await endingsOnOvs(one))
        })
      }
    })
  }
})

describe('Open vSwitch agrees with the case table of packets without a tunnel', () => {
  for (const mode of ['tunnel', 'refuse'] as const) {
    describe(mode, () => {
      beforeAll(async () => {
        const plan = directPlanner(mode)
        await apply(diffSwitch(await held(), { flows: plan.flows(), groups: plan.groups() }))
      })
      for (const one of DIRECT_CASES.filter(({ otherwise = 'tunnel' }) => otherwise === mode)) {
        test(one.name, async () => {
          expectEndings(one, await endingsOnOvs(one))
        })
      }
    })
  }
})

/** Every way that a packet ends, whatever the datapath's hash of it is; groups look at its last bits only. */
async function endingsOnOvs({ packet, known, quoted }: Question): Promise<readonly object[]> {
  const options = tracedState(packet, known, quoted)
  const question = packetOf(tracedPacket(packet, known))
  const endings: object[] = []
  for (let hash = 1; hash <= 16; hash += 1) {
    const trace = await ovs.appctl('ofproto/trace', 'br-weft', questionText(question, hash), ...options)
    endings.push(outcome(trace))
    if (!trace.includes('using bucket')) break
  }
  return distinct(endings)
}

type Question = Pick<SteeringCase, 'packet' | 'known' | 'quoted'>

/** Where the client's address decides, a switch shows one of the endings only. */
function expectEndings(one: Pick<ServiceCase, 'endings' | 'byClient'>, actual: readonly object[]): void {
  const endings = distinct(one.endings)
  if (one.byClient === true) expect([actual.length, ...endings]).toEqual([1, ...distinct([...endings, ...actual])])
  else expect(actual).toEqual(endings)
}

function distinct(endings: readonly object[]): readonly object[] {
  const texts = new Set(endings.map((ending) => JSON.stringify(ending)))
  return [...texts].sort().map((text) => JSON.parse(text))
}

describe('a switch gives back exactly the plan it was given', () => {
  const [v4, v6] = SAMPLE_CLUSTER.networks
  const shapes: readonly (readonly [string, Partial<Cluster>])[] = [
    ['VXLAN over IPv4', {}],
    ['VXLAN over IPv6', { underlay: 6 }],
    ['Geneve', { encapsulation: { type: 'geneve', port: 6081 } }],
    ['GRE', { encapsulation: { type: 'gre' } }],
    ['IPv4 pods only', { networks: v4 === undefined ? [] : [v4] }],
    ['IPv6 pods only', { networks: v6 === undefined ? [] : [v6] }],
  ]
  for (const [name, change] of shapes) {
    test(name, async () => {
      const planner = samplePlanner({ ...SAMPLE_CLUSTER, ...change })
      const plan = { flows: planner.flows(), groups: planner.groups() }
      await apply(diffSwitch(await held(), plan))
      const after = await held()
      expect(diffSwitch(after, plan)).toEqual({ write: [], remove: [], groups: { add: [], modify: [], remove: [] } })
      expect(after.flows.length).toBe(plan.flows.length)
    })
  }
})

/** What the switch holds. */
async function held(): Promise<SwitchTables> {
  return { flows: (await client.dumpFlows()).map(({ flow }) => flow), groups: await client.dumpGroups() }
}

async function apply({ write, remove, groups }: SwitchDiff): Promise<void> {
  const mods: readonly GroupMod[] = [
    ...groups.add.map((group) => ({ op: 'add', group }) as const),
    ...groups.modify.map((group) => ({ op: 'modify', group }) as const),
    ...groups.remove.map((id) => ({ op: 'delete', id }) as const),
  ]
  await client.bundle({ groups: mods, flows: [...removeFlows(remove), ...addFlows(write)] })
}

/** The verdict of a trace: an output, or the cookie of the flow at which it ended. */
function outcome(trace: string): Ending | { readonly unclear: string } {
  const { steps, outputs } = parseOfprotoTrace(trace, false)
  const drop = dropByCode(parseCookie(steps.at(-1)?.cookie ?? 0n)?.dropCode ?? 0)
  if (drop !== undefined) return { drop }
  const [port] = outputs
  return typeof port === 'number' || port === 'in_port' ? { port } : { unclear: trace }
}
