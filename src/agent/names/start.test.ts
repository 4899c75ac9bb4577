/** A policy that names a host, the plan, a resolv.conf and a DNS server on the loopback. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SAMPLE_CLUSTER, samplePod as sampleEndpoint, sampleNode } from '../../../test/tables/sample-node.ts'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { RCODES, TYPES } from '../../dns/message.ts'
import { ip } from '../../network/model/address.ts'
import type { Policy } from '../../network/model/policy.ts'
import { ClusterView, VIEWED_KINDS } from '../cluster/view.ts'
import { startNames } from './start.ts'

const firewall: Policy = {
  kind: 'EgressNetworkPolicy',
  namespace: 'shop',
  name: 'default',
  tier: 'firewall',
  priority: 0,
  subject: { namespaces: { name: 'shop' }, pods: [] },
  egress: [{ action: 'deny', peers: [{ type: 'name', name: 'evil.example' }] }],
}

test('a name in a policy gets its addresses into the flows, and nobody is asked before there is such a policy', async () => {
  const asked: string[] = []
  using server = await dnsServer(asked, { A: '203.0.113.7', AAAA: '2001:db8:bad::7' })
  let changes = 0
  const view = viewWithPod(() => {
    changes += 1
  })
  using _names = named(view, server.port)
  expect(flowsOf(view)).not.toContain('203.0.113.7')
  view.policies.policiesOf('EgressNetworkPolicy').put(firewall)
  view.planner?.take()
  const before = changes
  while (!flowsOf(view).includes('203.0.113.7') || !flowsOf(view).includes('2001:db8:bad::7')) await Bun.sleep(20)
  expect(changes).toBeGreaterThan(before)
  expect(new Set(asked)).toEqual(new Set(['evil.example']))
})

test('whoever answers for a name that is allowed cannot have pods allowed by it', async () => {
  using server = await dnsServer([], { A: '10.129.0.9', AAAA: '2001:db8:bad::7' })
  const view = viewWithPod()
  using _names = named(view, server.port)
  view.policies.policiesOf('AdminNetworkPolicy').put({
    ...{ kind: 'AdminNetworkPolicy', name: 'partner', tier: 'admin', priority: 1 },
    subject: { namespaces: { labels: [] }, pods: [] },
    egress: [{ action: 'allow', peers: [{ type: 'name', name: 'partner.example' }] }],
  })
  view.policies.namespaces.put({ name: 'shop', uid: 'n' })
  while (!flowsOf(view).includes('2001:db8:bad::7')) await Bun.sleep(20)
  expect(flowsOf(view)).not.toContain('10.129.0.9')
  expect([...view.policies.names()]).toEqual([['partner.example', [ip('2001:db8:bad::7')]]])
})

function viewWithPod(fragments: () => void = () => undefined): ClusterView {
  const view = new ClusterView('node1', () => 1500, { context: () => undefined, fragments })
  view.putCluster(SAMPLE_CLUSTER)
  view.putNetwork(sampleNode(1))
  view.putTenant({ namespace: 'shop', vni: 42 })
  for (const kind of VIEWED_KINDS) view.synced(kind)
  view.planner?.putEndpoint(sampleEndpoint(2, 'shop', 'web'))
  return view
}

/** Names of policies that the server on this port of the loopback answers for. */
function named(view: ClusterView, port: number): Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'weft-names-'))
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, 'nameserver 127.0.0.1\n')
  const problems = { failed: (_: string, error: unknown) => console.error(error), solved: () => undefined }
  const names = startNames({ view, problems, resolvConf, port })
  return {
    [Symbol.dispose]: () => {
      names[Symbol.dispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

function flowsOf({ planner }: ClusterView): string {
  return JSON.stringify(planner?.flows(), (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
}

async function dnsServer(asked: string[], records: { readonly A: string; readonly AAAA: string }) {
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data: (from, bytes, port, address) => {
        const query = decodeMessage(bytes)
        const [question] = query?.questions ?? []
        if (query === undefined || question === undefined) throw new Error('no question')
        asked.push(question.name)
        const type = question.type === TYPES.A ? 'A' : 'AAAA'
        const answers = [{ name: question.name, ttl: 60, data: { type, address: records[type] } }] as const
        const flags = { isResponse: true, recursionAvailable: true, rcode: RCODES.NOERROR }
        from.send(encodeMessage({ ...query, ...flags, answers }), port, address)
      },
    },
  })
  return { port: socket.port, [Symbol.dispose]: () => socket.close() }
}
