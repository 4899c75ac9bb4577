/** Spiderpool's pool selection: every source, rule and filter as a row. */
import { describe, expect, test } from 'bun:test'
import { CniError } from '../../../cni/errors.ts'
import { cidr } from '../../../network/model/address.ts'
import { parseIpRange } from '../../../network/model/ip-range.ts'
import type { Pod } from '../../../network/model/pod.ts'
import type { Requirement } from '../../../network/model/policy.ts'
import type { AddressPool } from '../../../network/model/pool.ts'
import type { FamilyChoice, KnownPools, PoolQuestion, SelectionSettings } from './question.ts'
import { selectPools } from './select.ts'

const IPPOOL = 'ipam.spidernet.io/ippool'
const IPPOOLS = 'ipam.spidernet.io/ippools'
const SUBNET = 'ipam.spidernet.io/subnet'
const SUBNETS = 'ipam.spidernet.io/subnets'
const NETWORKS = 'k8s.v1.cni.cncf.io/networks'
const DEFAULT_NETWORK = 'v1.multus-cni.io/default-network'

const SETTINGS: SelectionSettings = {
  installNamespace: 'kube-system',
  clusterNetwork: 'ovs-conf',
  families: new Set([4, 6]),
  hasSubnets: true,
}

function pool(name: string, more: Partial<AddressPool> = {}): AddressPool {
  const { family = 4 } = more
  return {
    name,
    uid: `uid-${name}`,
    createdAt: '2026-01-01T00:00:00Z',
    family,
    subnet: cidr(family === 4 ? '172.18.0.0/16' : 'fd00::/64'),
    ranges: [parseIpRange(family === 4 ? '172.18.30.131-172.18.30.140' : 'fd00::10-fd00::20')].flatMap(
      (one) => one ?? [],
    ),
    excluded: [],
    routes: [],
    isDefault: false,
    isDisabled: false,
    isTerminating: false,
    nodes: [],
    namespaces: [],
    definitions: [],
    ...more,
  }
}

const v6 = (name: string, more: Partial<AddressPool> = {}): AddressPool => pool(name, { family: 6, ...more })
const label = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values })

function known(pools: readonly AddressPool[], problems: Readonly<Record<string, string>> = {}): KnownPools {
  const all = new Map(pools.map((one) => [one.name, one]))
  return { get: (name) => all.get(name), values: () => all.values(), problemOf: (name) => problems[name] }
}

type Wishes = Readonly<Record<string, string>>

function pod(wishes: Wishes = {}, more: Partial<Pod> = {}): Pod {
  return { namespace: 'shop', name: 'web-1', uid: 'u1', node: 'node1', addresses: [], wishes, ...more }
}

function ask(wishes: Wishes = {}, more: Partial<PoolQuestion> = {}): PoolQuestion {
  return {
    ifname: 'eth0',
    ordinal: 0,
    pod: pod(wishes),
    namespace: { name: 'shop' },
    node: { name: 'node1' },
    defaults: { 4: [], 6: [] },
    hasCleanGateway: false,
    ...more,
  }
}

const json = JSON.stringify
const summary = (choices: readonly FamilyChoice[]) =>
  choices.map(({ family, candidates }) => `${family}:${candidates.map(({ name }) => name).join(',')}`).join(' ')

function chosen(question: PoolQuestion, pools: readonly AddressPool[], settings = SETTINGS): string {
  const { source, choices } = selectPools(question, known(pools), settings)
  return `${source} ${summary(choices)}`
}

function failure(act: () => unknown): { id: string; code: number; message: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof CniError) return { id: error.id, code: error.code, message: error.message }
    throw error
  }
  throw new Error('it did not fail')
}

describe('the first source that names pools counts, alone', () => {
  const pools = [...'abcde'].flatMap((name) => [pool(`p${name}`), v6(`q${name}`)])
  const all = [
    ...pools,
    pool('d1', { isDefault: true }),
    v6('d2', { isDefault: true }),
    pool('d0', { isDefault: true }),
  ]
  const everything = {
    [IPPOOLS]: json([{ interface: 'eth0', ipv4: ['pa'] }]),
    [IPPOOL]: json({ ipv4: ['pb'] }),
  }
  const namespace = { name: 'shop', defaultPools: { ipv4: '["pc"]' } }
  const defaults = { 4: ['pd'], 6: [] }
  const { [IPPOOL]: ippool } = everything
  test.each<[string, PoolQuestion, string]>([
    ['ippools', ask(everything, { namespace, defaults }), 'ippools 4:pa'],
    ['ippool', ask({ [IPPOOL]: ippool }, { namespace, defaults }), 'ippool 4:pb'],
    ['namespace', ask({}, { namespace, defaults }), 'namespace 4:pc'],
    ['configuration', ask({}, { defaults }), 'configuration 4:pd'],
    ['default pools', ask(), 'default pools 4:d0,d1 6:d2'],
    ['both families', ask({ [IPPOOL]: json({ ipv6: ['qa'], ipv4: ['pa'] }) }), 'ippool 4:pa 6:qa'],
    ['one family alone', ask({ [IPPOOL]: json({ ipv6: ['qa'] }) }), 'ippool 6:qa'],
    [
      'a namespace’s IPv6 alone',
      ask({}, { namespace: { name: 'shop', defaultPools: { ipv6: '["qa"]' } }, defaults }),
      'namespace 6:qa',
    ],
    [
      'a namespace’s empty list is none',
      ask({}, { namespace: { name: 'shop', defaultPools: { ipv4: '[]' } }, defaults }),
      'configuration 4:pd',
    ],
    ['keys nobody knows', ask({ [IPPOOL]: json({ ipv4: ['pa'], interface: 'eth0', x: 1 }) }), 'ippool 4:pa'],
  ])('%s', (_, question, expected) => expect(chosen(question, all)).toBe(expected))

  test('nothing names a pool', () => expect(chosen(ask(), [pool('pa')])).toBe('default pools '))

  test('the user’s order stays, each pool once', () => {
    expect(chosen(ask({ [IPPOOL]: json({ ipv4: ['pc', 'pa', 'pc', 'pb'] }) }), all)).toBe('ippool 4:pc,pa,pb')
  })
})

describe('wildcards', () => {
  const pools = [pool('web-2'), pool('web-1'), pool('db'), v6('web-6'), pool('web-10')]
  const defaults = { 4: ['web-?'], 6: [] }
  test.each<[string, PoolQuestion, string]>([
    ['of a pod', ask({ [IPPOOL]: json({ ipv4: ['web-*'] }) }), 'ippool 4:web-1,web-10,web-2'],
    ['by interface', ask({ [IPPOOLS]: json([{ ipv4: ['db', 'web-[12]'] }]) }), 'ippools 4:db,web-1,web-2'],
    ['of a namespace', ask({}, { namespace: { name: 'shop', defaultPools: { ipv6: '["*"]' } } }), 'namespace 6:web-6'],
    ['of the configuration', ask({}, { defaults }), 'configuration 4:web-1,web-2'],
  ])('%s: the family’s pools in place', (_, question, expected) => expect(chosen(question, pools)).toBe(expected))

  test('one that matches nothing is named', () => {
    const { choices } = selectPools(ask({ [IPPOOL]: json({ ipv4: ['x*'] }) }), known(pools), SETTINGS)
    expect(choices[0]?.filtered).toEqual([{ pool: 'x*', reason: 'matches no pool' }])
  })
})

describe('ippools', () => {
  const pools = [pool('p0'), pool('p1'), pool('p2')]
  const named = json([
    { interface: 'eth0', ipv4: ['p0'] },
    { interface: 'net1', ipv4: ['p1'], cleangateway: true },
  ])
  const unnamed = json([{ ipv4: ['p0'] }, { ipv4: ['p1'] }])
  const on = (text: string, ifname: string, ordinal: number, hasCleanGateway = false) =>
    selectPools(ask({ [IPPOOLS]: text }, { ifname, ordinal, hasCleanGateway }), known(pools), SETTINGS)

  test.each([
    ['by name', named, 'net1', 1, '4:p1', true],
    ['by name, whatever the place', named, 'eth0', 5, '4:p0', false],
    ['by place', unnamed, 'net1', 1, '4:p1', false],
  ] as const)('%s', (_, text, ifname, ordinal, expected, isClean) => {
    const { choices, hasCleanGateway } = on(text, ifname, ordinal)
    expect([summary(choices), hasCleanGateway]).toEqual([expected, isClean])
  })

  test('what an item does not say of the gateway the configuration says', () => {
    expect([on(unnamed, 'eth0', 0, true).hasCleanGateway, on(named, 'net1', 1, false).hasCleanGateway]).toEqual([
      true,
      true,
    ])
    expect(on(json([{ ipv4: ['p0'], cleangateway: false }]), 'eth0', 0, true).hasCleanGateway).toBe(false)
  })

  test.each([
    ['an interface that is not named', named, 'net2', 2, 'interface: interface net2 must be specified'],
    ['a place that is not there', unnamed, 'net2', 2, '[2]: interface net2 must be specified'],
    ['no items', '[]', 'eth0', 0, 'value: must have an item for each interface, and has none'],
    [
      'some named',
      json([{ interface: 'eth0', ipv4: ['p0'] }, { ipv4: ['p1'] }]),
      'eth0',
      0,
      '[1].interface: interfaces are named in all items or in none',
    ],
    [
      'a name twice',
      json([
        { interface: 'eth0', ipv4: ['p0'] },
        { interface: 'eth0', ipv4: ['p1'] },
      ]),
      'eth0',
      0,
      '[1].interface: is that of item 0, too',
    ],
    [
      'a bad name',
      json([{ interface: 'a/b', ipv4: ['p0'] }]),
      'eth0',
      0,
      '[0].interface: must not contain a slash, a colon, white space or control characters',
    ],
    ['no pools', json([{ interface: 'eth0' }]), 'eth0', 0, '[0].ipv4: names no pool, and neither does ipv6'],
    [
      'cleangateway as text',
      json([{ ipv4: ['p0'], cleangateway: 'yes' }]),
      'eth0',
      0,
      '[0].cleangateway: must be true or false',
    ],
    ['an object', '{}', 'eth0', 0, 'value: must be a list'],
  ] as const)('refused: %s', (_, text, ifname, ordinal, why) => {
    expect(failure(() => on(text, ifname, ordinal))).toEqual({
      id: 'annotation-invalid',
      code: 7,
      message: `annotation ${IPPOOLS} of the pod: ${why}`,
    })
  })
})

describe('malformed, with annotation and field', () => {
  test.each([
    ['no JSON', '{', 'value: must be JSON: unexpected end at line 1, column 2'],
    ['empty', '', 'value: must be JSON: empty'],
    ['a list', '[]', 'value: must be an object'],
    ['no pools', '{}', 'ipv4: names no pool, and neither does ipv6'],
    ['a text for a list', json({ ipv4: 'p1' }), 'ipv4: must be a list'],
    ['a number for a name', json({ ipv6: ['a', 7] }), 'ipv6[1]: must be a string'],
    ['an empty name', json({ ipv4: [''] }), 'ipv4[0]: must have 1 to 253 characters'],
    ['a malformed pattern', json({ ipv4: ['a', 'p['] }), 'ipv4[1]: is a malformed pattern'],
    ['too many', json({ ipv4: Array.from({ length: 65 }, () => 'p') }), 'ipv4: must not have more than 64 items'],
    ['prototypes', '{"__proto__": {"ipv4": ["p"]}}', 'ipv4: names no pool, and neither does ipv6'],
  ])('%s', (_, text, why) => {
    const { id, message } = failure(() => chosen(ask({ [IPPOOL]: text }), [pool('p')]))
    expect([id, message]).toEqual(['annotation-invalid', `annotation ${IPPOOL} of the pod: ${why}`])
  })

  test('of a namespace', () => {
    const namespace = { name: 'shop', defaultPools: { ipv4: '{}' } }
    expect(failure(() => chosen(ask({}, { namespace }), []))).toEqual({
      id: 'namespace-annotation-invalid',
      code: 7,
      message: 'annotation ipam.spidernet.io/default-ipv4-ippool of namespace shop: value: must be a list',
    })
  })
})

test('a family that is off is refused where it is asked for, and left out of default pools', () => {
  const onlyV4 = { ...SETTINGS, families: new Set([4] as const) }
  const { id, message } = failure(() => chosen(ask({ [IPPOOL]: json({ ipv4: ['a'], ipv6: ['b'] }) }), [], onlyV4))
  expect([id, message]).toEqual([
    'pool-family-disabled',
    `annotation ${IPPOOL} of the pod names IPv6 pools for eth0, and IPv6 is off`,
  ])
  const marked = [pool('a', { isDefault: true }), v6('b', { isDefault: true })]
  expect(chosen(ask(), marked, onlyV4)).toBe('default pools 4:a')
})

describe('filters, each with its reason', () => {
  const two = json({ ipv4: ['ok', 'x'] })
  const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6f8dddd88d', uid: 'r1' }
  const application = (name: string) => [
    label('ipam.spidernet.io/app-api-group', 'apps'),
    label('ipam.spidernet.io/app-api-version', 'v1'),
    label('ipam.spidernet.io/app-kind', 'Deployment'),
    label('ipam.spidernet.io/app-namespace', 'shop'),
    label('ipam.spidernet.io/app-name', name),
  ]
  const labels = { app: 'web', 'pod-template-hash': '6f8dddd88d' }
  const asked = ask(
    { [IPPOOL]: two, [DEFAULT_NETWORK]: 'ovs-conf' },
    {
      pod: pod({ [IPPOOL]: two, [DEFAULT_NETWORK]: 'ovs-conf' }, { labels, controller: DEPLOYMENT }),
      namespace: { name: 'shop', labels: { team: 'a' } },
      node: { name: 'node1', labels: { rack: 'r1' } },
    },
  )
  const reasonOf = (more: Partial<AddressPool>, problems = {}): string =>
    selectPools(asked, known([pool('ok'), pool('x', more)], problems), SETTINGS).choices[0]?.filtered[0]?.reason ??
    'none'

  test.each<[string, Partial<AddressPool>, string]>([
    ['terminating', { isTerminating: true, isDisabled: true }, 'is being deleted'],
    ['disabled', { isDisabled: true, nodes: ['other'] }, 'is disabled (spec.disable)'],
    ['family', { family: 6, nodes: ['other'] }, 'is a pool of IPv6 (spec.ipVersion)'],
    ['nodeName', { nodes: ['node2'], namespaces: ['other'] }, 'is not for node node1 (spec.nodeName)'],
    ['nodeName has it', { nodes: ['node2', 'node1'], nodeSelector: [label('rack', 'r9')] }, 'none'],
    [
      'nodeAffinity',
      { nodeSelector: [label('rack', 'r2')] },
      'is not for it (spec.nodeAffinity): the labels of node node1 do not match it',
    ],
    ['nodeAffinity matches', { nodeSelector: [label('rack', 'r1')] }, 'none'],
    [
      'namespaceName',
      { namespaces: ['other'], podSelector: [label('app', 'db')] },
      'is not for namespace shop (spec.namespaceName)',
    ],
    ['namespaceName has it', { namespaces: ['shop'], namespaceSelector: [label('team', 'b')] }, 'none'],
    [
      'namespaceAffinity',
      { namespaceSelector: [label('team', 'b')] },
      'is not for it (spec.namespaceAffinity): the labels of shop do not match it',
    ],
    ['namespaceAffinity matches', { namespaceSelector: [label('team', 'a')] }, 'none'],
    ['namespaceAffinity by name', { namespaceSelector: [label('kubernetes.io/metadata.name', 'shop')] }, 'none'],
    [
      'podAffinity',
      { podSelector: [label('app', 'db')], definitions: ['x/y'] },
      'is not for it (spec.podAffinity): the pod’s labels do not match it',
    ],
    ['podAffinity matches', { podSelector: [label('app', 'web')] }, 'none'],
    ['multusName', { definitions: ['kube-system/other'] }, 'is not for network kube-system/ovs-conf (spec.multusName)'],
    ['multusName, whole', { definitions: ['x/y', 'kube-system/ovs-conf'] }, 'none'],
    ['multusName, bare: of the install namespace', { definitions: ['ovs-conf'] }, 'none'],
    ['an application’s', { podSelector: application('web') }, 'none'],
    ['an application’s, of whichever network', { podSelector: application('web'), definitions: ['x/y'] }, 'none'],
    [
      'another application’s',
      { podSelector: application('db') },
      'is not for it (spec.podAffinity): it was made for another application',
    ],
  ])('%s', (_, more, reason) => expect(reasonOf(more)).toBe(reason))

  test('one that nobody is given addresses of', () => {
    expect(reasonOf({}, { x: 'it overlaps ok' })).toBe('gives nothing out: it overlaps ok')
  })

  test('one that is not there', () => {
    const { choices } = selectPools(ask({ [IPPOOL]: two }), known([pool('ok')]), SETTINGS)
    expect(choices).toEqual([
      { family: 4, named: ['ok', 'x'], candidates: [pool('ok')], filtered: [{ pool: 'x', reason: 'does not exist' }] },
    ])
  })

  test('labels of a pod do not make it another application’s', () => {
    const forged = Object.fromEntries(application('db').map(({ key, values }) => [key, values[0] ?? '']))
    const question = ask({}, { pod: pod({ [IPPOOL]: json({ ipv4: ['x'] }) }, { labels: forged }) })
    expect(chosen(question, [pool('x', { podSelector: application('db') })])).toBe('ippool 4:')
  })

  test('a pool for a network that is not known', () => {
    const { clusterNetwork: _, ...unset } = SETTINGS
    const { choices } = selectPools(ask({ [IPPOOL]: two }), known([pool('x', { definitions: ['a/b'] })]), unset)
    expect(choices[0]?.filtered).toContainEqual({
      pool: 'x',
      reason: 'is for named networks only (spec.multusName), and nothing names that of eth0',
    })
  })
})

describe('the network of an interface', () => {
  const one = (definition: string) => [pool('x', { definitions: [definition] })]
  const wishes = { [IPPOOL]: json({ ipv4: ['x'] }) }
  test.each<[string, PoolQuestion, string]>([
    ['the cluster’s', ask(wishes), 'kube-system/ovs-conf'],
    ['in its place', ask({ ...wishes, [DEFAULT_NETWORK]: 'a/b' }), 'a/b'],
    ['in its place, bare', ask({ ...wishes, [DEFAULT_NETWORK]: 'b' }), 'kube-system/b'],
    ['a further one', ask({ ...wishes, [NETWORKS]: 'a/b,a/c' }, { ifname: 'net2', ordinal: 2 }), 'a/c'],
    ['a further one, bare', ask({ ...wishes, [NETWORKS]: 'b' }, { ifname: 'net1', ordinal: 1 }), 'shop/b'],
    ['by its own name', ask({ ...wishes, [NETWORKS]: 'a/b@left,a/c@net1' }, { ifname: 'net1', ordinal: 2 }), 'a/c'],
    [
      'as JSON',
      ask(
        { ...wishes, [NETWORKS]: json([{ name: 'b', namespace: 'a', interface: 'left' }]) },
        { ifname: 'left', ordinal: 1 },
      ),
      'a/b',
    ],
    [
      'told by the caller',
      ask({ ...wishes, [NETWORKS]: 'a/b' }, { ifname: 'net1', ordinal: 1, definition: 'c/d' }),
      'c/d',
    ],
  ])('%s', (_, question, definition) => {
    expect(chosen(question, one(definition))).toBe('ippool 4:x')
    expect(chosen(question, one(`not/${definition.replace('/', '-')}`))).toBe('ippool 4:')
  })
})

test('pools that ask for more go first, in this order; equal ones stay as they are written', () => {
  const inOrder = [
    pool('pod', { podSelector: [label('app', 'web')] }),
    pool('node', { nodes: ['node1'] }),
    pool('node-labels', { nodeSelector: [] }),
    pool('namespace', { namespaces: ['shop'] }),
    pool('namespace-labels', { namespaceSelector: [] }),
    pool('network', { definitions: ['ovs-conf'] }),
    pool('z'),
    pool('a'),
  ]
  const names = inOrder.map(({ name }) => name)
  const mixed = json({ ipv4: [names[5], names[6], names[3], names[0], names[7], names[2], names[4], names[1]] })
  const question = ask({}, { pod: pod({ [IPPOOL]: mixed }, { labels: { app: 'web' } }) })
  expect(chosen(question, inOrder)).toBe(`ippool 4:${names.join(',')}`)
})

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
