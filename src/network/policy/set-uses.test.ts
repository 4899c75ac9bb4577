/** What is looked at, and what is planned anew, when something of a network set cannot be read. */
import { describe, expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { type Cidr, cidr, ip } from '../model/address.ts'
import type { Cluster } from '../model/cluster.ts'
import type { Condition } from '../model/condition.ts'
import type { NetworkSet } from '../model/network-set.ts'
import type { Policy } from '../model/policy.ts'
import type { Service } from '../model/service.ts'
import type { NodePlanner } from '../planner.ts'

const SIZES = [10, 60] as const
const PROBLEMS = [{ field: 'spec.nets[0]', reason: 'is no network' }]

/** Reads of what policies demand of sets, and of what labels sets have. */
interface Looks {
  count: number
}

describe('X7: cost follows what changed, not policies × sets that cannot be read', () => {
  test.each([
    ['a set comes to be unreadable', (planner, looks) => planner.putNetworkSet(feed(3, looks, { problems: PROBLEMS }))],
    ['an unreadable set is gone', (planner) => planner.removeNetworkSet('GlobalNetworkSet/feed-5')],
    [
      'an unreadable set has other labels',
      (planner, looks) => planner.putNetworkSet(feed(5, looks, { problems: PROBLEMS, label: 'feed-3' })),
    ],
    ['a namespace with an unreadable set has other labels', (planner) => planner.putNamespace(namespace('n5', 'late'))],
    ['a policy comes', (planner, looks) => planner.putPolicy(blocking(5, looks, { name: 'more' }))],
    ['a policy is gone', (planner) => planner.removePolicy('GlobalNetworkPolicy/block-5')],
  ] as readonly (readonly [string, (planner: NodePlanner, looks: Looks) => void])[])('%s', (_, happen) => {
    const [few, many] = SIZES.map((size) => {
      const looks: Looks = { count: 0 }
      const planner = clusterOf(size, looks)
      looks.count = 0
      happen(planner, looks)
      return looks.count
    })
    expect(few).toBeGreaterThan(0)
    expect(many).toBe(few ?? 0)
  })
})

describe('X15: what becomes of a set plans anew what names it, and nothing else', () => {
  const EVENTS: readonly (readonly [string, (planner: NodePlanner, looks: Looks) => void, string])[] = [
    [
      'comes to be unreadable',
      (planner, looks) => planner.putNetworkSet(feed(2, looks, { problems: PROBLEMS })),
      'c4/eth0',
    ],
    ['can be read again', (planner, looks) => planner.putNetworkSet(feed(1, looks, {})), 'c3/eth0'],
    ['is gone', (planner) => planner.removeNetworkSet('GlobalNetworkSet/feed-1'), 'c3/eth0'],
  ]

  test.each(EVENTS)('of policies: it %s', (_, happen) => {
    const looks: Looks = { count: 0 }
    const planner = clusterOf(10, looks)
    happen(planner, looks)
    const touched = planner.take().map(({ key }) => key)
    expect(touched.filter((key) => /^policy-(subject|proxied)\//.test(key))).toEqual([])
    expect(touched.filter((key) => key.startsWith('policy-class/')).length).toBe(2)
  })

  test.each(EVENTS)('of services that lead outside: it %s', (_, happen, endpoint) => {
    const looks: Looks = { count: 0 }
    const planner = clusterOf(10, looks, { services: 'kube-proxy' })
    const [address] = [ip('203.0.113.9')]
    planner.putService(OUTSIDE)
    planner.putEndpointSlice({
      ...{ namespace: 'shop', name: 'outside-1', service: 'outside', ports: [{ name: '', protocol: 'TCP', port: 80 }] },
      endpoints: [{ address, ready: true, serving: true, terminating: false }],
    })
    const all = planner.take().map(({ key }) => key)
    expect(all.filter((key) => key.startsWith('policy-proxied/')).length).toBe(4)
    happen(planner, looks)
    const touched = planner.take().map(({ key }) => key)
    expect(touched.filter((key) => key.startsWith('policy-proxied/'))).toEqual([`policy-proxied/${endpoint}`])
  })
})

const OUTSIDE: Service = {
  ...{ namespace: 'shop', name: 'outside', clusterIps: [ip('172.30.0.99')] },
  ports: [{ name: '', protocol: 'TCP', port: 80 }],
  internalPolicy: 'Cluster',
  externalPolicy: 'Cluster',
}

/** Policies that each speak of a set of their own, for one pod each; every other set cannot be read. */
function clusterOf(size: number, looks: Looks, more: Partial<Cluster> = {}): NodePlanner {
  const planner = samplePlanner({ ...SAMPLE_CLUSTER, ...more })
  for (const [n, { namespace: name, pod, addresses }] of Object.values(SAMPLE_PODS).entries()) {
    const labels = { pod: `${n}` }
    planner.putPod({ namespace: name, name: pod, uid: 'u', node: 'node1', addresses, labels })
    planner.putNamespace({ name, uid: 'n', labels: {} })
  }
  for (let n = 0; n < size; n += 1) {
    planner.putNamespace(namespace(`n${n}`, 'early'))
    planner.putNetworkSet(feed(n, looks, n % 2 === 1 && n !== 3 ? { problems: PROBLEMS } : {}))
    if (n % 2 === 1) planner.putNetworkSet(local(n, looks))
    planner.putPolicy(blocking(n, looks))
  }
  planner.take()
  return planner
}

function namespace(name: string, stage: string) {
  return { name, uid: name, labels: { stage } }
}

interface FeedOptions extends Pick<NetworkSet, 'problems'> {
  readonly label?: string
}

function feed(n: number, looks: Looks, { label = `feed-${n}`, ...rest }: FeedOptions): NetworkSet {
  return {
    kind: 'GlobalNetworkSet',
    name: `feed-${n}`,
    labels: counted({ feed: label }, looks),
    nets: [net(n)],
    ...rest,
  }
}

function local(n: number, looks: Looks): NetworkSet {
  const labels = counted({ feed: 'local' }, looks)
  return { kind: 'NetworkSet', namespace: `n${n}`, name: 'local', labels, nets: [net(n)], problems: PROBLEMS }
}

function net(n: number): Cidr {
  return cidr(`198.51.${n >> 8}.${n & 255}/32`)
}

function blocking(n: number, looks: Looks, { name = `block-${n}` }: { readonly name?: string } = {}): Policy {
  const own: Condition = demand(`feed-${n}`, looks)
  const ofNamespace: Condition = {
    type: 'and',
    conditions: [
      { type: 'compare', of: 'namespace', key: 'kubernetes.io/metadata.name', how: 'in', values: [`n${n}`] },
      { type: 'compare', of: 'namespace', key: 'stage', how: 'in', values: ['late'] },
    ],
  }
  return {
    ...{ kind: 'GlobalNetworkPolicy', name, tier: 'namespace', priority: 0, order: n },
    subject: { namespaces: { labels: [] }, pods: [{ key: 'pod', operator: 'In', values: [`${n}`] }] },
    ingress: [
      { action: 'deny', peers: [{ type: 'sets', where: own }] },
      { action: 'deny', peers: [{ type: 'sets', where: ofNamespace }] },
      { action: 'allow' },
    ],
    egress: [
      { action: 'deny', peers: [{ type: 'sets', where: own }] },
      { action: 'deny', peers: [{ type: 'range', range: cidr('203.0.113.0/24'), except: [] }] },
      { action: 'allow' },
    ],
  }
}

function demand(value: string, looks: Looks): Condition {
  return {
    ...{ type: 'compare', of: 'own', key: 'feed', how: 'in' },
    get values() {
      looks.count += 1
      return [value]
    },
  } as Condition
}

function counted(labels: Readonly<Record<string, string>>, looks: Looks): Readonly<Record<string, string>> {
  return new Proxy(labels, {
    get: (target, key, receiver) => {
      looks.count += 1
      return Reflect.get(target, key, receiver)
    },
  })
}
