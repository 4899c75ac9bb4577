import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CniError } from '../../cni/index.ts'
import { parseDefaultNetwork, parseNetworks } from './networks.ts'

describe('short form', () => {
  test.each<[string, readonly (readonly [namespace: string, name: string, ifname?: string])[]]>([
    ['', []],
    ['a', [['pods', 'a']]],
    [
      'a,b',
      [
        ['pods', 'a'],
        ['pods', 'b'],
      ],
    ],
    [
      ' a , b ',
      [
        ['pods', 'a'],
        ['pods', 'b'],
      ],
    ],
    [
      'a,a',
      [
        ['pods', 'a'],
        ['pods', 'a'],
      ],
    ],
    ['ns/a', [['ns', 'a']]],
    ['a@eth1', [['pods', 'a', 'eth1']]],
    [
      'ns/a@eth1,b',
      [
        ['ns', 'a', 'eth1'],
        ['pods', 'b'],
      ],
    ],
    ['9-a', [['pods', '9-a']]],
    [
      'a\n,b',
      [
        ['pods', 'a'],
        ['pods', 'b'],
      ],
    ],
  ])('%j', (text, expected) => {
    const seen = parseNetworks(text, 'pods').map(({ namespace, name, ifname }) =>
      ifname === undefined ? [namespace, name] : [namespace, name, ifname],
    )
    expect<unknown>(seen).toEqual(expected)
  })

  test.each([
    [',', '[0].name'],
    ['a,', '[1].name'],
    [' ', '[0].name'],
    ['A', '[0].name'],
    ['a.b', '[0].name'],
    ['-a', '[0].name'],
    ['a-', '[0].name'],
    ['a,b/c/d', '[1]: must not have more than one "/"'],
    ['a@b@c', '[0]: must not have more than one "@"'],
    ['/a', '[0].namespace'],
    ['NS/a', '[0].namespace'],
    ['ns/', '[0].name'],
    ['a@', '[0].interface'],
    ['a@lo', '[0].interface'],
    ['a@sixteen-letters1', '[0].interface'],
    ['a@e th', '[0].interface'],
    ['a@..', '[0].interface'],
    [`${'a,'.repeat(64)}a`, 'networks: must not be more than 64, and are 65'],
  ])('%j is refused, naming %s', (text, field) => {
    expect(refusal(() => parseNetworks(text, 'pods'))).toContain(
      `annotation k8s.v1.cni.cncf.io/networks of the pod: ${field}`,
    )
  })
})

describe('JSON form', () => {
  test('every field', () => {
    const element = {
      name: 'vlan-100',
      namespace: 'infra',
      interface: 'eth7',
      mac: 'C2-11-22-33-44-55',
      ips: ['10.1.1.1/24', 'fd00::1'],
      'infiniband-guid': 'C2:11:22:33:44:55:66:77',
      portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'TCP', hostIP: '10.0.0.1' }],
      bandwidth: { ingressRate: 1000, ingressBurst: 2000, egressRate: 3000, egressBurst: 4000 },
      deviceID: '0000:03:02.1',
      'cni-args': { ovnPort: 'p', deep: [{ a: null }] },
      'default-route': ['10.1.1.254', 'FD00:0::FE'],
      somethingNew: true,
    }
    expect<unknown>(parseNetworks(JSON.stringify([{ name: 'a' }, element]), 'pods')).toEqual([
      {
        namespace: 'pods',
        name: 'a',
        wishes: {},
        place: { annotation: 'k8s.v1.cni.cncf.io/networks', element: 0 },
      },
      {
        namespace: 'infra',
        name: 'vlan-100',
        ifname: 'eth7',
        wishes: {
          mac: 'c2:11:22:33:44:55',
          ips: ['10.1.1.1/24', 'fd00::1'],
          bandwidth: { ingressRate: 1000, ingressBurst: 2000, egressRate: 3000, egressBurst: 4000 },
          portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '10.0.0.1' }],
          deviceID: '0000:03:02.1',
          infinibandGUID: 'c2:11:22:33:44:55:66:77',
        },
        cniArgs: { ovnPort: 'p', deep: [{ a: null }] },
        defaultRoute: ['10.1.1.254', 'fd00::fe'],
        place: { annotation: 'k8s.v1.cni.cncf.io/networks', element: 1 },
      },
    ])
  })

  test.each([
    ['the old name of interface', { interfaceRequest: 'eth3' }, { ifname: 'eth3' }],
    ['both names', { interface: 'eth4', interfaceRequest: 'eth3' }, { ifname: 'eth4' }],
    ['nothing', { interface: '', mac: null, ips: [], portMappings: [], bandwidth: {}, 'default-route': null }, {}],
    ['an empty default route', { 'default-route': [] }, { defaultRoute: [] }],
    ['a claim', { 'ipam-claim-reference': 'vm.net.eth1' }, {}],
    ['a name with dots', { name: 'a.b' }, { name: 'a.b' }],
  ])('%s', (_, fields, expected) => {
    const [{ place: _place, ...seen } = {}] = parseNetworks(JSON.stringify([{ name: 'a', ...fields }]), 'pods')
    expect<unknown>(seen).toEqual({ namespace: 'pods', name: 'a', wishes: {}, ...expected })
  })

  test.each<[string, string]>([
    ['{"name":"a"}', 'networks: must be a JSON list'],
    ['[{"name":"a"}', 'networks: must be JSON: unexpected end at line 1, column 14'],
    ['"a"', 'networks: must be a JSON list'],
    ['["a"]', '[0]: must be an object'],
    ['[null]', '[0]: must be an object'],
    ['[{}]', '[0].name: is missing'],
    ['[{"name":7}]', '[0].name: must be a string'],
    ['[{"name":"a"},{"name":"A"}]', '[1].name'],
    ['[{"name":"a","namespace":"N"}]', '[0].namespace'],
    ['[{"name":"a","interface":"a/b"}]', '[0].interface'],
    ['[{"name":"a","interfaceRequest":"a/b"}]', '[0].interfaceRequest'],
    ['[{"name":"a","mac":"01:00:00:00:00:00"}]', '[0].mac'],
    ['[{"name":"a","mac":"x"}]', '[0].mac'],
    ['[{"name":"a","ips":"10.0.0.1"}]', '[0].ips'],
    ['[{"name":"a","ips":["10.0.0.1","10.0.0.256"]}]', '[0].ips[1]'],
    ['[{"name":"a","ips":["10.0.0.1;K=V"]}]', '[0].ips[0]'],
    ['[{"name":"a","infiniband-guid":"c2:11:22:33:44:55"}]', '[0].infiniband-guid'],
    ['[{"name":"a","portMappings":[{"hostPort":0,"containerPort":1}]}]', '[0].portMappings[0].hostPort'],
    ['[{"name":"a","portMappings":[{"hostPort":1}]}]', '[0].portMappings[0].containerPort'],
    ['[{"name":"a","bandwidth":{"ingressRate":-1}}]', '[0].bandwidth.ingressRate'],
    ['[{"name":"a","cni-args":[]}]', '[0].cni-args'],
    ['[{"name":"a","default-route":["10.0.0.0/8"]}]', '[0].default-route[0]'],
    ['[{"name":"a","default-route":"10.0.0.1"}]', '[0].default-route'],
    ['[{"name":"a","ips":["10.0.0.1"],"ipam-claim-reference":"c"}]', '[0].ipam-claim-reference'],
    [`[{"name":"a","cni-args":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}]`, 'networks: must be JSON: nested deeper'],
  ])('%s is refused, naming %s', (text, field) => {
    expect(refusal(() => parseNetworks(text, 'pods'))).toContain(
      `annotation k8s.v1.cni.cncf.io/networks of the pod: ${field}`,
    )
  })
})

describe('default network', () => {
  test.each([
    ['kube-system/ovs-conf', 'kube-system', 'ovs-conf'],
    ['ovs-conf', 'install', 'ovs-conf'],
    ['[{"name":"ovs-conf"}]', 'install', 'ovs-conf'],
    ['[{"name":"ovs-conf","namespace":"other"}]', 'other', 'ovs-conf'],
  ])('%s', (text, namespace, name) => {
    const place = { annotation: 'v1.multus-cni.io/default-network', element: 0 }
    expect<unknown>(parseDefaultNetwork(text, 'install')).toEqual({ namespace, name, wishes: {}, place })
  })

  test.each([
    ['a,b', 'networks: must name one network and names 2'],
    ['[]', 'networks: must name one network and names none'],
    ['', '[0].name'],
  ])('%j is refused', (text, words) => {
    expect(refusal(() => parseDefaultNetwork(text, 'install'))).toContain(
      `annotation v1.multus-cni.io/default-network of the pod: ${words}`,
    )
  })
})

test('whatever is written is understood or refused in words', () => {
  const json = fc.json().map((text) => `[${text}]`)
  const element = fc.record({
    name: fc.oneof(fc.constant('a'), fc.jsonValue()),
    interface: fc.oneof(fc.string(), fc.jsonValue()),
    ips: fc.oneof(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), fc.jsonValue()),
    mac: fc.jsonValue(),
    'cni-args': fc.jsonValue(),
    'default-route': fc.oneof(fc.array(fc.oneof(fc.ipV4(), fc.ipV6())), fc.jsonValue()),
  })
  const hostile = fc.oneof(
    fc.string(),
    json,
    fc.array(element).map((list) => JSON.stringify(list)),
  )
  fc.assert(
    fc.property(hostile, (text) => {
      try {
        for (const { name, namespace, ifname } of parseNetworks(text, 'pods')) {
          expect(`${namespace}/${name}`).toMatch(/^[a-z0-9-]+\/[a-z0-9.-]+$/)
          expect(ifname ?? 'eth0').not.toMatch(/[\s/:]/)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CniError)
        expect(error).toMatchObject({ id: 'annotation-invalid' })
      }
    }),
    { numRuns: 500 },
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
