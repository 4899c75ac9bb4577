/** Policies of a pod on the physical network count for what comes to it by way of its node. */
import { beforeEach, expect, test } from 'bun:test'
import { from, tcp4 } from '../../../test/tables/packets.ts'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { cidr, type Ip, ip, macFromIp } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Policy } from '../model/policy.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { type DropName, dropByCode } from '../pipeline/drops.ts'
import type { NodePlanner } from '../planner.ts'
import { compileSwitch, packetOf, simulate } from '../simulate/simulate.ts'

const { web } = SAMPLE_PODS
const OWN = ip('172.18.30.131')
const wire: Endpoint = {
  id: 'u1/eth0',
  containerId: 'u1',
  ifname: 'eth0',
  namespace: 'bank',
  pod: 'ledger',
  mac: macFromIp(OWN),
  addresses: [OWN, ip('fd00:18::131')],
  ofport: 0x1234,
}

let planner: NodePlanner

beforeEach(() => {
  planner = samplePlanner()
  for (const { namespace, pod, addresses } of [web, wire])
    planner.putPod({ namespace, name: pod, uid: pod, node: 'node1', addresses, labels: { app: pod } })
  planner.putWireEndpoint(wire)
})

test('without a policy the overlay reaches it by the node', () => expect(endOf(OWN)).toBe('leaves'))

test('isolated, it takes nothing from there', () => {
  planner.putPolicy(policy([]))
  expect(endOf(OWN)).toBe('ingress-isolated')
})

test('a rule allows whom it selects', () => {
  for (const [app, end] of [
    ['web', 'leaves'],
    ['other', 'ingress-isolated'],
  ] as const) {
    const pods = [{ key: 'app', operator: 'In', values: [app] }] as const
    const peers = [{ type: 'pods', namespaces: { labels: [] }, pods }] as const
    planner.putPolicy(policy([{ action: 'allow', peers }]))
    expect(endOf(OWN)).toBe(end)
  }
})

test('what goes elsewhere is none of its business', () => {
  planner.putPolicy(policy([]))
  expect(endOf(ip('172.18.30.132'))).toBe('leaves')
})

test('once it is gone nobody is judged in its name', () => {
  planner.putPolicy(policy([]))
  planner.removeWireEndpoint(wire.id)
  expect(endOf(OWN)).toBe('leaves')
})

test('an egress firewall comes first, and does not let pass what the pod does not take', () => {
  const subject = { namespaces: { name: 'shop' }, pods: [] }
  const egress = [{ action: 'allow', peers: [{ type: 'range', range: cidr('172.18.0.0/16'), except: [] }] }] as const
  planner.putPolicy({
    kind: 'EgressNetworkPolicy',
    namespace: 'shop',
    name: 'out',
    tier: 'firewall',
    priority: 0,
    subject,
    egress,
  })
  expect(endOf(OWN)).toBe('leaves')
  planner.putPolicy(policy([]))
  expect(endOf(OWN)).toBe('ingress-isolated')
})

function policy(ingress: Policy['ingress']): Policy {
  const subject = { namespaces: { name: 'bank' }, pods: [] }
  const named = { kind: 'NetworkPolicy', namespace: 'bank', name: 'ledger' } as const
  return { ...named, tier: 'namespace', priority: 0, subject, ...(ingress === undefined ? {} : { ingress }) }
}

function endOf(to: Ip): DropName | 'leaves' {
  const [own = OWN] = web.addresses
  const packet = packetOf({ ...from(web), ...tcp4(own, to), tcp_dst: 8080 })
  const { steps, outputs } = simulate(compileSwitch(planner.flows(), planner.groups()), packet)
  const drop = dropByCode(parseCookie(steps.at(-1)?.flow?.cookie ?? 0n)?.dropCode ?? 0)
  return outputs.length > 0 ? 'leaves' : (drop ?? 'leaves')
}
