/**
 * Pools, claims and networks by name, for the conformance suite: with everything that each can say.
 * @module
 */
import { cidr, ip } from '../network/model/address.ts'
import type { Kinds } from './registry.ts'

type PoolKind = 'AddressPool' | 'ReservedAddresses' | 'AddressClaim' | 'AttachmentDefinition' | 'Coordinator'

const rack = { key: 'rack', operator: 'In', values: ['a', 'b'] } as const

/** One of each kind, under its name. */
export const poolExamples: { readonly [K in PoolKind]: { readonly name: string; readonly value: Kinds[K] } } = {
  AddressPool: {
    name: 'ippool-test',
    value: {
      name: 'ippool-test',
      uid: 'u10',
      createdAt: '2026-01-02T03:04:05Z',
      family: 4,
      subnet: cidr('172.18.0.0/16'),
      ranges: [
        { first: ip('172.18.30.131'), last: ip('172.18.30.140') },
        { first: ip('172.18.31.7'), last: ip('172.18.31.7') },
      ],
      excluded: [{ first: ip('172.18.30.135'), last: ip('172.18.30.135') }],
      gateway: ip('172.18.0.1'),
      routes: [{ destination: cidr('10.0.0.0/8'), gateway: ip('172.18.0.2') }],
      isDefault: true,
      isDisabled: false,
      isTerminating: false,
      nodes: ['node-1'],
      nodeSelector: [rack],
      namespaces: ['shop'],
      namespaceSelector: [{ key: 'team', operator: 'Exists', values: [] }],
      podSelector: [{ key: 'app', operator: 'NotIn', values: ['legacy'] }],
      definitions: ['kube-system/ovs-conf', 'other'],
      labels: { 'ipam.spidernet.io/owner-application-name': 'web' },
    },
  },
  ReservedAddresses: {
    name: 'printers',
    value: {
      name: 'printers',
      ranges: [
        { first: ip('172.18.30.136'), last: ip('172.18.30.137') },
        { first: ip('2001:db8::1'), last: ip('2001:db8::1') },
      ],
    },
  },
  AddressClaim: {
    name: 'underlay.2001-0db8-0000-0000-0000-0000-0000-0007',
    value: {
      address: ip('2001:db8::7'),
      prefix: 64,
      pool: 'ippool-test',
      namespace: 'shop',
      pod: 'web-0',
      podUid: 'u3',
      ifname: 'eth0',
      containerId: '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
      node: 'node-1',
      owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u9' },
      isSticky: true,
      gateway: ip('2001:db8::1'),
      routes: [{ destination: cidr('2001:db8:1::/48'), gateway: ip('2001:db8::2') }],
      hasCleanGateway: true,
    },
  },
  AttachmentDefinition: {
    name: 'kube-system/ovs-conf',
    value: {
      namespace: 'kube-system',
      name: 'ovs-conf',
      config: '{"cniVersion":"1.0.0","type":"ovs","bridge":"br1"}',
      resourceName: 'ovs-cni.network.kubevirt.io/br1',
    },
  },
  Coordinator: {
    name: 'default',
    value: {
      name: 'default',
      mode: 'auto',
      podCidrType: 'calico',
      hijack: [cidr('169.254.0.0/16'), cidr('192.0.2.1/32')],
      policyRoutes: [{ destination: cidr('10.1.0.0/16'), gateway: ip('172.18.0.1') }],
      macPrefix: '0a:1b',
      tunePodRoutes: true,
      defaultRouteNic: 'net1',
      hostRuleTable: 500,
      podRpFilter: -1,
      txQueueLength: 1000,
      vethLinkAddress: ip('169.254.100.1'),
      vethMtu: 1400,
      detectsConflicts: true,
      detectsGateway: false,
      status: { phase: 'Synced', overlayPods: [cidr('10.244.0.0/16')], services: [cidr('10.233.0.0/18')] },
    },
  },
}
