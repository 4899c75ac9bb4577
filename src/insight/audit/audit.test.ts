import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { NodeFacts } from '../../agent/control/facts.ts'
import { type Cidr, ip } from '../../network/model/address.ts'
import { flowsOf } from '../../network/pipeline/build.ts'
import { sampleView } from '../testing/sample-facts.ts'
import type { ClusterView, RegistryView } from '../view.ts'
import { audit, lasting } from './audit.ts'
import { FINDINGS, type FindingCode } from './findings.ts'
import { repairPlan } from './repair.ts'

type Mutable<T> = T extends string | number | bigint | boolean | undefined
  ? T
  : { -readonly [K in keyof T]: Mutable<T[K]> }
interface Scene {
  readonly nodes: Mutable<NodeFacts>[]
  readonly registry: Mutable<RegistryView>
  readonly pick: (of: number) => number
}
type Plant = (scene: Scene) => void

/** One way to break a consistent cluster per finding. `pick` chooses whom it hits. */
const PLANTS: { readonly [code in FindingCode]?: Plant } = {
  'unreadable-lease': (scene) => {
    const node = chosen(scene)
    node.unreadable.push({ link: 'weft00000000000', problem: 'its record has version 9' })
    node.ports.push({ name: 'weft00000000000', type: '', ofport: 9, requested: 9, error: undefined })
  },
  'lease-without-port': (scene) => {
    const node = chosen(scene)
    node.ports.splice(2 + scene.pick(node.leases.length), 1)
  },
  'port-without-lease': (scene) => {
    const name = scene.pick(2) === 0 ? 'eth7' : 'weft0123456789a'
    chosen(scene).ports.push({ name, type: '', ofport: 77, requested: undefined, error: undefined })
  },
  'ofport-mismatch': (scene) => {
    const node = chosen(scene)
    item(node.ports, 2 + scene.pick(node.leases.length)).ofport = 5
  },
  'port-error': (scene) => {
    const node = chosen(scene)
    const port = item(node.ports, 2 + scene.pick(node.leases.length))
    port.error = 'could not open network device'
    port.ofport = undefined
  },
  'own-port-missing': (scene) => {
    chosen(scene).ports.splice(scene.pick(2), 1)
  },
  'underlay-port-missing': (scene) => wired(scene, 'others', 'Open vSwitch has no port weft0'),
  'underlay-unguarded': (scene) => wired(scene, 'missing', undefined),
  'link-without-lease': (scene) => strayLink(scene, false),
  'doomed-link-left': (scene) => strayLink(scene, true),
  'lease-without-link': (scene) => {
    const node = chosen(scene)
    const at = scene.pick(node.links.length)
    if (scene.pick(2) === 0) node.links.splice(at, 1)
    else item(node.links, at).doomed = true
  },
  'address-leased-twice': (scene) => {
    const { leases } = item(scene.nodes, 0)
    const lease = structuredClone(item(leases, 0))
    // A second attachment of the same address in everything else consistent: own port, link and no pod name.
    lease.endpoint = { ...lease.endpoint, id: 'twin/eth0', pod: '', ofport: 0x2000 }
    lease.link = 'weft99999999999'
    const { ports, links } = item(scene.nodes, 0)
    ports.push({ name: lease.link, type: '', ofport: 0x2000, requested: 0x2000, error: undefined })
    links.push({ ...item(links, 0), name: lease.link })
    lease.endpoint.addresses.splice(scene.pick(2), 1)
    leases.push(lease)
  },
  'address-outside-range': (scene) => readdress(scene, '10.200.0.7'),
  'address-is-gateway': (scene) =>
    readdress(scene, scene.nodes.indexOf(chosen(scene)) === 0 ? '10.128.0.1' : '10.129.0.1'),
  'pod-without-lease': (scene) => {
    const node = chosen(scene).status.node
    scene.registry.pods.push({ namespace: 'shop', name: 'ghost', uid: 'u', node, addresses: [ip('10.128.0.99')] })
  },
  'lease-without-pod': (scene) => {
    const { pods } = scene.registry
    const at = scene.pick(pods.length)
    if (scene.pick(2) === 0) pods.splice(at, 1)
    else {
      const pod = item(pods, at)
      leaseOf(scene, pod.name).endpoint.podUid = 'uid-of-an-earlier-one'
    }
  },
  'address-differs-from-pod': (scene) => {
    item(scene.registry.pods, scene.pick(scene.registry.pods.length)).addresses = [ip('10.128.0.98')]
  },
  'tenant-differs': (scene) => {
    if (scene.pick(2) === 0) item(scene.registry.tenants, scene.pick(3)).vni += 1
    else scene.registry.tenants.push({ namespace: 'new', vni: 99 })
    scene.nodes.splice(1)
  },
  'ranges-differ': (scene) => {
    scene.nodes.splice(1)
    item(scene.registry.networks, 0).ranges.pop()
  },
  'ranges-overlap': (scene) => {
    scene.nodes.forEach((node) => {
      node.self.ranges.push('10.131.0.0/23' as Mutable<Cidr>)
      for (const peer of node.status.peers) peer.ranges.push('10.131.0.0/23' as Mutable<Cidr>)
    })
    for (const network of scene.registry.networks) network.ranges.push('10.131.0.0/23' as Mutable<Cidr>)
  },
  'peer-differs': (scene) => {
    const { peers } = chosen(scene).status
    if (scene.pick(2) === 0) peers.pop()
    else item(peers, 0).ranges.pop()
  },
  'limit-differs': (scene) => {
    const node = chosen(scene)
    const { endpoint, link } = item(node.leases, scene.pick(node.leases.length))
    const { namespace, pod } = endpoint
    const right = { rate: 8_000, bytes: 0n }
    const wanted = { toPod: { rate: 8_000 }, fromPod: { rate: 8_000 } }
    const limits = { toPod: 8_000, fromPod: 8_000 }
    const inForce = scene.pick(2) === 0 ? { toPod: right } : { toPod: right, fromPod: { rate: 9_000, bytes: 0n } }
    node.limits.push({ endpoint: endpoint.id, namespace, pod, link, wanted, limits, inForce })
  },
  'group-missing': (scene) => {
    const { groups } = withGroups(scene)
    groups.splice(scene.pick(groups.length), 1)
  },
  'group-different': (scene) => {
    const { groups } = withGroups(scene)
    const at = scene.pick(groups.length)
    groups[at] = { ...item(groups, at), buckets: [] }
  },
  'group-unplanned': (scene) => {
    chosen(scene).groups.push({ id: 4711, type: 'select', buckets: [] })
  },
  'flow-missing': (scene) => {
    const { installed } = chosen(scene)
    installed.splice(scene.pick(installed.length), 1)
  },
  'flow-different': (scene) => {
    const { installed } = chosen(scene)
    const row = item(installed, scene.pick(installed.length))
    // The plan's flow is the same object: it must stay as it is.
    if (scene.pick(2) === 0) row.flow = { ...row.flow, actions: [{ op: 'output', port: 66 }] }
    else row.flow = { ...row.flow, cookie: row.flow.cookie + 1n }
  },
  'flow-unplanned': (scene) => {
    const flow = flowsOf('endpoint/gone/eth0').flow('route', 200, { eth_type: 0x800, ipv4_dst: '10.128.0.77' }, [])
    chosen(scene).installed.push({ flow: flow as never, packets: 0n, bytes: 0n })
  },
  'flow-foreign': (scene) => {
    const flow = { table: scene.pick(250), priority: 65535, cookie: 0n, match: { in_port: 5 }, actions: [] }
    chosen(scene).installed.push({ flow, packets: 0n, bytes: 0n } as never)
  },
  'lease-without-tenant': (scene) => {
    const lease = leaseOf(scene, 'cart')
    lease.endpoint.namespace = 'nowhere'
    const pod = scene.registry.pods.find(({ name }) => name === 'cart')
    if (pod !== undefined) pod.namespace = 'nowhere'
  },
}

test('a consistent cluster has no findings', () => expect(audit(sampleView())).toEqual([]))

test('every finding can be planted', () => {
  const others = ['agent-silent', 'registry-silent']
  expect(
    Object.keys(FINDINGS)
      .filter((code) => !(code in PLANTS) && !/^(?:neutron|ovn)-/.test(code))
      .sort(),
  ).toEqual(others)
})

describe('one planted inconsistency is exactly that finding', () => {
  for (const [code, plant] of Object.entries(PLANTS)) {
    test(code, () => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat()), (choices) => {
          const view = planted(plant, choices)
          expect(audit(view).map((finding) => finding.code)).toEqual([code as FindingCode])
        }),
        { numRuns: 12 },
      )
    })
  }
})

test('agents and a registry that do not answer are findings', () => {
  const { nodes } = sampleView()
  const silent = [{ name: 'node3', cause: 'no agent answers', remedy: '' }]
  const found = audit({ nodes, silent, registry: undefined, registryProblem: 'nothing answers' })
  expect(found.map(({ code }) => code).sort()).toEqual(['agent-silent', 'registry-silent'])
})

test('what a second look does not find again was a moment', () => {
  const earlier = audit(planted(required('flow-missing'), [0, 0][Symbol.iterator]()))
  expect(lasting(earlier, [])).toEqual([])
  expect(lasting([], earlier)).toEqual([])
  expect(lasting(earlier, earlier)).toEqual(earlier)
})

test('a repair plan has each step once, flows last', () => {
  const steps = [{ op: 'sync-flows' }, { op: 'remove-link', link: 'a' }, { op: 'sync-flows' }] as const
  const plan = repairPlan([...steps.map((step) => ({ node: 'n', step })), { node: 'm', step: undefined }])
  expect(plan).toEqual([{ node: 'n', steps: [{ op: 'remove-link', link: 'a' }, { op: 'sync-flows' }] }])
})

test('nothing that is not recognisably ours is repaired', () => {
  const view = planted(required('port-without-lease'), [0, 0][Symbol.iterator]())
  expect(audit(view).map(({ object, step }) => [object, step])).toEqual([['port eth7', undefined]])
})

function required(code: FindingCode): Plant {
  const plant = PLANTS[code]
  if (plant === undefined) throw new Error(code)
  return plant
}

function planted(plant: Plant, choices: Iterator<number>): ClusterView {
  const view = structuredClone(sampleView())
  const scene = {
    nodes: view.nodes as unknown as Mutable<NodeFacts>[],
    registry: view.registry as unknown as Mutable<RegistryView>,
    pick: (of: number) => (choices.next().value ?? 0) % of,
  }
  const fixed = scene.pick(scene.nodes.length)
  scenes.set(scene, fixed)
  plant(scene)
  return view
}

/** The node a scene is about: chosen once. */
const scenes = new WeakMap<Scene, number>()

function chosen(scene: Scene): Mutable<NodeFacts> {
  return item(scene.nodes, scenes.get(scene) ?? 0)
}

/** The node that has services. */
function withGroups(scene: Scene): Mutable<NodeFacts> {
  return item(
    scene.nodes.filter(({ groups }) => groups.length > 0),
    0,
  )
}

function item<T>(list: readonly T[], at: number): T {
  const found = list[at]
  if (found === undefined) throw new Error(`no item ${at}`)
  return found
}

function leaseOf(scene: Scene, pod: string): Mutable<NodeFacts>['leases'][number] {
  const lease = scene.nodes.flatMap(({ leases }) => leases).find(({ endpoint }) => endpoint.pod === pod)
  if (lease === undefined) throw new Error(pod)
  return lease
}

function wired(scene: Scene, guard: 'others' | 'missing', problem: string | undefined): void {
  const pod = { id: 'u/net1', namespace: 'shop', pod: 'u', ifname: 'net1', link: 'weft0', bridge: 'br1', vlan: '' }
  chosen(scene).underlay.push({ ...pod, mac: undefined, addresses: [ip('172.18.30.131')], guard, problem })
}

function strayLink(scene: Scene, doomed: boolean): void {
  const { links } = chosen(scene)
  links.push({ ...item(links, 0), name: 'weftabcdef01234', doomed, alias: 'gone/eth0' })
}

/** Gives a pod another IPv4 address, in lease and registry alike. */
function readdress(scene: Scene, text: string): void {
  const node = chosen(scene)
  const { endpoint } = item(node.leases, scene.pick(node.leases.length))
  endpoint.addresses[0] = ip(text) as Mutable<NodeFacts>['leases'][number]['endpoint']['addresses'][number]
  const pod = scene.registry.pods.find(({ name }) => name === endpoint.pod)
  if (pod !== undefined) pod.addresses = [...endpoint.addresses]
}
