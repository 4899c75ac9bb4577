/** A policy that names a host, the plan, a resolv.conf and a DNS server on the loopback. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SAMPLE_CLUSTER, samplePod as sampleEndpoint, sampleNode } from '../../../test/tables/sample-node.ts'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { RCODES, TYPES } from '../../dns/message.ts'
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
  const folder = mkdtempSync(join(tmpdir(), 'weft-names-'))
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, 'nameserver 127.0.0.1\n')
  let changes = 0
  const fragments = (): void => {
    changes += 1
  }
  const listener = { context: () => undefined, fragments }
  const view = new ClusterView('node1', () => 1500, listener)
  view.putCluster(SAMPLE_CLUSTER)
  view.putNetwork(sampleNode(1))
  view.putTenant({ namespace: 'shop', vni: 42 })
  for (const kind of VIEWED_KINDS) view.synced(kind)
  view.planner?.putEndpoint(sampleEndpoint(2, 'shop', 'web'))
  const problems = { failed: (_: string, error: unknown) => console.error(error), solved: () => undefined }
  using _names = startNames({ view, problems, resolvConf, port: server.port })
  const flows = () =>
    JSON.stringify(view.planner?.flows(), (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
  expect(flows()).not.toContain('203.0.113.7')
  view.policies.policiesOf('EgressNetworkPolicy').put(firewall)
  view.planner?.take()
  const before = changes
  while (!flows().includes('203.0.113.7') || !flows().includes('2001:db8:bad::7')) await Bun.sleep(20)
  expect(changes).toBeGreaterThan(before)
  expect(new Set(asked)).toEqual(new Set(['evil.example']))
  rmSync(folder, { recursive: true })
})

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
