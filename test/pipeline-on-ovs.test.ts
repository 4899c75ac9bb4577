/**
 * The pipeline's case table on a real Open vSwitch: installed through our OpenFlow client, asked through
 * `ofproto/trace`. The simulator runs the same table in `src/network/simulate`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseOfprotoTrace } from '../src/insight/trace/ofproto-trace.ts'
import { packetText } from '../src/insight/trace/probe.ts'
import { diffFlows } from '../src/network/diff.ts'
import type { Cluster } from '../src/network/model/cluster.ts'
import { parseCookie } from '../src/network/pipeline/cookie.ts'
import { dropByCode } from '../src/network/pipeline/drops.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../src/network/pipeline/stages.ts'
import { packetOf } from '../src/network/simulate/simulate.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient, removeFlows } from '../src/ovs/openflow/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../src/ovs/testing/ovs-sandbox.ts'
import { PIPELINE_CASES, type PipelineCase } from './tables/pipeline-cases.ts'
import { SAMPLE_CLUSTER, SAMPLE_PODS, samplePlanner } from './tables/sample-node.ts'

let ovs: OvsSandbox
let client: OpenFlowClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br-weft', '--', 'set', 'bridge', 'br-weft', 'datapath_type=dummy', 'fail_mode=secure')
  const tunnel = ['type=vxlan', 'options:key=flow', 'options:remote_ip=flow', `ofport_request=${TUNNEL_PORT}`]
  await ovs.vsctl('add-port', 'br-weft', 'tunnel', '--', 'set', 'interface', 'tunnel', ...tunnel)
  const ports = [GATEWAY_PORT, ...Object.values(SAMPLE_PODS).map(({ ofport }) => ofport)]
  for (const port of ports) {
    const settings = ['type=dummy', `ofport_request=${port}`]
    await ovs.vsctl('add-port', 'br-weft', `p${port}`, '--', 'set', 'interface', `p${port}`, ...settings)
  }
  client = await connectOpenFlow({ path: ovs.mgmtSocket('br-weft'), fragments: 'nx-match' })
  await client.meters([{ op: 'add', meter: { id: 1, unit: 'pktps', rate: 100 } }])
  await client.bundle({ flows: addFlows(samplePlanner().flows()) })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

describe('Open vSwitch agrees with the case table', () => {
  for (const one of PIPELINE_CASES) {
    test(one.name, async () => {
      const trace = await ovs.appctl('ofproto/trace', 'br-weft', packetText(packetOf(one.packet)))
      expect(outcome(trace)).toEqual(one.expect)
    })
  }
})

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
      const plan = samplePlanner({ ...SAMPLE_CLUSTER, ...change }).flows()
      const before = (await client.dumpFlows()).map(({ flow }) => flow)
      const needed = diffFlows(before, plan)
      await client.bundle({ flows: [...removeFlows(needed.remove), ...addFlows(needed.write)] })
      const after = (await client.dumpFlows()).map(({ flow }) => flow)
      expect(diffFlows(after, plan)).toEqual({ write: [], remove: [] })
      expect(after.length).toBe(plan.length)
    })
  }
})

/** The verdict of a trace: an output, or the cookie of the flow at which it ended. */
function outcome(trace: string): PipelineCase['expect'] | { readonly unclear: string } {
  const { steps, outputs } = parseOfprotoTrace(trace, false)
  const drop = dropByCode(parseCookie(steps.at(-1)?.cookie ?? 0n)?.dropCode ?? 0)
  if (drop !== undefined) return { drop }
  const [port] = outputs
  return typeof port === 'number' || port === 'in_port' ? { port } : { unclear: trace }
}
