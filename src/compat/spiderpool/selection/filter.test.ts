/** Which pools are left, each of the others with its reason, and in which order they are tried. */
import { describe, expect, test } from 'bun:test'
import type { AddressPool } from '../../../network/model/pool.ts'
import type { PoolQuestion } from './question.ts'
import { selectPools } from './select.ts'
import {
  ask,
  chosen,
  DEFAULT_NETWORK,
  IPPOOL,
  json,
  known,
  label,
  NETWORKS,
  pod,
  pool,
  SETTINGS,
} from './testing/asking.ts'

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
