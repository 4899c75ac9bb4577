/**
 * A policy of every kind that holds them, for the conformance suite: with everything that its kind can say.
 * @module
 */
import { cidr } from '../network/model/address.ts'
import type { Peer, Policy, PolicyKind, PortMatch } from '../network/model/policy.ts'

const clients: Peer = {
  type: 'pods',
  namespaces: { labels: [{ key: 'team', operator: 'In', values: ['sales', 'stock'] }] },
  pods: [
    { key: 'app', operator: 'NotIn', values: ['legacy'] },
    { key: 'canary', operator: 'DoesNotExist', values: [] },
  ],
}
const neighbours: Peer = {
  type: 'pods',
  namespaces: { name: 'shop' },
  pods: [{ key: 'app', operator: 'Exists', values: [] }],
}
const setsOfShop: Peer = {
  type: 'sets',
  where: {
    type: 'and',
    conditions: [
      { type: 'has', of: 'own', key: 'app' },
      { type: 'compare', of: 'namespace', key: 'kubernetes.io/metadata.name', how: 'in', values: ['shop'] },
    ],
  },
}
const outside: Peer = { type: 'range', range: cidr('192.0.2.0/24'), except: [cidr('192.0.2.128/25')] }
const outside6: Peer = { type: 'range', range: cidr('2001:db8::/32'), except: [] }
const site: Peer = { type: 'name', name: '*.example.org' }

const web: PortMatch = { type: 'numbers', protocol: 'TCP', from: 80, to: 80 }
const high: PortMatch = { type: 'numbers', protocol: 'UDP', from: 30_000, to: 30_999 }
const sctp: PortMatch = { type: 'numbers', protocol: 'SCTP', from: 9003, to: 9005 }
const anySctp: PortMatch = { type: 'protocol', protocol: 'SCTP' }
const namedTcp: PortMatch = { type: 'named', name: 'http', protocol: 'TCP' }
const named: PortMatch = { type: 'named', name: 'dns' }

const everywhere = { namespaces: { labels: [] }, pods: [] }

/** A policy of each kind, under its name. */
export const policyExamples: { readonly [K in PolicyKind]: { readonly name: string; readonly value: Policy } } = {
  NetworkPolicy: {
    name: 'shop/web',
    value: {
      kind: 'NetworkPolicy',
      namespace: 'shop',
      name: 'web',
      uid: 'u4',
      tier: 'namespace',
      priority: 0,
      subject: { namespaces: { name: 'shop' }, pods: [{ key: 'app', operator: 'In', values: ['web'] }] },
      ingress: [
        { action: 'allow', peers: [clients, neighbours, outside], ports: [web, high, namedTcp] },
        { action: 'allow' },
      ],
      egress: [{ action: 'allow', peers: [outside6], ports: [anySctp] }],
    },
  },
  AdminNetworkPolicy: {
    name: 'tenants',
    value: {
      kind: 'AdminNetworkPolicy',
      name: 'tenants',
      uid: 'u5',
      tier: 'admin',
      priority: 10,
      subject: { namespaces: { labels: [{ key: 'team', operator: 'Exists', values: [] }] }, pods: [] },
      ingress: [{ action: 'deny', name: 'no clients', peers: [clients], ports: [web, high, named] }],
      egress: [
        { action: 'allow', peers: [site], ports: [web] },
        { action: 'pass', peers: [clients, { ...outside, except: [] }, outside6] },
      ],
    },
  },
  BaselineAdminNetworkPolicy: {
    name: 'default',
    value: {
      kind: 'BaselineAdminNetworkPolicy',
      name: 'default',
      uid: 'u6',
      tier: 'baseline',
      priority: 0,
      subject: everywhere,
      ingress: [{ action: 'allow', peers: [clients] }],
      egress: [{ action: 'deny', name: 'all else', peers: [outside6] }],
    },
  },
  ClusterNetworkPolicy: {
    name: 'sales',
    value: {
      kind: 'ClusterNetworkPolicy',
      name: 'sales',
      uid: 'u7',
      tier: 'baseline',
      priority: 1000,
      subject: { namespaces: clients.namespaces, pods: clients.pods },
      ingress: [{ action: 'pass', name: 'theirs', peers: [clients], ports: [web, sctp] }],
      egress: [
        { action: 'allow', peers: [site] },
        { action: 'deny', peers: [outside6], ports: [high, named] },
      ],
    },
  },
  EgressNetworkPolicy: {
    name: 'shop/default',
    value: {
      kind: 'EgressNetworkPolicy',
      namespace: 'shop',
      name: 'default',
      uid: 'u8',
      tier: 'firewall',
      priority: 0,
      subject: { namespaces: { name: 'shop' }, pods: [] },
      egress: [
        { action: 'allow', peers: [{ type: 'name', name: 'www.example.org' }] },
        { action: 'allow', peers: [{ ...outside, except: [] }] },
        { action: 'deny' },
      ],
    },
  },
  CalicoNetworkPolicy: {
    name: 'shop/default.web',
    value: {
      kind: 'CalicoNetworkPolicy',
      namespace: 'shop',
      name: 'default.web',
      uid: 'u9',
      tier: 'namespace',
      priority: 0,
      order: 12.5,
      subject: {
        namespaces: { name: 'shop' },
        pods: [{ key: 'app', operator: 'In', values: ['web'] }],
        where: { type: 'compare', of: 'own', key: 'version', how: 'startsWith', values: ['2'] },
      },
      ingress: [
        { action: 'deny', peers: [outside, outside6], ports: [web, namedTcp], sourcePorts: [{ from: 0, to: 1023 }] },
        { action: 'pass', own: [{ range: cidr('10.0.0.0/8'), except: [] }] },
      ],
      egress: [
        { action: 'allow', peers: [neighbours, setsOfShop], ports: [{ type: 'icmp', family: 6, icmpType: 128 }] },
      ],
    },
  },
  GlobalNetworkPolicy: {
    name: 'default.all',
    value: {
      kind: 'GlobalNetworkPolicy',
      name: 'default.all',
      uid: 'u10',
      tier: 'namespace',
      priority: 0,
      subject: { namespaces: clients.namespaces, pods: clients.pods },
      egress: [
        { action: 'allow', ports: [{ type: 'ip', number: 47 }] },
        { action: 'deny', peers: [] },
      ],
    },
  },
}
