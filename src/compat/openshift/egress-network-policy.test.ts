import { expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import type { Policy } from '../../network/model/policy.ts'
import { decodeValue } from '../../registry/codec.ts'
import { egressNetworkPolicyBinding } from './egress-network-policy.ts'

function read(spec: unknown): Policy {
  const object = { metadata: { name: 'default', namespace: 'shop', uid: 'u' }, spec } as unknown as KubeObject
  const decoded = egressNetworkPolicyBinding.decode(JSON.parse(JSON.stringify(object)))
  return decodeValue('EgressNetworkPolicy', 'shop/default', decoded)
}

const to = (type: string, cidrSelector: string) => ({ type, to: { cidrSelector } })
const name = (type: string, dnsName: string) => ({ type, to: { dnsName } })
const range = (cidr: string) => [{ type: 'range', range: cidr, except: [] }]
const ALL_IPV4 = range('0.0.0.0/0')
const DENY_ALL = { action: 'deny' }
const NOBODY = { action: 'allow', peers: [] }
const AT = 'spec.egress[0]'

test.each([
  ['no rules: nothing is forbidden', [], []],
  [
    'rules in their order',
    [to('Allow', '192.0.2.0/24'), name('Allow', 'www.Example.org'), to('Deny', '0.0.0.0/0')],
    [
      { action: 'allow', peers: range('192.0.2.0/24') },
      { action: 'allow', peers: [{ type: 'name', name: 'www.example.org' }] },
      DENY_ALL,
    ],
  ],
  ['a name that is denied', [name('Deny', 'a.test.')], [{ action: 'deny', peers: [{ type: 'name', name: 'a.test' }] }]],
  [
    'what is beyond the prefix does not count',
    [to('Allow', '10.1.2.3/8')],
    [{ action: 'allow', peers: range('10.0.0.0/8') }],
  ],
  ['everything that is denied: IPv6 too, which OpenShift SDN has not', [to('Deny', '0.0.0.0/0')], [DENY_ALL]],
  ['everything that is allowed is IPv4', [to('Allow', '0.0.0.0/0')], [{ action: 'allow', peers: ALL_IPV4 }]],
  [
    'unless a rule speaks of IPv6',
    [to('Allow', '2001:db8::/32'), to('Deny', '0.0.0.0/0'), to('Deny', '::/0')],
    [
      { action: 'allow', peers: range('2001:db8::/32') },
      { action: 'deny', peers: ALL_IPV4 },
      { action: 'deny', peers: range('::/0') },
    ],
  ],
] as const)('%s', (_, egress, rules) => {
  const found = read({ egress })
  expect(found.problems).toBeUndefined()
  expect<unknown>(found).toMatchObject({
    tier: 'firewall',
    subject: { namespaces: { name: 'shop' }, pods: [] },
  })
  expect<unknown>(found.egress).toEqual(rules)
  expect(found.ingress).toBeUndefined()
})

test.each([
  ['0.0.0.0/32 is everything, as it was once', to('Deny', '0.0.0.0/32'), DENY_ALL, `${AT}.to.cidrSelector`],
  ['and allowed', to('Allow', '0.0.0.0/32'), { action: 'allow', peers: ALL_IPV4 }, `${AT}.to.cidrSelector`],
  ['no network, allowed: nobody', to('Allow', 'x'), NOBODY, `${AT}.to.cidrSelector`],
  ['no network, denied: everything', to('Deny', '10.0.0.0/33'), DENY_ALL, `${AT}.to.cidrSelector`],
  ['no name', name('Deny', 'a b'), DENY_ALL, `${AT}.to.dnsName`],
  ['a wildcard: OpenShift has none', name('Allow', '*.test'), NOBODY, `${AT}.to.dnsName`],
  ['an address for a name', name('Allow', '192.0.2.1'), NOBODY, `${AT}.to.dnsName`],
  ['nowhere', { type: 'Deny', to: {} }, DENY_ALL, `${AT}.to`],
  ['no word about it', { type: 'Allow' }, NOBODY, `${AT}.to`],
  ['both', { type: 'Allow', to: { cidrSelector: '10.0.0.0/8', dnsName: 'a.test' } }, NOBODY, `${AT}.to`],
  ['what nobody knows', { type: 'Allow', to: { nodeSelector: {} } }, NOBODY, `${AT}.to.nodeSelector`],
  ['another field', { type: 'Allow', to: { dnsName: 'a.test' }, ports: [] }, NOBODY, `${AT}.ports`],
  ['another type', to('Pass', '10.0.0.0/8'), DENY_ALL, `${AT}.type`],
] as const)('%s', (_, rule, expected, field) => {
  const found = read({ egress: [rule] })
  expect<unknown>(found.egress).toEqual([expected])
  expect(found.problems?.map((one) => one.field)).toEqual([field])
})

test.each([[undefined], [null], [7], [[]], [{}], [{ egress: 'all' }], [{ egress: [], mode: 'x' }]])(
  'what is none denies everything (%p)',
  (spec) => {
    expect<unknown>(read(spec)).toMatchObject({ egress: [DENY_ALL], problems: [{}] })
  },
)

test('more rules than can be deny everything', () => {
  const egress = Array.from({ length: 10_001 }, () => to('Allow', '10.0.0.0/8'))
  expect<unknown>(read({ egress }).egress).toEqual([DENY_ALL])
})
