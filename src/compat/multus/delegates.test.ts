import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CniError, type CniResult, EMPTY_RESULT } from '../../cni/index.ts'
import { dropDefaultRoutes, withDefaultRoutes } from './default-route.ts'
import { type DelegateInputs, type DelegatePlan, delegatesOf } from './delegates.ts'
import { parseDefaultNetwork, parseNetworks } from './networks.ts'

/** A pod of a cluster whose network is `cluster`. */
function planned(annotation: string, rest: Partial<DelegateInputs> = {}): readonly DelegatePlan[] {
  const wishes = parseNetworks(annotation, 'pods')
  return delegatesOf({ ifname: 'eth0', clusterNetwork: 'cluster', defaultNetworks: [], wishes, ...rest })
}

function written({ ordinal, ifname, isFirst, network }: DelegatePlan): string {
  const { name } = network.kind === 'configured' ? network : network.selection
  return `${ordinal} ${ifname} ${name}${isFirst ? ' first' : ''}`
}

describe('order and names', () => {
  test.each<[string, string, Partial<DelegateInputs>, readonly string[]]>([
    ['the cluster network alone', '', {}, ['0 eth0 cluster first']],
    ['another name of the first', '', { ifname: 'ens1' }, ['0 ens1 cluster first']],
    ['one more', 'a', {}, ['0 eth0 cluster first', '1 net1 a']],
    ['default networks come before', 'a', { defaultNetworks: ['d'] }, ['0 eth0 cluster first', '1 net1 d', '2 net2 a']],
    ['a network twice', 'a,a', {}, ['0 eth0 cluster first', '1 net1 a', '2 net2 a']],
    ['numbers count named ones', 'a@x,b', {}, ['0 eth0 cluster first', '1 x a', '2 net2 b']],
    [
      'another first network',
      'a',
      { defaultNetwork: parseDefaultNetwork('other/ovs', 'kube-system'), defaultNetworks: ['d'] },
      ['0 eth0 ovs first', '1 net1 d', '2 net2 a'],
    ],
    [
      'another first network, by the name it has anyway',
      '',
      { defaultNetwork: parseDefaultNetwork('ovs@eth0', 'kube-system') },
      ['0 eth0 ovs first'],
    ],
  ])('%s', (_, annotation, rest, expected) => {
    expect(planned(annotation, rest).map(written)).toEqual([...expected])
  })

  test.each<[string, string, Partial<DelegateInputs>, string]>([
    ['two of one name', 'a@x,b@x', {}, 'networks of the pod: [1].interface: must not be x, which interface 1'],
    ['the first one', 'a@eth0', {}, 'networks of the pod: [0].interface: must not be eth0, which interface 0'],
    ['a number before', 'a,b@net1', {}, 'networks of the pod: [1].interface: must not be net1, which interface 1'],
    ['a number after', 'a@net2,b', {}, 'networks of the pod: [0].interface: must not be net2, which interface 2'],
    ['a default one', 'a@net1', { defaultNetworks: ['d'] }, '[0].interface: must not be net1, which interface 1'],
    [
      'the runtime’s',
      'a',
      { ifname: 'net1' },
      'networks of the pod: [0].interface: must not be net1, which interface 0',
    ],
    [
      'the runtime’s, by a default one',
      '',
      { ifname: 'net1', defaultNetworks: ['d'] },
      'invalid CNI_IFNAME "net1": must not be net1, which interface 0',
    ],
    [
      'another name of the first',
      '',
      { defaultNetwork: parseDefaultNetwork('ovs@eth1', 'kube-system') },
      'annotation v1.multus-cni.io/default-network of the pod: [0].interface: must be eth0',
    ],
  ])('refused: %s', (_, annotation, rest, words) => {
    expect(refusal(() => planned(annotation, rest))).toContain(words)
  })
})

describe('default route', () => {
  const element = (name: string, route?: readonly string[]): object =>
    route === undefined ? { name } : { name, 'default-route': route }

  test.each<
    [string, readonly object[], readonly (readonly [dropped: readonly number[], gateways: readonly string[]])[]]
  >([
    [
      'nobody asks',
      [element('a')],
      [
        [[], []],
        [[], []],
      ],
    ],
    [
      'one family',
      [element('a', ['10.0.0.1'])],
      [
        [[4], []],
        [[4], ['10.0.0.1']],
      ],
    ],
    [
      'the other family',
      [element('a', ['fd00::1'])],
      [
        [[6], []],
        [[6], ['fd00::1']],
      ],
    ],
    [
      'both at one',
      [element('a', ['10.0.0.1', 'fd00::1'])],
      [
        [[4, 6], []],
        [
          [4, 6],
          ['10.0.0.1', 'fd00::1'],
        ],
      ],
    ],
    [
      'a family each',
      [element('a', ['10.0.0.1']), element('b', ['fd00::1']), element('c')],
      [
        [[4, 6], []],
        [[4, 6], ['10.0.0.1']],
        [[4, 6], ['fd00::1']],
        [[4, 6], []],
      ],
    ],
    [
      'its own',
      [element('a', []), element('b')],
      [
        [[4, 6], []],
        [[], []],
        [[4, 6], []],
      ],
    ],
  ])('%s', (_, elements, expected) => {
    const plans = planned(JSON.stringify(elements))
    expect<unknown>(plans.map(({ droppedDefaults, gateways }) => [droppedDefaults, gateways])).toEqual(expected)
  })

  test('the network in place of the cluster’s may have it', () => {
    const defaultNetwork = parseDefaultNetwork('[{"name":"ovs","default-route":["10.0.0.1"]}]', 'kube-system')
    expect<unknown>(planned('', { defaultNetwork })[0]).toMatchObject({ droppedDefaults: [4], gateways: ['10.0.0.1'] })
  })

  test.each<[string, readonly object[], number]>([
    ['two gateways at one', [element('a', ['10.0.0.1', '10.0.0.2'])], 0],
    ['one gateway at two', [element('a', ['10.0.0.1']), element('b', ['10.0.0.1'])], 1],
    ['two that keep their own', [element('a', []), element('b', [])], 1],
    ['one that keeps its own', [element('a', []), element('b', ['fd00::1'])], 1],
  ])('refused: %s', (_, elements, at) => {
    const words = `[${at}].default-route: multus does not support ECMP for default-route`
    expect(refusal(() => planned(JSON.stringify(elements)))).toContain(words)
  })

  const result: CniResult = {
    ...EMPTY_RESULT,
    routes: [
      { dst: '0.0.0.0/0', gw: '10.0.0.1' },
      { dst: '10.1.0.0/16', gw: '10.0.0.1' },
      { dst: '::/0', gw: 'fd00::1' },
      { dst: '0.0.0.0/0', gw: '10.0.0.1', table: 100 },
      { dst: '0.0.0.0/0', gw: '10.0.0.1', table: 254 },
    ],
  }

  test.each<[readonly (4 | 6)[], readonly number[]]>([
    [[], [0, 1, 2, 3, 4]],
    [[4], [1, 2, 3]],
    [[6], [0, 1, 3, 4]],
    [
      [4, 6],
      [1, 3],
    ],
  ])('without those of families %j', (families, kept) => {
    const expected = kept.map((index) => result.routes[index])
    expect<unknown>(dropDefaultRoutes(result, families).routes).toEqual(expected)
  })

  test('the gateways that were asked for take their places', () => {
    const [{ gateways = [], droppedDefaults = [] } = {}] = planned('[{"name":"a","default-route":["10.9.9.9"]}]').slice(
      1,
    )
    expect<unknown>(withDefaultRoutes(result, { gateways, droppedDefaults }).routes).toEqual([
      { dst: '10.1.0.0/16', gw: '10.0.0.1' },
      { dst: '::/0', gw: 'fd00::1' },
      { dst: '0.0.0.0/0', gw: '10.0.0.1', table: 100 },
      { dst: '0.0.0.0/0', gw: '10.9.9.9' },
    ])
  })
})

test('interfaces never share a name, and each family has at most one default', () => {
  const gateway = fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1')
  const element = fc.record(
    {
      name: fc.constantFrom('a', 'b'),
      interface: fc.constantFrom('net1', 'net3', 'x', 'eth0'),
      'default-route': fc.array(gateway),
    },
    { requiredKeys: ['name'] },
  )
  fc.assert(
    fc.property(fc.array(element, { maxLength: 6 }), (elements) => {
      try {
        const plans = planned(JSON.stringify(elements))
        expect(new Set(plans.map(({ ifname }) => ifname)).size).toBe(plans.length)
        for (const family of [4, 6]) {
          const own = plans.filter(({ gateways }) => gateways.some((one) => one.includes(':') === (family === 6)))
          expect(own.length).toBeLessThanOrEqual(1)
        }
      } catch (error) {
        expect(error).toMatchObject({ id: 'annotation-invalid' })
      }
    }),
  )
})

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof CniError) return error.message
    throw error
  }
  throw new Error('nothing was refused')
}
