import { expect, test } from 'bun:test'
import { from, tcp4 } from '../../../test/tables/packets.ts'
import { SAMPLE_CLUSTER, SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { cidr, ip } from '../model/address.ts'
import type { Policy } from '../model/policy.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { type DropName, dropByCode } from '../pipeline/drops.ts'
import type { NodePlanner } from '../planner.ts'
import { compileSwitch, packetOf, simulate } from '../simulate/simulate.ts'

const API = ip('172.30.0.1')
const { web } = SAMPLE_PODS

function planner(services: 'weft' | 'kube-proxy', endpoints: readonly string[] = ['192.0.2.100']): NodePlanner {
  const planned = samplePlanner({ ...SAMPLE_CLUSTER, services })
  planned.putPod({ namespace: 'shop', name: 'web', uid: 'u', node: 'node1', addresses: [], labels: { app: 'web' } })
  planned.putService({
    namespace: 'default',
    name: 'kubernetes',
    clusterIps: [API],
    ports: [{ name: 'https', protocol: 'TCP', port: 443 }],
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
  })
  planned.putEndpointSlice({
    namespace: 'default',
    name: 'kubernetes',
    service: 'kubernetes',
    ports: [{ name: 'https', protocol: 'TCP', port: 6443 }],
    endpoints: endpoints.map((address) => ({ address: ip(address), ready: true, serving: true, terminating: false })),
  })
  return planned
}

function policy(egress: Policy['egress']): Policy {
  const subject = { namespaces: { name: 'shop' }, pods: [] }
  const named = { kind: 'NetworkPolicy', namespace: 'shop', name: 'out' } as const
  return { ...named, tier: 'namespace', priority: 0, subject, ...(egress === undefined ? {} : { egress }) }
}

const toApi = (range: string, port: number): Policy =>
  policy([
    {
      action: 'allow',
      peers: [{ type: 'range', range: cidr(range), except: [] }],
      ports: [{ type: 'numbers', protocol: 'TCP', from: port, to: port }],
    },
  ])

function denying(name: string): Policy {
  const subject = { namespaces: { name: 'shop' }, pods: [] }
  const egress = [{ action: 'deny', peers: [{ type: 'name', name }] }] as const
  return { kind: 'EgressNetworkPolicy', namespace: 'shop', name: 'out', tier: 'firewall', priority: 0, subject, egress }
}

function endOf(planned: NodePlanner): DropName | 'leaves' {
  const packet = packetOf({ ...from(web), ...tcp4('10.128.0.2', API), tcp_dst: 443 })
  const { steps, outputs } = simulate(compileSwitch(planned.flows(), planned.groups()), packet)
  const drop = dropByCode(parseCookie(steps.at(-1)?.flow?.cookie ?? 0n)?.dropCode ?? 0)
  return outputs.length > 0 ? 'leaves' : (drop ?? 'leaves')
}

const CASES: readonly (readonly [string, Policy | undefined, DropName | 'leaves'])[] = [
  ['without policies', undefined, 'leaves'],
  ['that isolates, and allows nothing', policy([]), 'egress-isolated'],
  ['that allows the endpoint', toApi('192.0.2.0/24', 6443), 'leaves'],
  ['that allows the service’s address, which is not where it goes', toApi('172.30.0.0/16', 443), 'egress-isolated'],
  ['that allows the endpoint by the service’s port', toApi('192.0.2.0/24', 443), 'egress-isolated'],
  ['that says nothing of egress', policy(undefined), 'leaves'],
  ['that denies a DNS name which nobody answers for', denying('none.example'), 'firewall-unresolved'],
]

for (const services of ['weft', 'kube-proxy'] as const) {
  for (const [name, one, expected] of CASES) {
    test(`a service outside the pod networks, led by ${services}: a pod with a policy ${name}`, () => {
      const planned = planner(services)
      if (one !== undefined) planned.putPolicy(one)
      expect(endOf(planned)).toBe(expected)
    })
  }
}

test('with kube-proxy, all of several endpoints must be allowed, as they are now', () => {
  const planned = planner('kube-proxy', ['192.0.2.100', '198.51.100.7'])
  planned.putPolicy(toApi('192.0.2.0/24', 6443))
  expect(endOf(planned)).toBe('egress-isolated')
  planned.removeEndpointSlice('default/kubernetes')
  expect(endOf(planned)).toBe('leaves')
})
