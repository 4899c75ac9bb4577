/**
 * What is said of BGP, for the conformance suite: with everything that each can say.
 * @module
 */
import { cidr, ip } from '../network/model/address.ts'
import type { Kinds } from './registry.ts'

type BgpKind = 'BgpConfiguration' | 'BgpFilter' | 'BgpPeering' | 'BgpRange'

/** One of each kind, under its name. */
export const bgpExamples: { readonly [K in BgpKind]: { readonly name: string; readonly value: Kinds[K] } } = {
  BgpConfiguration: {
    name: 'default',
    value: {
      name: 'default',
      mesh: false,
      asNumber: 64_512,
      port: 1179,
      isStrictlyBound: true,
      meshPassword: 'bgp-secrets/mesh',
      meshRestart: 90,
      bfd: { interval: 100, multiplier: 4 },
      ignoredInterfaces: ['docker*'],
      metric4: 512,
      metric6: 513,
      communities: [{ cidr: cidr('10.128.0.0/14'), add: ['65000:100', '65000:1:2'] }],
      clusterIps: [cidr('172.30.0.0/16')],
      externalIps: [cidr('203.0.113.0/28')],
      loadBalancerIps: [cidr('2001:db8:1::/64')],
      tellsEachLoadBalancer: true,
    },
  },
  BgpFilter: {
    name: 'only-ours',
    value: {
      name: 'only-ours',
      imports: {
        4: [
          {
            action: 'accept',
            prefix: { operator: 'in', cidr: cidr('10.0.0.0/8'), lengths: { min: 16, max: 24 } },
            isLearned: true,
            outgoing: 'eth*',
            peers: 'external',
            community: [65_000, 100],
            pathStart: [65_001, 65_002],
            priority: 512,
            changes: [
              { kind: 'add-community', community: [65_000, 1, 2] },
              { kind: 'prepend', asNumbers: [65_003] },
              { kind: 'priority', value: 100 },
            ],
          },
        ],
        6: [{ action: 'reject', changes: [] }],
      },
      exports: {
        4: [],
        6: [{ action: 'reject', prefix: { operator: 'not-equal', cidr: cidr('fd00::/64') }, changes: [] }],
      },
    },
  },
  BgpPeering: {
    name: 'rack-a',
    value: {
      name: 'rack-a',
      nodeSelector: "rack == 'a'",
      address: ip('2001:db8::1'),
      port: 1179,
      asNumber: 65_001,
      localAs: 65_002,
      nextHop: 'self',
      password: 'bgp-secrets/rack-a',
      source: 'any',
      restart: 60,
      keepalive: 10,
      allowedLocalAs: 1,
      ttlSecurity: 1,
      reachableBy: ip('192.0.2.254'),
      filters: ['only-ours'],
      isMutual: false,
      bfd: true,
    },
  },
  BgpRange: {
    name: 'pods',
    value: {
      name: 'pods',
      cidr: cidr('10.128.0.0/14'),
      isHidden: true,
      tunnel: 'vxlan',
      isCrossSubnet: true,
      isTranslated: false,
      isDisabled: true,
    },
  },
}
