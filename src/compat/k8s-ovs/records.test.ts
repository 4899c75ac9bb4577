import { describe, expect, test } from 'bun:test'
import { cidr, ip } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Tenant } from '../../network/model/tenant.ts'
import { examples } from '../../registry/conformance-tools.ts'
import { field, parseGoObject, rewritten } from './go-object.ts'
import { foldersOf, layoutOf } from './layout.ts'
import { RECORDS } from './store.ts'
import { FOLDERS, LAYOUT, read, reading } from './testing/reading.ts'

describe('where things are', () => {
  test('as the documents say', () => {
    expect(LAYOUT.config).toBe('/k8s.ovs.com/ovs/network/config')
    expect(FOLDERS.subnets).toBe('/k8s.ovs.com/ovs/network/k8ssdn/subnets/')
    expect(FOLDERS.netNamespaces).toBe('/k8s.ovs.com/ovs/network/k8ssdn/netnamespaces/')
    expect(layoutOf({ network: 'blue' })?.config).toBe('/k8s.ovs.com/ovs/network/blue/config')
    expect(layoutOf({ prefix: 'a/b/' })?.config).toBe('/a/b/config')
    expect(foldersOf(LAYOUT, '')?.subnets).toBe('/k8s.ovs.com/ovs/network/subnets/')
  })

  test.each([['..'], ['a/../b'], ['a//b'], ['_hidden'], ['config'], ['\ud800'], ['x'.repeat(600)]])(
    'a network named %p has no folder',
    (name) => expect(foldersOf(LAYOUT, name)).toBeUndefined(),
  )
})

describe('the configuration', () => {
  const SEED =
    '{"Name":"k8ssdn", "Network":"172.11.0.0/16", "HostSubnetLength":10, "ServiceNetwork":"10.96.0.0/12", "PluginName":"k8s-ovs-multitenant"}'
  const plain: Cluster = {
    networks: [{ cidr: cidr('172.11.0.0/16'), hostBits: 10 }],
    serviceNetworks: [cidr('10.96.0.0/12')],
    tenancy: 'multitenant',
    encapsulation: { type: 'vxlan', port: 4789 },
    underlay: 4,
    services: 'weft',
  }

  test('of the documents', () => expect(read('Cluster', LAYOUT.config, SEED)).toEqual(plain))

  test.each<readonly [string, object, object]>([
    [
      'another case of names and values',
      { PLUGINNAME: 'K8S-OVS-Subnet', PluginName: undefined },
      { tenancy: 'subnet' },
    ],
    ['host bits set', { Network: '172.11.3.4/16' }, {}],
    ['nulls and unknown keys', { MTU: null, Comment: ['x'], __proto__: 1 }, {}],
    ['an MTU', { MTU: 1400 }, { mtu: 1400 }],
    ['a port', { Port: 8472 }, { encapsulation: { type: 'vxlan', port: 8472 } }],
    ['Geneve', { Encapsulation: 'Geneve' }, { encapsulation: { type: 'geneve', port: 6081 } }],
    ['GRE', { Encapsulation: 'gre' }, { encapsulation: { type: 'gre' } }],
    ['kube-proxy', { Services: 'kube-proxy' }, { services: 'kube-proxy' }],
    ['an IPv6 underlay', { Underlay: 'ipv6' }, { underlay: 6 }],
    [
      'a second family',
      { MoreNetworks: [{ Network: 'fd00::/48', HostSubnetLength: 64 }], MoreServiceNetworks: ['fd01::/112'] },
      {
        networks: [...plain.networks, { cidr: 'fd00::/48', hostBits: 64 }],
        serviceNetworks: ['10.96.0.0/12', 'fd01::/112'],
      },
    ],
  ])('with %s', (_, extra, expected) => {
    const text = JSON.stringify({ ...parseGoObject(SEED), ...extra })
    expect(read('Cluster', LAYOUT.config, text)).toEqual({ ...plain, ...expected } as Cluster)
  })

  test.each<readonly [string, object, string]>([
    ['no host bits', { HostSubnetLength: 0 }, 'hostBits: 0 is not a whole number'],
    ['too many host bits', { HostSubnetLength: 17 }, '17 host bits are more than 172.11.0.0/16 has'],
    ['a network that is none', { Network: '172.11.0.0' }, '"172.11.0.0" is not a network'],
    ['another plugin', { PluginName: 'calico' }, 'tenancy: "calico" is not known'],
    ['networks that overlap', { ServiceNetwork: '172.11.0.0/20' }, 'overlaps'],
    ['networks that are no list', { MoreNetworks: 'fd00::/48' }, 'networks[1]'],
    ['a port out of range', { Port: 70_000 }, '70000'],
  ])('with %s is refused by name', (_, extra, problem) => {
    const { object, problem: said } = reading(
      'Cluster',
      LAYOUT.config,
      JSON.stringify({ ...parseGoObject(SEED), ...extra }),
    )
    expect(object).toBeUndefined()
    expect(said).toContain(problem)
  })

  test('is written as plainly as it can be, and keeps what others keep in it', () => {
    const before = `{"Contact":"ops","name":"blue","Network":"10.0.0.0/8","MTU":9000}`
    expect(RECORDS.Cluster.write(plain, parseGoObject(before))).toBe(
      '{"Name":"blue","Network":"172.11.0.0/16","HostSubnetLength":10,"ServiceNetwork":"10.96.0.0/12","PluginName":"k8s-ovs-multitenant","Contact":"ops"}',
    )
  })
})

describe('a machine', () => {
  test('of k8s-ovs’s making is one that no Node is known of', () => {
    const text = '{"Host":"node-1","HostIP":"192.0.2.1","Subnet":"172.11.4.0/22","Assign":false}'
    const key = `${FOLDERS.subnets}192.0.2.1`
    expect(reading('NodeNetwork', key, text, undefined, true).object?.value).toEqual({
      node: 'node-1',
      machine: { kind: 'external', vni: 0 },
      addresses: [ip('192.0.2.1')],
      ranges: [cidr('172.11.4.0/22')],
      problem: 'no controller has confirmed it yet',
    })
    // Agents would take what comes from there for a global host's.
    expect(reading('NodeNetwork', key, text)).toEqual(
      expect.objectContaining({ object: undefined, problem: expect.stringMatching(/./) }),
    )
    const known = examples.NodeNetwork.value
    expect(reading('NodeNetwork', key, text, known).object?.value).toEqual(known)
  })

  test('written over a node’s record in another’s name is refused; over its own, and over a host’s, it counts', () => {
    const key = `${FOLDERS.subnets}192.0.2.1`
    const text = '{"Host":"lb","HostIP":"192.0.2.1","Subnet":"","Assign":true}'
    const known = examples.NodeNetwork.value
    const { object, problem } = reading('NodeNetwork', key, text, known, true)
    expect(object).toMatchObject({ name: known.node, value: { machine: known.machine, ranges: known.ranges } })
    expect(problem).toContain(`it says Host "lb" in the place of ${known.node}, a node of the cluster`)
    const own = text.replace('lb', known.node)
    expect(reading('NodeNetwork', key, own, known, true).object?.value.ranges).toEqual([])
    const host = { ...known, machine: { kind: 'external', vni: 0 } } as const
    expect(reading('NodeNetwork', key, text, host, true).object?.name).toBe('lb')
  })

  test('that asks for a range has none', () => {
    const text = '{"Host":"lb","HostIP":"192.0.2.9","Subnet":"","Assign":true,"External":true,"VNI":4711}'
    const value = read('NodeNetwork', `${FOLDERS.subnets}192.0.2.9`, text)
    expect(value).toMatchObject({ machine: { kind: 'external', vni: 4711 }, ranges: [] })
    expect(parseGoObject(RECORDS.NodeNetwork.write(value as NodeNetwork, parseGoObject(text)))).toEqual(
      parseGoObject(text) ?? {},
    )
    const given = { ...(value as NodeNetwork), ranges: [cidr('172.11.12.0/22')] }
    expect(parseGoObject(RECORDS.NodeNetwork.write(given, undefined))).toEqual({
      Host: 'lb',
      HostIP: '192.0.2.9',
      Subnet: '172.11.12.0/22',
      Assign: false,
      External: true,
      VNI: 4711,
    })
  })

  test.each([
    ['192.0.2.199', { HostIP: '192.0.2.197' }, 'not the address in its key'],
    ['192.0.2.1', { HostIP: '' }, 'not the address in its key'],
    ['192.0.02.1', { HostIP: '192.0.02.1' }, 'not the address in its key'],
    ['node-1', {}, 'not the address in its key'],
    ['@node-2', {}, 'it says Host "node-1"'],
    ['192.0.2.1', { Host: '' }, 'cannot be a name'],
    ['192.0.2.1', { Subnet: '10.0.0.0' }, 'is not a network'],
    ['192.0.2.1', { Subnets: ['172.11.0.0/22', '172.11.0.0/22'], Subnet: '172.11.0.0/22' }, 'overlaps with'],
    ['192.0.2.1', { Closing: ['172.11.0.0/22'] }, 'closing[0]'],
    ['127.0.0.1', { HostIP: '127.0.0.1' }, "cannot be a node's address"],
    ['192.0.2.1', { NodeUID: 'a b' }, 'uid'],
    ['192.0.2.1', { VNI: -1 }, 'vni'],
  ])('under %p with %p is refused', (last, extra, problem) => {
    const record = { Host: 'node-1', HostIP: '192.0.2.1', Subnet: '172.11.4.0/22', External: true }
    const text = JSON.stringify({ ...record, ...extra })
    expect(reading('NodeNetwork', FOLDERS.subnets + last, text)).toEqual(
      expect.objectContaining({
        object: undefined,
        problem: expect.stringContaining(problem),
      }),
    )
  })

  test('what Subnet says counts for its family', () => {
    const text =
      '{"Host":"n","HostIP":"192.0.2.1","External":true,"Subnet":"172.11.8.0/22","Subnets":["fd00::/64","172.11.4.0/22"],"Addresses":["192.0.2.7"]}'
    expect(read('NodeNetwork', `${FOLDERS.subnets}192.0.2.1`, text)).toMatchObject({
      addresses: ['192.0.2.1'],
      ranges: ['172.11.8.0/22', 'fd00::/64'],
    })
  })
})

describe('a tenant', () => {
  const key = `${FOLDERS.netNamespaces}shop`
  const known: Tenant = { namespace: 'shop', vni: 4711, uid: 'u' }

  test.each<readonly [string, object, Partial<Tenant>]>([
    [
      'asks to join',
      { Action: 'join', Namespace: 'till' },
      { request: { id: 'words:join:till', action: 'join', target: 'till' } },
    ],
    ['asks to be global', { Action: 'global' }, { request: { id: 'words:global', action: 'global' } }],
    [
      'asks to be alone',
      { Action: 'isolate', Namespace: 'x' },
      { request: { id: 'words:isolate', action: 'isolate' } },
    ],
    [
      'asks nobody knows what',
      { Action: 'leave' },
      { request: { id: 'words:leave', action: 'unknown', text: 'leave' } },
    ],
    ['asks for nothing', { Action: null }, {}],
  ])('%s', (_, extra, expected) => {
    const text = JSON.stringify({ NetName: 'shop', NetID: 4711, VNI: 4711, ...extra })
    expect(read('Tenant', key, text)).toEqual({ namespace: 'shop', vni: 4711, ...expected })
  })

  test('a number that somebody typed never counts where another is in force', () => {
    const typed = (extra: object, last?: Tenant) =>
      reading('Tenant', key, JSON.stringify({ NetName: 'shop', NetID: 12, Action: '', ...extra }), last).object?.value
    const request = { id: 'words:NetID 12', action: 'unknown', text: 'NetID 12' } as const
    expect(typed({ VNI: 4711 })).toEqual({ namespace: 'shop', vni: 4711, request })
    expect(typed({}, known)).toEqual({ namespace: 'shop', vni: 4711, request })
    expect(typed({ Action: 'join', Namespace: 'till' }, known)).toMatchObject({
      vni: 4711,
      request: { action: 'join' },
    })
    expect(typed({ NetID: 4711 }, known)).toEqual({ namespace: 'shop', vni: 4711 })
  })

  test('a VNI typed beside the NetID that is known to be in force does not count either', () => {
    const typed = (extra: object, last?: Tenant) =>
      reading('Tenant', key, JSON.stringify({ NetName: 'shop', NetID: 4711, Action: '', ...extra }), last).object?.value
    const request = { id: 'words:VNI 5', action: 'unknown', text: 'VNI 5' } as const
    expect(typed({ VNI: 5 }, known)).toEqual({ namespace: 'shop', vni: 4711, request })
    expect(typed({ VNI: 5, Action: 'global' }, known)).toMatchObject({ vni: 4711, request: { action: 'global' } })
    // The controller writes both.
    expect(typed({ NetID: 12, VNI: 12 }, known)).toEqual({ namespace: 'shop', vni: 12 })
    // Who was away when it did, and whoever knows nothing, goes by the one that counts.
    expect(typed({ NetID: 13, VNI: 12 }, known)).toMatchObject({ vni: 12, request: { text: 'NetID 13' } })
    expect(typed({ VNI: 12 })).toMatchObject({ vni: 12, request: { text: 'NetID 4711' } })
  })

  test('a number that nobody confirmed counts for the controller alone', () => {
    const text = '{"NetName":"shop","NetID":300924,"Action":"","Namespace":""}'
    expect(reading('Tenant', key, text)).toEqual(
      expect.objectContaining({
        object: undefined,
        problem: expect.stringContaining('no controller has confirmed'),
      }),
    )
    expect(reading('Tenant', key, text, undefined, true).object?.value).toEqual({ namespace: 'shop', vni: 300_924 })
  })

  test.each([[1], [9], [-1], [2 ** 24], ['300924'], [1.5], [{}]])('NetID %p is refused', (id) => {
    const text = JSON.stringify({ NetName: 'shop', NetID: id })
    expect(reading('Tenant', key, text, undefined, true)).toEqual(
      expect.objectContaining({
        object: undefined,
        problem: expect.stringContaining('is not 0 or 10 to 16777215'),
      }),
    )
  })

  test('of another name than its key’s is refused', () => {
    expect(reading('Tenant', key, '{"NetName":"till","NetID":12,"VNI":12}').object).toBeUndefined()
  })

  test('is written so that k8s-ovs reads what is in force', () => {
    const { value } = examples.Tenant
    expect(parseGoObject(RECORDS.Tenant.write(value, parseGoObject('{"Owner":"me","netid":1}')))).toMatchObject({
      NetName: 'shop',
      NetID: 4711,
      Action: 'join',
      Namespace: 'till',
      Owner: 'me',
    })
  })
})

describe('a record that cannot be read', () => {
  test('is shown as what it was, with the reason', () => {
    const key = `${FOLDERS.subnets}192.0.2.1`
    const { value } = examples.NodeNetwork
    const damaged = reading('NodeNetwork', key, '{"Host":', value)
    expect(damaged.object).toMatchObject({ name: 'node-1', revision: 7, value: { ranges: value.ranges } })
    expect(damaged.object?.value.problem).toContain('is not a JSON object')
    const tenant = reading('Tenant', `${FOLDERS.netNamespaces}shop`, '[]', examples.Tenant.value)
    expect(tenant.object?.value).toMatchObject({ vni: 4711, request: { action: 'unknown' } })
  })
})

test('a value that is nested without an end is none that anybody could print: others are read all the same', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  for (const name of ['NetID', 'Other']) {
    const { object, problem } = reading('Tenant', `${FOLDERS.netNamespaces}a`, `{"NetName":"a","${name}":${deep}}`)
    expect({ object, problem }).toEqual({ object: undefined, problem: 'is not a JSON object (correct it)' })
  }
})

test.each([
  ['{"netid":5}', 5],
  ['{"NETID":5}', 5],
  ['{"VNI":5}', undefined],
  ['{"NetID":300924,"netid":5}', 5],
  ['{"netid":5,"NetID":300924}', 300_924],
  ['{"netid":5,"NetID":null}', 5],
  ['{"NetID":null}', undefined],
])('of %s Go makes NetID %p', (text, expected) => {
  expect(field(parseGoObject(text) ?? {}, 'NetID')).toBe(expected)
})

test('keys that differ by case alone are one, and ours replace them', () => {
  expect(rewritten({ NetID: 1, Gone: undefined }, { netid: 2, GONE: 3, other: null })).toBe('{"NetID":1,"other":null}')
})
