/**
 * What is asked of the sample cluster, and the sentence that answers it.
 * @module
 */
import { cidr, ip } from '../../../network/model/address.ts'
import type { Peer, Policy, PolicyRule } from '../../../network/model/policy.ts'
import type { sampleView } from '../../testing/sample-facts.ts'
import type { ExplainRequest } from '../target.ts'

const app = (name: string): Peer => ({
  type: 'pods',
  namespaces: { name: 'shop' },
  pods: [{ key: 'app', operator: 'In', values: [name] }],
})
const team = (name: string): Peer => ({
  type: 'pods',
  namespaces: { labels: [{ key: 'team', operator: 'In', values: [name] }] },
  pods: [],
})
const everywhere: Policy['subject'] = { namespaces: { labels: [] }, pods: [] }
const tcp = (port: number) => ({ type: 'numbers', protocol: 'TCP', from: port, to: port }) as const

/** A NetworkPolicy for all pods of a namespace. */
export function inShop(name: string, parts: Partial<Policy>): Policy {
  const subject = { namespaces: { name: 'shop' }, pods: [] }
  return { kind: 'NetworkPolicy', namespace: 'shop', name, tier: 'namespace', priority: 0, subject, ...parts }
}

/** A rule that allows. */
export const allow = (parts: Partial<PolicyRule>): PolicyRule => ({ action: 'allow', ...parts })
/** Isolates all pods of a namespace, and allows nobody. */
export const DENY_IN = inShop('deny-all', { ingress: [] })
/** Allows one pod and one namespace a port. */
export const ALLOW_WEB = inShop('allow-web', {
  ingress: [allow({ peers: [app('web'), team('bank')], ports: [tcp(80)] })],
})
const FIREWALL: Policy = {
  ...inShop('default', {
    egress: [
      { action: 'allow', peers: [{ type: 'range', range: cidr('198.51.100.0/24'), except: [] }] },
      { action: 'deny', peers: [{ type: 'range', range: cidr('0.0.0.0/0'), except: [] }] },
    ],
  }),
  kind: 'EgressNetworkPolicy',
  tier: 'firewall',
}
const CALICO: Policy = {
  ...inShop('default.p', { ingress: [{ action: 'deny', peers: [app('web')], ports: [tcp(80)] }] }),
  kind: 'CalicoNetworkPolicy',
  order: 10,
}
const NAMED: Policy = {
  ...FIREWALL,
  name: 'named',
  egress: [
    { action: 'allow', peers: [{ type: 'name', name: 'www.example.org' }] },
    ...(FIREWALL.egress ?? []).slice(1),
  ],
}
const ADMIN: Policy = {
  kind: 'AdminNetworkPolicy',
  name: 'tenants',
  tier: 'admin',
  priority: 5,
  subject: everywhere,
  ingress: [{ action: 'deny', name: 'no-8080', peers: [team('shop')], ports: [tcp(8080)] }],
}

/** A question to a cluster with these policies, and the answer. */
export interface ExplainCase {
  readonly name: string
  readonly policies: readonly Policy[]
  readonly names?: Parameters<typeof sampleView>[1]
  readonly request: Pick<ExplainRequest, 'from' | 'to'> & Partial<ExplainRequest>
  readonly says: string
  readonly remedy?: string
}

/** Questions that all layers of the cluster have a part in. */
export const EXPLAIN_CASES: readonly ExplainCase[] = [
  {
    name: 'no policy',
    policies: [],
    request: { from: 'shop/web', to: 'shop/api' },
    says: 'shop/web can open tcp port 80 of shop/api: no policy decides about it; NetNamespace shop has netid 42: the same.',
  },
  {
    name: 'the wrong port',
    policies: [DENY_IN, ALLOW_WEB],
    request: { from: 'shop/web', to: 'shop/api', port: 8080 },
    says: 'shop/web cannot open tcp port 8080 of shop/api: NetworkPolicy shop/deny-all isolates shop/api for ingress (spec.podSelector selects it), and no rule of it or of NetworkPolicy shop/allow-web allows it; the nearest is spec.ingress[0].ports[0] of shop/allow-web, which allows tcp port 80.',
    remedy: 'to allow it, add tcp port 8080 to spec.ingress[0].ports of NetworkPolicy shop/allow-web',
  },
  {
    name: 'denied by a policy of Calico, in front of a NetworkPolicy that allows',
    policies: [ALLOW_WEB, CALICO],
    request: { from: 'shop/web', to: 'shop/api' },
    says: 'shop/web cannot open tcp port 80 of shop/api: spec.ingress[0].source with destination.ports of CalicoNetworkPolicy shop/default.p denies it.',
  },
  {
    name: 'the wrong peer, on another node',
    policies: [DENY_IN, ALLOW_WEB],
    request: { from: 'shop/api', to: 'shop/cart', family: 6 },
    says: 'shop/api cannot open tcp port 80 of shop/cart: NetworkPolicy shop/deny-all isolates shop/cart for ingress (spec.podSelector selects it), and no rule of it or of NetworkPolicy shop/allow-web allows it; the nearest is spec.ingress[0].from of shop/allow-web, which allows pods with app=web of namespace shop and all pods in namespaces with team=bank.',
    remedy: 'to allow it, add shop/api, by its labels, to spec.ingress[0].from of NetworkPolicy shop/allow-web',
  },
  {
    name: 'allowed by a pod selector',
    policies: [DENY_IN, ALLOW_WEB],
    request: { from: 'shop/web', to: 'shop/cart' },
    says: 'shop/web can open tcp port 80 of shop/cart: spec.ingress[0].from[0].podSelector with ports[0] of NetworkPolicy shop/allow-web allows it.',
  },
  {
    name: 'SCTP in user space, where answers follow too',
    policies: [
      inShop('sctp', { ingress: [allow({ ports: [{ type: 'numbers', protocol: 'SCTP', from: 80, to: 80 }] })] }),
    ],
    request: { from: 'shop/web', to: 'shop/cart', protocol: 'sctp' },
    says: 'shop/web can open sctp port 80 of shop/cart: spec.ingress[0].ports[0] of NetworkPolicy shop/sctp allows it.',
  },
  {
    name: 'isolated, and nothing near',
    policies: [DENY_IN],
    request: { from: 'shop/web', to: 'shop/cart', protocol: 'icmp' },
    says: 'shop/web cannot ping shop/cart: NetworkPolicy shop/deny-all isolates shop/cart for ingress (spec.podSelector selects it), and no rule of it allows it.',
    remedy: 'to allow it, give a NetworkPolicy that selects the pod a rule in spec.ingress for it',
  },
  {
    name: 'both ends have a rule',
    policies: [ALLOW_WEB, inShop('out', { egress: [allow({})] })],
    request: { from: 'shop/web', to: 'shop/api' },
    says: 'shop/web can open tcp port 80 of shop/api: spec.egress[0] of NetworkPolicy shop/out allows it at shop/web, and spec.ingress[0].from[0].podSelector with ports[0] of NetworkPolicy shop/allow-web allows it at shop/api.',
  },
  {
    name: 'what is not understood is told',
    policies: [
      inShop('broken', {
        ingress: [allow({ peers: [] })],
        problems: [{ field: 'spec.ingress[0].from[0].ipBlock.cidr', reason: '"x" is no network' }],
      }),
    ],
    request: { from: 'shop/web', to: 'shop/api' },
    says: 'shop/web cannot open tcp port 80 of shop/api: NetworkPolicy shop/broken isolates shop/api for ingress (spec.podSelector selects it), and no rule of it allows it; spec.ingress[0].from[0].ipBlock.cidr of shop/broken is not understood ("x" is no network) and fails closed.',
    remedy: 'to allow it, give a NetworkPolicy that selects the pod a rule in spec.ingress for it',
  },
  {
    name: 'the cluster’s own rule comes first',
    policies: [ADMIN, ALLOW_WEB],
    request: { from: 'shop/web', to: 'shop/api', port: 'http' },
    says: 'shop/web cannot open tcp port 8080 of shop/api: spec.ingress[0].from[0].namespaces with ports[0].portNumber (“no-8080”) of AdminNetworkPolicy tenants denies it.',
  },
  {
    name: 'out, as the firewall allows',
    policies: [FIREWALL],
    request: { from: 'shop/web', to: '198.51.100.7' },
    says: 'shop/web can open tcp port 80 of 198.51.100.7: spec.egress[0].to.cidrSelector of EgressNetworkPolicy shop/default allows it.',
  },
  {
    name: 'out, as the firewall denies',
    policies: [FIREWALL],
    request: { from: 'shop/web', to: '203.0.113.7' },
    says: 'shop/web cannot open tcp port 80 of 203.0.113.7: spec.egress[1].to.cidrSelector of EgressNetworkPolicy shop/default denies it.',
  },
  {
    name: 'out to a name that has this address',
    policies: [NAMED],
    names: { 'www.example.org': [ip('203.0.113.7')] },
    request: { from: 'shop/web', to: '203.0.113.7' },
    says: 'shop/web can open tcp port 80 of 203.0.113.7: spec.egress[0].to.dnsName of EgressNetworkPolicy shop/named allows it.',
  },
  {
    name: 'out, where a denied name could be anybody',
    policies: [{ ...NAMED, egress: [{ action: 'deny', peers: [{ type: 'name', name: 'www.example.org' }] }] }],
    request: { from: 'shop/web', to: '203.0.113.7' },
    says: 'shop/web cannot open tcp port 80 of 203.0.113.7: EgressNetworkPolicy shop/named denies it: spec.egress[0].to.dnsName: www.example.org could not be resolved, so any address may be its.',
  },
  {
    name: 'two firewalls',
    policies: [FIREWALL, { ...FIREWALL, name: 'other' }],
    request: { from: 'shop/web', to: '198.51.100.7' },
    says: 'shop/web cannot open tcp port 80 of 198.51.100.7: EgressNetworkPolicy shop/default and EgressNetworkPolicy shop/other deny it: metadata.namespace: the namespace has more than one egress firewall, and which of them counts is not said.',
  },
  {
    name: 'a node and its own pod',
    policies: [DENY_IN],
    request: { from: 'node/node1', to: 'shop/api' },
    says: 'node1 can open tcp port 80 of shop/api: node1 is the node of shop/api, and always reaches its own pods.',
  },
  {
    name: 'a node and another’s pod',
    policies: [DENY_IN],
    request: { from: 'node/node2', to: 'shop/api' },
    says: 'node2 cannot open tcp port 80 of shop/api: NetworkPolicy shop/deny-all isolates shop/api for ingress (spec.podSelector selects it), and no rule of it allows it.',
    remedy: 'to allow it, give a NetworkPolicy that selects the pod a rule in spec.ingress for it',
  },
  {
    name: 'a pod and itself',
    policies: [DENY_IN],
    request: { from: 'shop/api', to: 'shop/api' },
    says: 'shop/api can open tcp port 80 of shop/api: a pod always reaches itself.',
  },
  {
    name: 'another tenant',
    policies: [],
    request: { from: 'shop/web', to: 'bank/safe' },
    says: 'shop/web cannot open tcp port 80 of bank/safe: NetNamespace shop has netid 42, NetNamespace bank has netid 77: different tenants, and neither is global (0).',
    remedy: 'To let them talk: weft tenant join shop --to bank',
  },
  {
    name: 'a service whose endpoints differ',
    policies: [
      inShop('cart', {
        subject: { namespaces: { name: 'shop' }, pods: [{ key: 'app', operator: 'In', values: ['cart'] }] },
        ingress: [],
      }),
    ],
    request: { from: 'default/dns', to: 'service/shop/web', port: 'http' },
    says: 'default/dns can open tcp port 80 of service shop/web only when it is led to 2 of its 3 endpoints; of 10.129.0.2:8080 (shop/cart): NetworkPolicy shop/cart isolates shop/cart for ingress (spec.podSelector selects it), and no rule of it allows it.',
    remedy: 'to allow it, give a NetworkPolicy that selects the pod a rule in spec.ingress for it',
  },
  {
    name: 'a service by its address, judged by the endpoint’s port',
    policies: [inShop('in', { ingress: [allow({ ports: [tcp(8080)] })] })],
    request: { from: 'default/dns', to: '172.30.0.10' },
    says: 'default/dns can open tcp port 80 of service shop/web, whichever of its 3 endpoints answers; of 10.128.0.2:8080 (shop/web): spec.ingress[0].ports[0] of NetworkPolicy shop/in allows it.',
  },
  {
    name: 'a service without endpoints, by its bare name',
    policies: [],
    request: { from: 'shop/web', to: 'empty' },
    says: 'shop/web cannot open tcp port 80 of service shop/empty: service shop/empty has no ready endpoint for tcp port 80.',
    remedy: 'See which pods are ready: kubectl get endpointslices -A',
  },
  {
    name: 'a port that the service does not have',
    policies: [],
    request: { from: 'shop/web', to: 'service/shop/web', port: 443 },
    says: 'shop/web cannot open tcp port 443 of service shop/web: service shop/web has no tcp port 443: it has tcp port 80 (http) and udp port 514 (log).',
    remedy: 'Compare port and protocol with the service: kubectl get services -A',
  },
  {
    name: 'ping to a service',
    policies: [],
    request: { from: 'shop/web', to: 'service/shop/web', protocol: 'icmp' },
    says: 'shop/web cannot ping service shop/web: no address of service shop/web answers to ping: it has tcp port 80 (http) and udp port 514 (log).',
    remedy: 'Compare port and protocol with the service: kubectl get services -A',
  },
  {
    name: 'an address that nobody has',
    policies: [],
    request: { from: 'shop/web', to: '10.128.1.200' },
    says: 'shop/web cannot open tcp port 80 of 10.128.1.200: no pod has the address 10.128.1.200: it is of the range of node1.',
    remedy: 'The pod is gone, or its address is stale: weft audit',
  },
]
