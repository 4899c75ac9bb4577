import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ip, parseMac } from '../../network/model/address.ts'
import { type CachedPort, formatCache, parseCache } from './cache.ts'
import { UnderlayError } from './errors.ts'
import { execCall, isInContainer, podNetworkStatus } from './exec.ts'
import { parseUnderlayNetconf } from './netconf.ts'
import { isOwn, ownDescription, ownTags, portName, vlanIn } from './owner.ts'
import { freePorts, freeVlans, podsIn, subnetOf } from './ports.ts'
import { parsePython } from './python.ts'
import { formatRecord, parseRecord, type SwitchRecord } from './record.ts'

const PARENT = '2233c32a-4092-4d8b-b44d-1c54f666c507'

function port(vlan: number): CachedPort {
  const mac = parseMac(`fa:16:3e:00:00:${vlan.toString(16).padStart(2, '0')}`)
  if (mac === undefined) throw new Error('no MAC')
  const id = `00000000-0000-4000-8000-${String(vlan).padStart(12, '0')}`
  return { id, address: ip(`192.168.1.${vlan + 1}`), prefixLength: 29, mac, vlan, gateway: ip('192.168.1.1') }
}

describe('the cache', () => {
  test('is JSON of the old keys, a port a line', () => {
    const text = formatCache([port(2), port(1)])
    expect(text.split('\n')).toEqual([
      '{"00000000-0000-4000-8000-000000000001": {"ip":"192.168.1.2","netmask":"29","mac":"fa:16:3e:00:00:01","vlan":1,"gateway_ip":"192.168.1.1"},',
      ' "00000000-0000-4000-8000-000000000002": {"ip":"192.168.1.3","netmask":"29","mac":"fa:16:3e:00:00:02","vlan":2,"gateway_ip":"192.168.1.1"}}',
    ])
    expect(parseCache(text)).toEqual([port(1), port(2)])
    expect(parseCache(undefined)).toEqual([])
    expect(parseCache(formatCache([]))).toEqual([])
  })

  test('of the script before us is read', () => {
    const text =
      "{u'00000000-0000-4000-8000-000000000002': {u'ip': u'192.168.1.3', 'netmask': '29', 'mac': u'FA:16:3E:00:00:02', 'vlan': 2L, 'gateway_ip': \"192.168.1.1\", 'used': 'no'},\n" +
      " '00000000-0000-4000-8000-000000000001': {'ip': '192.168.1.2', 'netmask': '29', 'mac': 'fa:16:3e:00:00:01', 'vlan': 1, 'gateway_ip': '192.168.1.1', 'used': 'yes', }, }"
    expect(parseCache(text)).toEqual([port(1), port(2)])
  })

  test.each([
    ['nonsense', 'nonsense', 'is no value at character 1'],
    ['half of one', "{'a': ", 'is no value'],
    ['a list', '[]', 'it is no dictionary'],
    ['no port', '{"a": {}}', 'a key is no ID of a port'],
    ['no address', formatCache([port(1)]).replace('192.168.1.2', 'x'), 'is no address'],
    ['no VLAN', formatCache([port(1)]).replace('"vlan":1', '"vlan":4095'), 'is not between 1 and 4094'],
    ['a VLAN twice', formatCache([port(1), port(2)]).replace('"vlan":2', '"vlan":1'), 'two ports have the same vlan'],
  ])('%s is refused', (_, text, words) => {
    expect(thrown(() => parseCache(text))).toEqual(
      expect.objectContaining({ code: 'UNDERLAY_CACHE', message: expect.stringContaining(words) }),
    )
  })

  test('any text is a cache or an error', () => {
    const part = fc.constantFrom(...'{}[]()\'",:uL0123abc \\\n'.split(''), 'True', 'None', PARENT)
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        try {
          parseCache(parts.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(UnderlayError)
        }
      }),
    )
  })
})

test.each<[string, unknown]>([
  ["{'a': [1, -2.5, (True, None)], 7: \"it's\"}", { a: [1, -2.5, [true, null]], 7: "it's" }],
  ["u'\\x41\\u00e9\\n\\\\'", 'Aé\n\\'],
  ['{}', {}],
])('Python prints %s', (text, value) => {
  expect(parsePython(text)).toEqual(value as never)
})

test('a value nested without an end is refused', () => {
  expect(() => parsePython('['.repeat(100_000))).toThrow('nested too deep')
})

describe('the record', () => {
  const record: SwitchRecord = {
    state: 'ready',
    name: 'ls-worker1',
    subnet: subnetOf('192.168.1.0/29'),
    parent: PARENT,
    router: '9b1e5f6a-0000-4000-8000-000000000000',
    nesting: 'trunk',
    mtu: 1442,
    gateway: { address: ip('192.168.1.1'), mac: port(9).mac },
    cluster: [subnetOf('192.168.0.0/16')],
  }
  test('is read as it was written', () => {
    expect(parseRecord(formatRecord(record))).toEqual(record)
    expect(parseRecord(undefined)).toBeUndefined()
  })
  test.each(['{', '[]', '7', '{"state":"ready"}', formatRecord({ ...record, state: 'odd' as never })])(
    '%s is refused',
    (text) => {
      expect(thrown(() => parseRecord(text)).code).toBe('UNDERLAY_CACHE')
    },
  )
})

test.each([
  ['192.168.1.0/29', undefined, 5],
  ['192.168.1.0/24', undefined, 253],
  ['192.168.1.0/30', undefined, 1],
  ['10.0.0.0/16', 100, 100],
  ['10.0.0.0/20', undefined, 4093],
])('%s, of which %j are asked for, has ports for %d pods', (subnet, asked, pods) => {
  expect(podsIn(subnetOf(subnet), asked)).toBe(pods)
})

test.each([
  ['192.168.1.0/31', undefined, 'has no room for pods'],
  ['192.168.1.0/29', 6, 'has room for 5 pods'],
  ['10.0.0.0/16', undefined, 'there are 4094 VLANs'],
])('%s with %j ports is refused', (subnet, asked, words) => {
  expect(thrown(() => podsIn(subnetOf(subnet), asked)).message).toContain(words)
})

test.each([
  ['192.168.1.1/29', 'write it as 192.168.1.0/29'],
  ['192.168.1.0', 'write it as 192.168.1.0/29'],
  ['ls-worker1', 'write it as 192.168.1.0/29'],
  ['2001:db8::/64', 'the underlay knows no other'],
  ['10.0.0.0/33', 'write it as 192.168.1.0/29'],
])('%s is no subnet', (text, remedy) => {
  expect(thrown(() => subnetOf(text))).toEqual(
    expect.objectContaining({ code: 'UNDERLAY_USAGE', remedy: expect.stringContaining(remedy) }),
  )
})

test('VLANs that others have are left out', () => {
  expect(freeVlans(3, new Set([1, 3]))).toEqual([2, 4, 5])
  expect(thrown(() => freeVlans(2, new Set(Array.from({ length: 4093 }, (_, i) => i + 1)))).code).toBe(
    'UNDERLAY_NO_NESTING',
  )
})

test('addresses rest: the port behind the last one given comes first', () => {
  const cache = [1, 2, 3, 4].map(port)
  const order = (taken: readonly number[], last: number): readonly number[] =>
    freePorts(cache, new Set(taken.map((vlan) => port(vlan).id)), last).map(({ vlan }) => vlan)
  expect(order([], 0)).toEqual([1, 2, 3, 4])
  expect(order([2], 2)).toEqual([3, 4, 1])
  expect(order([1, 2, 3, 4], 2)).toEqual([])
  expect(order([], 4)).toEqual([1, 2, 3, 4])
})

test('objects say whose they are, and names of ports which VLAN is theirs', () => {
  expect(isOwn(PARENT, { tags: ownTags(PARENT) })).toBe(true)
  expect(isOwn(PARENT, { tags: [], description: ownDescription(PARENT) })).toBe(true)
  expect(isOwn(PARENT, { tags: ['weft'], description: '' })).toBe(false)
  expect(isOwn(PARENT, { tags: ownTags('0133c32a-4092-4d8b-b44d-1c54f666c507') })).toBe(false)
  for (const tag of ownTags(PARENT)) expect(tag.length).toBeLessThanOrEqual(60)
  expect(vlanIn(portName('ls/worker1', 17))).toBe(17)
  for (const name of ['', 'weft/a', 'weft/a/0', 'weft/a/4095', 'weft//7', 'k8']) expect(vlanIn(name)).toBeUndefined()
})

describe('a kubelet’s old calls', () => {
  test('are read', () => {
    expect(execCall('init', ['whatever'])).toEqual({ verb: 'init' })
    expect(execCall('setup', ['default', 'web-0', 'abc123'])).toEqual({
      verb: 'setup',
      namespace: 'default',
      pod: 'web-0',
      containerId: 'abc123',
    })
    expect(JSON.parse(podNetworkStatus('192.168.1.2'))).toEqual({
      apiVersion: 'v1beta1',
      kind: 'PodNetworkStatus',
      ip: '192.168.1.2',
    })
  })
  test.each([
    [[], 'the namespace of setup is no name'],
    [['default', '../x', 'abc'], 'the pod of setup is no name'],
    [['default', 'web', '/proc/1'], 'the container of setup is no name'],
    [['default', 'web', 'abc', 'more'], 'setup takes three words'],
  ])('%j is refused', (words, message) => {
    expect(thrown(() => execCall('setup', words))).toEqual(expect.objectContaining({ code: 'UNDERLAY_USAGE', message }))
  })
})

test.each([
  ['a part of another ID', 'abc', '0::/kubepods/besteffort/pod1/abcdef012345', false],
  ['the number of a session', '1', '0::/user.slice/user-1000.slice/session-1.scope', false],
  ['the end of a pod’s UID', '2b3c4d5e6f70', '0::/kubepods/pod0a1b2c3d-0000-4000-8000-2b3c4d5e6f70', false],
  ['a monitor of the container', 'abcdef012345', '0::/machine.slice/libpod-conmon-abcdef012345.scope', false],
  ['cgroupfs', 'abcdef012345', '0::/kubepods/besteffort/pod1/abcdef012345', true],
  ['Docker by systemd', 'abcdef012345', '0::/system.slice/docker-abcdef012345.scope', true],
  ['containerd by systemd', 'abcdef012345', '0::/kubepods.slice/pod1.slice/cri-containerd-abcdef012345.scope', true],
  [
    'containerd without systemd',
    'abcdef012345',
    '0::/system.slice/kubepods-pod1.slice:cri-containerd:abcdef012345',
    true,
  ],
  ['a group inside', 'abcdef012345', '0::/docker/abcdef012345/init.scope', true],
  ['the first form of groups', 'abcdef012345', '12:pids:/docker/abcdef012345\n1:name=systemd:/', true],
])('a container’s processes are told by their group, not by a part of its name: %s', (_, id, groups, isOf) => {
  expect(isInContainer(groups, id)).toBe(isOf)
})

describe('the network configuration', () => {
  test('has what it leaves out', () => {
    expect(parseUnderlayNetconf({ type: 'ovn' })).toEqual({ bridge: 'br-int', hostBridge: 'breth1' })
    expect(parseUnderlayNetconf({ bridge: 'br0', hostBridge: 'br1', ovsdb: '/s', mtu: 1400 })).toEqual({
      bridge: 'br0',
      hostBridge: 'br1',
      ovsdb: '/s',
      mtu: 1400,
    })
  })
  test.each([
    [{ securityGroups: ['a'] }, 'ports are made in advance'],
    [{ ipam: { type: 'host-local' } }, 'addresses come with the ports'],
    [{ bridge: 'a/b' }, 'must be the name of a bridge'],
    [{ mtu: 9 }, 'must be a whole number'],
  ])('%j is refused', (config, words) => {
    expect(() => parseUnderlayNetconf(config)).toThrow(words)
  })
})

function thrown(act: () => unknown): UnderlayError {
  try {
    act()
  } catch (error) {
    if (error instanceof UnderlayError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
