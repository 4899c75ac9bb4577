import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { PIPELINE_CASES } from '../../../test/tables/pipeline-cases.ts'
import { tracedState } from '../../../test/tables/tracking.ts'
import type { NodeFacts } from '../../agent/control/facts.ts'
import { formatFlow } from '../../flow/format.ts'
import { formatGroup } from '../../flow/groups.ts'
import { AGENT_METERS } from '../../network/pipeline/answers.ts'
import { connectOpenFlow } from '../../ovs/openflow/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { auditFlows } from '../audit/flows.ts'
import { sampleView } from '../testing/sample-facts.ts'
import { checkHop, checkHops } from './check.ts'
import { questionText } from './probe.ts'
import { traceAll } from './service.ts'
import { trace } from './trace.ts'
import { walk } from './walk.ts'

const view = sampleView()
const REQUEST = { protocol: 'tcp', port: 80, size: 60 } as const
let ovs: OvsSandbox

/** Both sample nodes as bridges of one Open vSwitch without kernel devices. */
beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  for (const facts of view.nodes) await install(facts)
})

afterAll(async () => {
  await ovs?.stop()
})

describe('Open vSwitch agrees with the plan', () => {
  for (const { name, packet } of PIPELINE_CASES) {
    test(name, async () => {
      const [node] = view.nodes
      if (node === undefined) throw new Error('a node')
      const [hop] = walk(view, node, packet, 60).hops
      if (hop === undefined) throw new Error('a hop')
      const text = await ovs.appctl('ofproto/trace', 'node1', questionText(hop.packet), ...tracedState(packet))
      expect(checkHop(hop, text).differences).toEqual([])
    })
  }

  for (const [from, to] of [
    ['shop/web', 'service/web'],
    ['bank/vault', 'service/shop/web:http'],
    ['shop/api', 'service/web:log'],
    ['node1', '172.30.0.10'],
    ['default/dns', 'fd00:172:30::10'],
  ] as const) {
    test(`${from} to ${to}, whichever endpoint, either way`, async () => {
      const protocol = to.endsWith('log') ? 'udp' : 'tcp'
      const { ways } = traceAll(view, { ...REQUEST, protocol, from, to })
      expect(ways).toHaveLength(3)
      for (const { trace: one } of ways) {
        const checks = await checkHops([...one.there.hops, ...(one.back?.hops ?? [])], ask)
        expect(checks.flatMap(({ differences }) => differences)).toEqual([])
      }
    })
  }

  test('on both nodes, either way, whatever fits', async () => {
    for (const size of [60, 1450, 1451]) {
      for (const [from, to] of [
        ['shop/web', 'shop/cart'],
        ['bank/vault', 'shop/cart'],
        ['node1', 'bank/safe'],
      ] as const) {
        const { there, back } = trace(view, { ...REQUEST, from, to, size })
        const hops = [...there.hops, ...(back?.hops ?? [])]
        const checks = await checkHops(hops, ask)
        expect(checks.flatMap(({ differences }) => differences)).toEqual([])
      }
    }
  })
})

test('what the switch dumps is the plan: no difference; one flow less or more is told', async () => {
  const [facts] = view.nodes
  if (facts === undefined) throw new Error('a node')
  const client = await connectOpenFlow({ path: ovs.mgmtSocket('node1') })
  const dumped = async (): Promise<NodeFacts> => ({
    ...facts,
    installed: await client.dumpFlows(),
  })
  expect(auditFlows(await dumped())).toEqual([])
  await ovs.ofctl(
    '-O',
    'OpenFlow15',
    'add-flow',
    `unix:${ovs.mgmtSocket('node1')}`,
    'table=80,priority=999,ip actions=drop',
  )
  const [found, ...more] = auditFlows(await dumped())
  expect(found).toMatchObject({
    code: 'flow-foreign',
    object: 'stage tenant',
    detail: 'table=80, priority=999,ip actions=drop',
  })
  expect(more).toEqual([])
  await ovs.ofctl(
    '-O',
    'OpenFlow15',
    'del-flows',
    '--strict',
    `unix:${ovs.mgmtSocket('node1')}`,
    'table=80,priority=999,ip',
  )
  client.close()
})

test('what the network below a tunnel lacks is a note, not a disagreement', async () => {
  const [hop] = trace(view, { ...REQUEST, from: 'shop/web', to: 'shop/cart' }).there.hops
  if (hop === undefined) throw new Error('a hop')
  const text = (await ask('node1', questionText(hop.packet))).replace(
    /^ +-> output port is 1$/m,
    (line) => `${line}\n     -> output to native tunnel\n     >> native tunnel routing failed`,
  )
  expect(checkHop(hop, text)).toMatchObject({ agrees: true, notes: ['native tunnel routing failed'] })
  const mistaken = text.replace('native tunnel routing failed', 'Not tunneling to our own address')
  expect(checkHop(hop, mistaken)).toMatchObject({ agrees: true, notes: [] })
  const broken = text.replace('native tunnel routing failed', 'Nonexistent output port')
  expect(checkHop(hop, broken)).toMatchObject({ agrees: false, notes: [] })
})

test('a flow that is missing, and one that is too much, are told', async () => {
  const { there } = trace(view, { ...REQUEST, from: 'shop/web', to: 'bank/vault' })
  const text = await ask('node1', questionText(there.hops[0]?.packet ?? new Map()))
  const [hop] = there.hops
  if (hop === undefined) throw new Error('a hop')
  const opened = text.replace(
    /^80\. priority 0, cookie 0x\w+\n +drop/m,
    '80. in_port=4098, priority 999\n    output:4100',
  )
  expect(opened).not.toBe(text)
  expect(checkHop(hop, opened).differences).toEqual([
    'planned: tenant, priority 0 of every node (tenant-isolation); Open vSwitch: tenant, priority 999 of cookie 0x0',
    'planned to port: dropped; Open vSwitch: 4100',
  ])
  expect(checkHop(hop, text.replace(/^30\. .*$/m, '30. No match.')).agrees).toBe(false)
  expect(checkHop(hop, '').differences[0]).toBe('Open vSwitch gave no trace')
})

function ask(node: string, flow: string): Promise<string> {
  return ovs.appctl('ofproto/trace', node, flow)
}

async function install({ status, ports, fragments }: NodeFacts): Promise<void> {
  const bridge = status.node
  await ovs.vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, 'datapath_type=dummy', 'fail_mode=secure')
  for (const { ofport, type } of ports) {
    const name = `${bridge}-${ofport}`
    const options = type === 'vxlan' ? ['options:key=flow', 'options:remote_ip=flow', `options:dst_port=${4790}`] : []
    const kind = type === 'vxlan' ? 'vxlan' : 'dummy'
    const set = ['set', 'interface', name, `type=${kind}`, `ofport_request=${ofport}`, ...options]
    await ovs.vsctl('add-port', bridge, name, '--', ...set)
  }
  const target = `unix:${ovs.mgmtSocket(bridge)}`
  for (const { id, rate } of AGENT_METERS) {
    await ovs.ofctl('-O', 'OpenFlow15', 'add-meter', target, `meter=${id} pktps band=type=drop rate=${rate}`)
  }
  const groups = fragments.flatMap((fragment) => fragment.groups.map(formatGroup)).join('\n')
  const added = await ovs.tool(['ovs-ofctl', '-O', 'OpenFlow15', 'add-groups', target, '-'], `${groups}\n`)
  if (added.code !== 0) throw new Error(added.stderr)
  await ovs.ofctl('-O', 'OpenFlow15', 'set-frags', target, 'nx-match')
  const flows = fragments.flatMap((fragment) => fragment.flows.map(formatFlow)).join('\n')
  const result = await ovs.tool(['ovs-ofctl', '-O', 'OpenFlow15', '--bundle', 'add-flows', target, '-'], `${flows}\n`)
  if (result.code !== 0) throw new Error(result.stderr)
}
