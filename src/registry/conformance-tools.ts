/**
 * What the conformance suite is written with.
 * @module
 */
import { cidr, ip } from '../network/model/address.ts'
import { bgpExamples } from './conformance-bgp.ts'
import { neutronExamples } from './conformance-neutron.ts'
import { policyExamples } from './conformance-policies.ts'
import { poolExamples } from './conformance-pools.ts'
import { type Change, type Kind, type Kinds, type Registry, RegistryError, type RegistryErrorCode } from './registry.ts'

/** A change that is no bookmark. */
export type RealChange<K extends Kind> = Exclude<Change<K>, { type: 'bookmark' }>

/** An object of every kind, with every optional field. */
export const examples: { readonly [K in Kind]: { readonly name: string; readonly value: Kinds[K] } } = {
  Cluster: {
    name: 'default',
    value: {
      networks: [
        { cidr: cidr('10.128.0.0/14'), hostBits: 9 },
        { cidr: cidr('fd01::/48'), hostBits: 64 },
      ],
      serviceNetworks: [cidr('172.30.0.0/16')],
      tenancy: 'multitenant',
      encapsulation: { type: 'vxlan', port: 4789 },
      underlay: 4,
      services: 'weft',
      rangesPerNode: 20,
      mtu: 1450,
    },
  },
  Node: {
    name: 'node-1',
    value: {
      name: 'node-1',
      uid: 'u1',
      addresses: [ip('192.0.2.1'), ip('2001:db8::1')],
      labels: { 'example.org/rack': 'a' },
      bgp: { addresses: [{ address: ip('192.0.2.1'), length: 24 }], asNumber: 65_001, clusterId: ip('244.0.0.1') },
    },
  },
  NodeNetwork: {
    name: 'node-1',
    value: {
      node: 'node-1',
      machine: { kind: 'node', uid: 'u1' },
      addresses: [ip('192.0.2.1')],
      ranges: [cidr('10.128.0.0/23'), cidr('10.128.4.0/23'), cidr('fd01:0:0:1::/64')],
      closing: [{ range: cidr('10.128.4.0/23'), since: 7 }],
      problem: 'none, really',
      status: {
        ready: false,
        reason: 'starting',
        uplinkMtu: 1500,
        datapath: 'netdev',
        wants: { 4: 2, 6: 1 },
        unused: [{ range: cidr('10.128.4.0/23'), since: 7 }, { range: cidr('10.128.6.0/23') }],
      },
    },
  },
  Namespace: {
    name: 'shop',
    value: {
      name: 'shop',
      uid: 'u2',
      labels: { 'kubernetes.io/metadata.name': 'shop', team: 'sales' },
      defaultPools: { ipv4: '["shop-v4"]', ipv6: '["shop-v6"]' },
      securityGroups: 'web, db',
    },
  },
  Tenant: {
    name: 'shop',
    value: {
      namespace: 'shop',
      vni: 4711,
      request: { id: 'r2', action: 'join', target: 'till' },
      outcome: { id: 'r1', accepted: false, code: 'TENANT_SELF_JOIN', message: 'no', remedy: 'join another' },
    },
  },
  Pod: {
    name: 'shop/web-0',
    value: {
      namespace: 'shop',
      name: 'web-0',
      uid: 'u3',
      node: 'node-1',
      addresses: [ip('10.128.0.2')],
      bandwidth: { toPod: { rate: 10_000_000 }, fromPod: { rate: 1_500 } },
      hostPorts: [{ port: 8080, protocol: 'TCP' }],
      labels: { app: 'web', 'example.org/tier': '' },
      namedPorts: [
        { name: 'http', protocol: 'TCP', port: 80 },
        { name: 'dns', protocol: 'UDP', port: 53 },
      ],
      wishes: { 'ipam.spidernet.io/ippool': '{"ipv4":["shop"]}' },
      controller: { apiVersion: 'example.org/v1', kind: 'CloneSet', name: 'web', uid: 'u9' },
    },
  },
  Service: {
    name: 'shop/web',
    value: {
      namespace: 'shop',
      name: 'web',
      clusterIps: [ip('172.30.0.10'), ip('fd02::10')],
      externalIps: [ip('203.0.113.10')],
      ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 }],
      affinitySeconds: 10_800,
      internalPolicy: 'Cluster',
      externalPolicy: 'Local',
    },
  },
  EndpointSlice: {
    name: 'shop/web-abc12',
    value: {
      namespace: 'shop',
      name: 'web-abc12',
      service: 'web',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      endpoints: [
        { address: ip('10.128.0.2'), ready: true, serving: true, terminating: false, node: 'node-1' },
        { address: ip('10.130.0.2'), ready: false, serving: true, terminating: true, node: 'node-2' },
      ],
    },
  },
  NetworkSet: {
    name: 'shop/partners',
    value: {
      kind: 'NetworkSet',
      namespace: 'shop',
      name: 'partners',
      uid: 'u20',
      labels: { role: 'partner' },
      nets: [cidr('192.0.2.0/24'), cidr('2001:db8::/32')],
    },
  },
  GlobalNetworkSet: {
    name: 'blocked',
    value: {
      kind: 'GlobalNetworkSet',
      name: 'blocked',
      uid: 'u21',
      labels: { feed: 'x' },
      nets: [cidr('198.51.100.7/32')],
    },
  },
  ...policyExamples,
  ...poolExamples,
  ...bgpExamples,
  ...neutronExamples,
}

/** A node. */
export function node(name: string, uid = `uid-of-${name}`): Kinds['Node'] {
  return { name, uid, addresses: [] }
}

/** A tenant. */
export function tenant(namespace: string, vni = 11): Kinds['Tenant'] {
  return { namespace, vni }
}

/** A tenant with so many words twice. */
export function wordy(namespace: string, words: number, vni = 11): Kinds['Tenant'] {
  const text = 'x'.repeat(words)
  return { namespace, vni, outcome: { id: 'r', accepted: false, code: 'C', message: text, remedy: text } }
}

/** A node's network. */
export function network(node: string): Kinds['NodeNetwork'] {
  return { node, machine: { kind: 'node', uid: `uid-of-${node}` }, addresses: [], ranges: [] }
}

/** The next `count` changes after a revision, bookmarks left out; with `name`, of that object. */
export async function collect<K extends Kind>(
  registry: Registry,
  kind: K,
  after: number,
  count: number,
  name?: string,
): Promise<RealChange<K>[]> {
  const aborter = new AbortController()
  const changes: RealChange<K>[] = []
  for await (const change of registry.watch(kind, after, aborter.signal, name)) {
    if (change.type !== 'bookmark') changes.push(change)
    if (changes.length === count) break
  }
  aborter.abort()
  return changes
}

/** `ok`, or the code that a call failed with. Any other error is passed on. */
export async function settled(call: Promise<unknown>): Promise<'ok' | RegistryErrorCode> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}
