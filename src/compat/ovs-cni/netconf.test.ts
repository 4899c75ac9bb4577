import { describe, expect, test } from 'bun:test'
import { type CniArgs, NO_ARGS, parseArgs } from '../../cni/args.ts'
import { type JsonObject, ShapeError } from '../../cni/json.ts'
import { macAsked, ovnPortAsked } from './asked.ts'
import { deviceOf, linkStateWaitMs, parseOvsNetconf, withFlatFile } from './netconf.ts'
import { isPortOf, podPortRows } from './rows.ts'

const MAC = '02:11:22:33:44:55'

test('every key, and what holds without it', () => {
  expect(parseOvsNetconf({})).toEqual({ linkState: { retries: 5, intervalMs: 600 } })
  const config = {
    type: 'ovs',
    bridge: 'br1',
    vlan: 100,
    mtu: 1400,
    ofport_request: 5,
    interface_type: 'system',
    socket_file: 'unix:/run/db.sock',
    link_state_check_retries: 2,
    link_state_check_interval: 50,
    ipam: { type: 'host-local' },
    somebody: { elses: true },
  }
  expect(parseOvsNetconf(config)).toEqual({
    bridge: 'br1',
    membership: { mode: 'access', tag: 100 },
    mtu: 1400,
    ofportRequest: 5,
    interfaceType: 'system',
    socketFile: 'unix:/run/db.sock',
    linkState: { retries: 2, intervalMs: 50 },
    ipam: 'host-local',
  })
})

test.each<[string, JsonObject]>([
  ['zeros', { mtu: 0, ofport_request: 0, link_state_check_retries: 0, link_state_check_interval: 0 }],
  ['nulls', { bridge: null, vlan: null, trunk: null, mtu: null, ipam: null }],
  ['empty texts', { bridge: '', interface_type: '', socket_file: '', vlan_mode: '', ipam: { type: '' } }],
])('%s say nothing', (_, config) => {
  expect(parseOvsNetconf(config)).toEqual(parseOvsNetconf({}))
})

test.each<[string, JsonObject]>([
  ['bridge', { bridge: 5 }],
  ['mtu', { mtu: 1400.5 }],
  ['mtu', { mtu: 65_536 }],
  ['ofport_request', { ofport_request: 65_280 }],
  ['ipam', { ipam: 'host-local' }],
  ['link_state_check_retries', { link_state_check_retries: -1 }],
])('%s of the wrong shape is named', (field, config) => {
  expect(() => parseOvsNetconf(config)).toThrow(ShapeError)
  expect(() => parseOvsNetconf(config)).toThrow(new RegExp(`^${field}: must be`))
})

test('no link is waited for longer than a minute', () => {
  expect(linkStateWaitMs(parseOvsNetconf({}))).toBe(3_000)
  expect(
    linkStateWaitMs(parseOvsNetconf({ link_state_check_retries: 60_000, link_state_check_interval: 60_000 })),
  ).toBe(60_000)
})

test.each<[string, JsonObject, JsonObject, JsonObject]>([
  ['what is missing', {}, { bridge: 'b', mtu: 9 }, { bridge: 'b', mtu: 9 }],
  [
    'what is empty',
    { bridge: '', mtu: 0, trunk: [] },
    { bridge: 'b', mtu: 9, trunk: [{ id: 1 }] },
    { bridge: 'b', mtu: 9, trunk: [{ id: 1 }] },
  ],
  ['not what is there', { bridge: 'a', mtu: 1 }, { bridge: 'b', mtu: 9 }, { bridge: 'a', mtu: 1 }],
  ['not VLAN 0', { vlan: 0 }, { vlan: 9 }, { vlan: 0 }],
  ['IPAM without a type', { ipam: {} }, { ipam: { type: 'x' } }, { ipam: { type: 'x' } }],
  ['not IPAM with one', { ipam: { type: 'y' } }, { ipam: { type: 'x' } }, { ipam: { type: 'y' } }],
  ['no other keys', { name: 'n' }, { name: 'm', args: {}, runtimeConfig: {}, configuration_path: '/x' }, { name: 'n' }],
])('a flat file fills in %s', (_, config, flat, merged) => {
  expect(withFlatFile(config, flat)).toEqual(merged)
})

describe('what is asked for one attachment', () => {
  const args = (text: string): CniArgs => parseArgs(`IgnoreUnknown=1;${text}`)

  test.each<[JsonObject, CniArgs, string | undefined, string | undefined]>([
    [{}, NO_ARGS, undefined, undefined],
    [{ runtimeConfig: { mac: MAC.toUpperCase() } }, args('MAC=02:00:00:00:00:09'), MAC, 'runtimeConfig.mac'],
    [{ args: { cni: { mac: '02:00:00:00:00:09' } } }, args(`MAC=${MAC}`), MAC, 'MAC in CNI_ARGS'],
    [{ args: { cni: { mac: MAC } } }, args('MAC='), MAC, 'args.cni.mac'],
    [{ args: { cni: { MaC: MAC } } }, NO_ARGS, MAC, 'args.cni.MaC'],
    [{ args: { cni: { mac: 5 } } }, NO_ARGS, undefined, undefined],
    [{ args: { cni: 'x' } }, NO_ARGS, undefined, undefined],
    [{}, args(`mac=${MAC}`), MAC, 'MAC in CNI_ARGS'],
  ])('MAC in %j', (config, given, mac, field) => {
    const asked = macAsked(config, given)
    expect([asked?.value as string | undefined, asked?.field]).toEqual([mac, field])
  })

  test('a port of OVN’s', () => {
    expect(ovnPortAsked({ args: { cni: { ovnport: 'a' } } }, args('OvnPort=b'))?.value).toBe('b')
    expect(ovnPortAsked({ args: { cni: { ovnport: 'a' } } }, NO_ARGS)?.value).toBe('a')
    expect(() => ovnPortAsked({ args: { cni: { ovnPort: 'a b' } } }, NO_ARGS)).toThrow('args.cni.ovnPort')
  })

  test('devices', () => {
    expect(deviceOf({})).toBeUndefined()
    expect(deviceOf({ deviceID: 'a' })).toEqual({ key: 'deviceID', value: 'a' })
    expect(deviceOf({ runtimeConfig: { deviceID: 'b' } })).toEqual({ key: 'runtimeConfig.deviceID', value: 'b' })
  })
})

test('rows: what was not asked for is left out', () => {
  const port = { membership: { mode: 'access', tag: 100 }, netns: '/run/netns/c1', ifname: 'eth0' } as const
  const ids = { contPodUid: '', contNetns: '/run/netns/c1', contIface: 'eth0', owner: 'ovs-cni.network.kubevirt.io' }
  expect(podPortRows(port)).toEqual({
    port: { vlan_mode: 'access', tag: 100, external_ids: ids },
    interface: { external_ids: {} },
  })
  expect(podPortRows({ ...port, podUid: 'u', ofportRequest: 5, interfaceType: 'system', ovnPort: 'p' })).toEqual({
    port: { vlan_mode: 'access', tag: 100, external_ids: { ...ids, contPodUid: 'u' } },
    interface: { type: 'system', ofport_request: 5, external_ids: { 'iface-id': 'p' } },
  })
  expect(isPortOf(new Map(Object.entries(ids)), port)).toBe(true)
  for (const key of ['contNetns', 'contIface', 'owner'])
    expect(isPortOf(new Map(Object.entries({ ...ids, [key]: 'other' })), port)).toBe(false)
})
