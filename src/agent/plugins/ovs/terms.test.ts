/** Who may ask for what: decided before anything is done, by a copy of a real database. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CniError, type JsonObject, parseArgs } from '../../../cni/index.ts'
import type { Grants, Origin } from '../../../network/model/grants.ts'
import { connectOvsdb, type OvsdbClient } from '../../../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../../ovs/testing/ovs-sandbox.ts'
import { podBridges } from './bridges.ts'
import { MIRROR_TYPES, mirrorPlugin } from './mirrors.ts'
import { UnderlayPorts } from './ports.ts'
import { statusProblem } from './status.ts'
import { type Terms, termsOf } from './terms.ts'
import { callFor, NEVER } from './testing/rig.ts'

const TENANT: Origin = { kind: 'definition', namespace: 'shop', name: 'net' }
const ADMIN: Origin = { kind: 'definition', namespace: 'kube-system', name: 'net' }
const CALLER: Origin = { kind: 'caller' }
const NODE: Origin = { kind: 'node' }
const GRANTS: Grants = {
  trustedNamespaces: new Set(['kube-system']),
  types: new Set(['ovs']),
  bridges: [
    { bridge: 'br1', namespaces: ['shop'], vlans: [{ first: 100, last: 199 }] },
    { bridge: 'br-all', namespaces: [], vlans: [] },
  ],
}
const MAC = '02:11:22:33:44:55'
const folder = mkdtempSync(join(tmpdir(), 'weft-flat-'))
const nowhere = { fd: -1, path: '/run/netns/c1' }

let ovs: OvsSandbox
let client: OvsdbClient
let ports: UnderlayPorts

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  for (const bridge of ['br1', 'br-all', 'br-weft', 'br-int', 'br-ovn', 'br-chassis']) await ovs.vsctl('add-br', bridge)
  await ovs.vsctl(
    'set',
    'Open_vSwitch',
    '.',
    'external_ids:ovn-bridge=br-ovn',
    'external_ids:ovn-bridge-node2=br-chassis',
    'external_ids:ovn-bridge-node3=br-later',
    'external_ids:ovn-bridge-mappings=x:br1',
  )
  client = await connectOvsdb({ path: ovs.dbSocket })
  ports = await UnderlayPorts.open(client, NEVER)
  await ports.tables.waitFor(() => (podBridges(ports.tables).join() === 'br-all,br1' ? true : undefined), {
    timeoutMs: 4_000,
  })
})
afterAll(async () => {
  client.close()
  await ovs.stop()
  rmSync(folder, { recursive: true })
})

interface Asked {
  readonly origin?: Origin
  readonly config?: JsonObject
  readonly args?: string
  readonly flatFiles?: readonly string[]
  readonly grants?: Grants
}

function decide({ origin = TENANT, config = {}, args = podOf('shop'), flatFiles = [], grants = GRANTS }: Asked): Terms {
  const call = {
    ...callFor({ nsFd: -1 } as never, { vlan: 100, ...config }, { origin }),
    netns: nowhere,
    args: parseArgs(args),
  }
  return termsOf(call, { tables: ports.tables, ovsdb: ovs.dbSocket, flatFiles, grants: () => grants }).terms
}

function refusal(asked: Asked): Pick<CniError, 'id' | 'message' | 'remedy'> {
  try {
    decide(asked)
  } catch (error) {
    if (error instanceof CniError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const podOf = (namespace: string): string => `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=cart`

test('tenants may have what was granted', () => {
  expect(decide({ config: { vlan: 199 } }).membership).toEqual({ mode: 'access', tag: 199 })
  expect(decide({ config: { trunk: [{ minID: 100, maxID: 199 }] } }).membership.mode).toBe('trunk')
  expect(decide({ origin: CALLER, config: { vlan: 100 } }).bridge.name).toBe('br1')
  expect(decide({ origin: CALLER, config: { bridge: 'br-all', vlan: 0 }, args: '' }).bridge.name).toBe('br-all')
  expect(decide({ config: { interface_type: 'system', vlan: 100 } }).netconf.interfaceType).toBe('system')
})

test.each<[string, Asked, string, string]>([
  [
    'a VLAN outside the grant',
    { config: { vlan: 200 } },
    'vlan',
    'VLAN 200 of bridge br1 is not granted to namespace shop',
  ],
  ['a trunk that reaches outside', { config: { trunk: [{ minID: 190, maxID: 200 }] } }, 'vlan', 'VLAN 190-200'],
  ['the untagged VLAN', { config: { vlan: 0 } }, 'vlan', 'VLAN 0'],
  [
    'a native VLAN outside',
    { config: { vlan: 7, trunk: [{ id: 100 }], vlan_mode: 'native-tagged' } },
    'vlan',
    'VLAN 7',
  ],
  ["a bridge that is nobody's", { config: { bridge: 'br2' } }, 'bridge', 'bridge br2 is not granted to namespace shop'],
  [
    "another namespace's bridge",
    { origin: { ...TENANT, namespace: 'mall' } },
    'bridge',
    'not granted to namespace mall',
  ],
  ["another pod's, by a caller nobody knows", { origin: CALLER, args: podOf('mall') }, 'bridge', 'namespace mall'],
  ['a caller who names no pod', { origin: CALLER, args: '' }, 'bridge', 'whoever calls without naming a pod'],
  ['a caller for a trusted pod', { origin: CALLER, args: podOf('kube-system') }, 'bridge', 'namespace kube-system'],
  ['no VLAN at all', { config: { vlan: null } }, 'vlan', 'every VLAN'],
  ['no VLAN, where every VLAN is granted', { config: { bridge: 'br-all', vlan: null } }, 'vlan', 'every VLAN'],
  [
    'a native VLAN with the rest',
    { config: { bridge: 'br-all', vlan: 7, vlan_mode: 'native-tagged' } },
    'trunk',
    'every VLAN',
  ],
  ['a trunk without its VLANs', { config: { bridge: 'br-all', vlan_mode: 'trunk' } }, 'trunk', 'every VLAN'],
  ['a socket', { config: { socket_file: 'unix:/run/x.sock' } }, 'socket_file', 'of the node'],
  ['a file', { config: { configuration_path: '/etc/shadow' } }, 'configuration_path', 'of the node'],
  [
    'another kind of interface',
    { config: { interface_type: 'patch' } },
    'interface_type',
    'type patch is not for pods',
  ],
  ['a MAC address', { config: { runtimeConfig: { mac: MAC } } }, 'runtimeConfig.mac', 'pods may not choose it'],
  ['a MAC address in CNI_ARGS', { args: `${podOf('shop')};MAC=${MAC}` }, 'MAC in CNI_ARGS', 'pods may not choose it'],
  ['a MAC address in args.cni', { config: { args: { cni: { mac: MAC } } } }, 'args.cni.mac', 'pods may not choose it'],
  ['a port of OVN’s', { config: { args: { cni: { ovnPort: 'p' } } } }, 'args.cni.ovnPort', 'pods may not choose it'],
])('refused by its field: %s', (_, asked, field, reason) => {
  const { id, message, remedy } = refusal(asked)
  const isNeeded = ['bridge', 'vlan', 'trunk'].includes(field)
  expect(id).toBe(isNeeded ? 'choice-refused' : 'request-refused')
  // Nobody is told to leave out what has to be there.
  expect(remedy.includes(`leave ${field} out`)).toBe(!isNeeded)
  expect(message).toContain(` asks for ${field}: `)
  expect(message).toContain(reason)
})

test.each<[string, Asked]>([
  ['of the node', { origin: NODE }],
  ['of a trusted namespace', { origin: ADMIN }],
])('configurations %s may have all of it', (_, asked) => {
  const config = {
    vlan: null,
    interface_type: 'internal',
    runtimeConfig: { mac: MAC },
    args: { cni: { ovnPort: 'p' } },
  }
  const terms = decide({ ...asked, config })
  expect(terms).toMatchObject({
    mac: MAC,
    ovnPort: 'p',
    membership: { mode: 'trunk', trunks: [] },
    bridge: { name: 'br1' },
  })
})

describe.each<[string, Omit<Asked, 'config' | 'grants'>]>([
  ['a configuration of the node', { origin: NODE }],
  ['a trusted namespace', { origin: ADMIN, args: podOf('kube-system') }],
  ['a tenant who was granted it', {}],
])('no pod is put on what is not for pods by %s', (_, asked) => {
  test.each([
    ['br-weft', "Weft's own"],
    ['br-int', "OVN's"],
    ['br-ovn', "OVN's"],
    ['br-chassis', "OVN's"],
    // It need not be there to be somebody's.
    ['br-later', "OVN's"],
  ])('%s', (bridge, whose) => {
    const { id, message, remedy } = refusal({ ...asked, config: { bridge }, grants: granting(bridge) })
    expect([id, message]).toEqual([
      'bridge-reserved',
      expect.stringContaining(`asks for bridge: bridge ${bridge} is ${whose}`),
    ])
    expect(remedy).not.toContain('grant')
  })
})

test("a port of OVN's without a bridge is OVN's bridge, and refused as that; on another it is a name", () => {
  expect(refusal({ origin: NODE, config: { bridge: '' }, args: 'OvnPort=p' }).message).toContain(
    "asks for OvnPort in CNI_ARGS: bridge br-ovn is OVN's",
  )
  expect(decide({ origin: NODE, args: 'OvnPort=p' })).toMatchObject({ ovnPort: 'p', bridge: { name: 'br1' } })
})

test('CNI_ARGS of ovs-cni need no IgnoreUnknown', () => {
  expect(decide({ origin: NODE, args: `MAC=${MAC};OvnPort=p` })).toMatchObject({ mac: MAC, ovnPort: 'p' })
})

test("a pod of a trusted namespace chooses its MAC address, whoever's network it is", () => {
  const grants = { ...GRANTS, bridges: [{ bridge: 'br1', namespaces: [], vlans: [] }] }
  expect(decide({ grants, args: `${podOf('kube-system')};MAC=${MAC}` }).mac).toBe(MAC as never)
})

describe('what nobody can have', () => {
  test.each<[string, JsonObject, string, string]>([
    ['a bridge that is not there', { bridge: 'br7' }, 'bridge-missing', 'no bridge br7'],
    ['no bridge', { bridge: '' }, 'config-invalid', 'bridge: is missing'],
    ['a VLAN out of range', { vlan: 4096 }, 'config-invalid', 'vlan: must be a whole number from 0 to 4095'],
    ['a VLAN below', { vlan: -1 }, 'config-invalid', 'vlan: must be'],
    ['a VLAN that is text', { vlan: '100' }, 'config-invalid', 'vlan: must be'],
    ['a range the wrong way', { trunk: [{ minID: 5, maxID: 4 }] }, 'config-invalid', 'trunk[0].maxID'],
    ['a range out of bounds', { trunk: [{ minID: 5, maxID: 4096 }] }, 'config-invalid', 'trunk[0].maxID'],
    ['a VLAN of a trunk out of bounds', { trunk: [{ id: 5 }, { id: 4096 }] }, 'config-invalid', 'trunk[1].id: must be'],
    ['a trunk of nothing', { trunk: [{}] }, 'config-invalid', 'trunk: is misconfigured'],
    ['a mode that is none', { vlan_mode: 'native' }, 'config-invalid', 'vlan_mode: must be one of'],
    [
      'a native mode without its VLAN',
      { vlan: null, vlan_mode: 'native-tagged' },
      'config-invalid',
      'vlan: is missing',
    ],
    [
      'an access port with a trunk',
      { vlan_mode: 'access', trunk: [{ id: 1 }] },
      'config-invalid',
      'trunk: must be left out',
    ],
    [
      'a number that is the agent’s',
      { ofport_request: 4096 },
      'config-invalid',
      'ofport_request: must be from 3 to 4095 or',
    ],
    ['the tunnel’s number', { ofport_request: 1 }, 'config-invalid', 'ofport_request'],
    ['a number that Open vSwitch keeps', { ofport_request: 65_280 }, 'config-invalid', 'ofport_request'],
    ['an MTU below the least', { mtu: 67 }, 'config-invalid', 'mtu: must be at least 68'],
    ['another database', { socket_file: 'unix:/run/x.sock' }, 'config-invalid', 'socket_file: must be unix:'],
    ['a database elsewhere', { socket_file: 'tcp:127.0.0.1:6640' }, 'config-invalid', 'socket_file: must be unix:'],
    ['a MAC address that is none', { runtimeConfig: { mac: 'zz' } }, 'config-invalid', 'runtimeConfig.mac'],
    ['a MAC address of a group', { args: { cni: { mac: '01:00:5e:00:00:01' } } }, 'config-invalid', 'unicast'],
    ['name servers that are none', { dns: { nameservers: 'x' } }, 'config-invalid', 'dns.nameservers'],
    ['a device', { deviceID: '0000:03:00.1' }, 'unsupported-field', 'deviceID = 0000:03:00.1'],
    [
      'a device of the runtime',
      { runtimeConfig: { deviceID: 'vdpa0' } },
      'unsupported-field',
      'runtimeConfig.deviceID',
    ],
  ])('%s', (_, config, id, message) => {
    const found = refusal({ origin: NODE, config })
    expect(found.id).toBe(id)
    expect(found.message).toContain(message)
  })

  test('a missing bridge says what to type', () => {
    expect(refusal({ origin: NODE, config: { bridge: 'br7' } }).remedy).toContain('weft bridge create br7')
  })

  test.each(MIRROR_TYPES)('%s says so, and has nothing to undo', async (type) => {
    const call = callFor({ nsFd: -1 } as never, {})
    await expect(mirrorPlugin(type).add(call, NEVER)).rejects.toThrow(`must not be ${type}: Weft makes no port mirrors`)
    await mirrorPlugin(type).del(call)
  })
})

test('a file about a device is not read, whoever names it', () => {
  const path = join(folder, 'device.json')
  writeFileSync(path, JSON.stringify({ type: 'vdpa', vdpa: { path: '/dev/vhost-vdpa-0' } }))
  for (const CNIDeviceInfoFile of [path, '/etc/shadow', '/nonexistent', 7]) {
    for (const origin of [NODE, TENANT]) {
      expect(decide({ origin, config: { runtimeConfig: { CNIDeviceInfoFile } } })).toEqual(decide({ origin }))
    }
  }
})

test('the agent’s own socket may be named, by whichever path', () => {
  const link = join(folder, 'db.sock')
  symlinkSync(ovs.dbSocket, link)
  for (const path of [ovs.dbSocket, link])
    expect(decide({ origin: NODE, config: { socket_file: `unix:${path}` } }).bridge.name).toBe('br1')
})

describe('flat files', () => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  test('the first that exists fills in what is empty, and nothing else', () => {
    const first = file('first.conf', JSON.stringify({ bridge: 'br-all', vlan: 5, mtu: 1400, name: 'x' }))
    const flatFiles = [join(folder, 'missing.conf'), first, file('second.conf', '{"mtu":9000}')]
    const terms = decide({ origin: NODE, config: { bridge: '', vlan: 0 }, flatFiles })
    expect(terms).toMatchObject({ bridge: { name: 'br-all' }, membership: { mode: 'access', tag: 0 }, podMtu: 1400 })
  })

  test('the one that an administrator names comes before', () => {
    const named = file('named.conf', '{"mtu":1234}')
    const flatFiles = [file('usual.conf', '{"mtu":9000}')]
    expect(decide({ origin: NODE, config: { configuration_path: named }, flatFiles }).podMtu).toBe(1234)
  })

  test('what a file gives to tenants has to be granted as well', () => {
    const flatFiles = [file('vlan.conf', '{"vlan":300}')]
    expect(refusal({ config: { vlan: null }, flatFiles }).message).toContain('VLAN 300')
  })

  test.each<[string, string]>([
    ['no JSON', 'root:$6$secret:19000'],
    ['half of it', '{"bridge": "secret'],
    ['no object', '["secret"]'],
  ])('%s: the error says where, and nothing of what is in it', (_, text) => {
    const path = file('broken.conf', text)
    const { id, message, remedy } = refusal({ origin: NODE, flatFiles: [path] })
    expect([id, message]).toEqual(['config-invalid', expect.stringContaining(path)])
    expect(`${message} ${remedy}`).not.toContain('secret')
  })

  test('what is no file is not read', () => {
    expect(refusal({ origin: NODE, config: { configuration_path: '/dev/zero' } }).message).toContain('no regular file')
    chmodSync(folder, 0o700)
    expect(refusal({ origin: NODE, config: { configuration_path: folder } }).message).toContain('flat file')
  })
})

test('STATUS says which bridge is missing, and knows flat files', () => {
  expect(statusProblem({ bridge: 'br1' }, ports, [])).toBeUndefined()
  expect(statusProblem({ bridge: 'br7' }, ports, [])).toContain('weft bridge create br7')
  expect(statusProblem({ bridge: 'br-ovn' }, ports, [])).toContain("bridge br-ovn is OVN's")
  expect(statusProblem({ bridge: 'br-weft' }, ports, [])).toContain("bridge br-weft is Weft's own")
  const path = join(folder, 'status.conf')
  writeFileSync(path, '{"bridge":"br8"}')
  expect(statusProblem({}, ports, [path])).toContain('no bridge br8')
})

function granting(bridge: string): Grants {
  return { ...GRANTS, bridges: [{ bridge, namespaces: [], vlans: [] }] }
}
