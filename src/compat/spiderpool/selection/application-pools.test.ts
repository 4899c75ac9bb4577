/** Pools that were made for an application from a SpiderSubnet. */
import { describe, expect, test } from 'bun:test'
import type { AddressPool } from '../../../network/model/pool.ts'
import type { PoolQuestion } from './question.ts'
import {
  ask,
  chosen,
  failure,
  IPPOOL,
  json,
  pod,
  pool,
  SETTINGS,
  SUBNET,
  SUBNETS,
  type Wishes,
} from './testing/asking.ts'

describe('SpiderSubnets', () => {
  const made = (name: string, subnet: string, ifname: string, more: Partial<AddressPool> = {}) =>
    pool(name, {
      labels: {
        'ipam.spidernet.io/owner-spider-subnet': subnet,
        'ipam.spidernet.io/owner-application-gv': 'apps_v1',
        'ipam.spidernet.io/owner-application-kind': 'Deployment',
        'ipam.spidernet.io/owner-application-namespace': 'shop',
        'ipam.spidernet.io/owner-application-name': 'web',
        'ipam.spidernet.io/interface': ifname,
        'ipam.spidernet.io/ip-version': `IPv${more.family ?? 4}`,
      },
      ...more,
    })
  const pools = [
    made('auto4-web-eth0-1', 's4', 'eth0'),
    made('auto6-web-eth0-1', 's6', 'eth0', { family: 6 }),
    made('auto4-web-net1-1', 's4', 'net1'),
    made('auto4-web-eth0-2', 't4', 'eth0'),
    pool('p', { isDefault: true }),
  ]
  const owned = (wishes: Wishes, more: Partial<PoolQuestion> = {}) =>
    ask(wishes, {
      pod: pod(wishes, {
        labels: { 'pod-template-hash': '77' },
        controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-77' },
      }),
      ...more,
    })
  test.each<[string, PoolQuestion, string]>([
    ['of the first interface', owned({ [SUBNET]: json({ ipv4: ['s4', 't4'] }) }), 'subnet 4:auto4-web-eth0-1'],
    [
      'of both families',
      owned({ [SUBNET]: json({ ipv4: ['s4'], ipv6: ['s6'] }) }),
      'subnet 4:auto4-web-eth0-1 6:auto6-web-eth0-1',
    ],
    [
      'by interface, which counts first',
      owned({ [SUBNET]: json({ ipv4: ['s4'] }), [SUBNETS]: json([{ interface: 'eth0', ipv4: ['t4'] }]) }),
      'subnets 4:auto4-web-eth0-2',
    ],
    [
      'before pools',
      owned({ [SUBNET]: json({ ipv4: ['s4'] }), [IPPOOL]: json({ ipv4: ['p'] }) }),
      'subnet 4:auto4-web-eth0-1',
    ],
    [
      'a further interface is not spoken of',
      owned({ [SUBNET]: json({ ipv4: ['s4'] }) }, { ifname: 'net1', ordinal: 1 }),
      'default pools 4:p',
    ],
    [
      'a further interface by name',
      owned({ [SUBNETS]: json([{ interface: 'net1', ipv4: ['s4'] }]) }, { ifname: 'net1', ordinal: 1 }),
      'subnets 4:auto4-web-net1-1',
    ],
  ])('%s', (_, question, expected) => expect(chosen(question, pools)).toBe(expected))

  test('a pool that is not made yet is waited for', () => {
    const { id, code, message } = failure(() => chosen(owned({ [SUBNET]: json({ ipv4: ['u4'] }) }), pools))
    expect([id, code, message]).toEqual([
      'pool-pending',
      11,
      'no pool was made yet for Deployment shop/web, interface eth0, IPv4, from SpiderSubnet u4',
    ])
  })

  test('a pod that nobody controls is refused', () => {
    const { id, message } = failure(() => chosen(ask({ [SUBNET]: json({ ipv4: ['s4'] }) }), pools))
    expect([id, message]).toEqual([
      'annotation-invalid',
      `annotation ${SUBNET} of the pod: value: SpiderSubnet feature doesn't support no-controller pod`,
    ])
  })

  test('refused where they are off', () => {
    const off = { ...SETTINGS, hasSubnets: false }
    expect(failure(() => chosen(owned({ [SUBNET]: json({ ipv4: ['s4'] }) }), pools, off)).message).toBe(
      `annotation ${SUBNET} of the pod: value: SpiderSubnets are off`,
    )
  })
})
