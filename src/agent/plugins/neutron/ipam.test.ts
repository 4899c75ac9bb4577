/** `ipam-neutron` where an agent runs: ports of this node's first, and an account's own where there are none. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CniError, cniError, type JsonObject, parseArgs, toCniError } from '../../../cni/index.ts'
import { NETWORK, SmallNeutron } from '../../../compat/ipam-neutron/testing/small-neutron.ts'
import { PASSWORD } from '../../../openstack/testing/fake-cloud.ts'
import { pool, port, Rig, until } from '../../neutron/testing/rig.ts'
import type { PluginCallInside } from '../plugin.ts'
import { DirectNeutron } from './direct.ts'
import { DirectNotes } from './direct-notes.ts'
import { NeutronIpamPlugin } from './ipam.ts'

const OTHER = '4c8f1a52-44f9-4318-8c67-a2fed2ccca4f'
const never = new AbortController().signal

let rig: Rig
let cloud: SmallNeutron
let direct: DirectNeutron
let warned: string[]
beforeEach(() => {
  warned = []
  rig = new Rig({ coldMs: 30 })
  cloud = new SmallNeutron()
  direct = new DirectNeutron({
    ...{ node: 'node1', machine: 'm', readFile: () => '', warn: (sentence) => void warned.push(sentence) },
    session: { firstPause: 1, limits: { attempts: 2 } },
  })
})
afterEach(async () => {
  rig[Symbol.dispose]()
  direct[Symbol.dispose]()
  await cloud.stop()
})

function plugin(): NeutronIpamPlugin {
  const groups = { pods: { find: async () => undefined }, registry: rig.registry, namespace: () => undefined }
  const readFile = (): string => 'nameserver 10.0.0.9\n'
  return new NeutronIpamPlugin({
    ports: rig.neutron.ports,
    groups,
    direct,
    notes: new DirectNotes(rig.stateDir),
    readFile,
  })
}

const account = (): JsonObject => ({
  ...{ username: 'admin', password: PASSWORD, project: 'admin', domain: 'default' },
  authUrl: `${cloud.cloud.url}/v3`,
})

const refused = () => new Response('{"error":{"code":401,"title":"Unauthorized","message":"x"}}', { status: 401 })

function call(
  networks: readonly string[],
  ipam: JsonObject = {},
  rest: Partial<PluginCallInside> = {},
): PluginCallInside {
  return {
    ...{ containerId: 'c1', ifname: 'eth0', network: 'n', version: '1.0.0', plan: 'p', path: [], ordinal: 0 },
    config: {
      ...{ name: 'n', cniVersion: '1.0.0', type: 'ipvlan' },
      ipam: { type: 'ipam-neutron', neutronConf: { networks: [...networks] }, ...ipam },
    },
    origin: { kind: 'node' },
    args: parseArgs(''),
    netns: { fd: -1, path: '/run/netns/x' },
    ...rest,
  } as PluginCallInside
}

async function refusal(done: Promise<unknown>): Promise<CniError> {
  return (await done.then(
    () => new Error('it was done'),
    (error: unknown) => error,
  )) as CniError
}

const POOL = pool([port(1), port(2)], { networkId: NETWORK })

describe('out of the node’s ports', () => {
  test('an address of each family, routes and name servers as the configuration has them, and nobody is asked', async () => {
    await rig.prepare([POOL])
    await rig.start()
    const routes = [{ dst: '10.0.0.0/8', gw: '10.244.1.1' }]
    const asked = call([NETWORK], { openstackConf: account(), routes, resolvConf: '/etc/x' })
    const result = await plugin().add(asked, never)
    expect(result).toEqual({
      interfaces: [],
      ips: [
        { address: '10.244.1.11/24', gateway: '10.244.1.1' },
        { address: 'fd00:244::11/64', gateway: 'fd00:244::1' },
      ],
      routes,
      dns: { nameservers: ['10.0.0.9'], search: [], options: [] },
    })
    await plugin().check({ ...asked, prevResult: result })
    const { netns: _, ...without } = asked
    await plugin().del(without)
    await rig.told(({ resting }) => resting.length === 1)
    expect(cloud.heard).toEqual([])
  })

  test('every network that is named, and all or nothing', async () => {
    await rig.prepare([POOL, pool([port(3)], { network: 'more', networkId: OTHER })])
    await rig.start()
    expect((await plugin().add(call([NETWORK, OTHER]), never)).ips).toHaveLength(4)
    const second = call([NETWORK, OTHER], {}, { containerId: 'c2' })
    expect((await refusal(plugin().add(second, never))).id).toBe('neutron-ports-none')
    const use = await rig.told(({ resting }) => resting.length === 1)
    expect(use.leased.map(({ sandbox }) => sandbox)).toEqual(['c1', 'c1'])
  })

  test('a part of a trunk is refused with the plugin that can, and given back', async () => {
    await rig.prepare([pool([port(1, { vlan: 101 })], { networkId: NETWORK, mode: 'trunk' })])
    await rig.start()
    const refused = await refusal(plugin().add(call([NETWORK]), never))
    expect([refused.id, refused.remedy]).toEqual(['neutron-mode-unfit', expect.stringContaining('"type": "neutron"')])
    await rig.told(({ leased, resting }) => leased.length === 0 && resting.length === 1)
  })

  test('CHECK tells of an address that the container does not have', async () => {
    await rig.prepare([POOL])
    await rig.start()
    const result = await plugin().add(call([NETWORK]), never)
    const prevResult = { ...result, ips: result.ips.slice(0, 1) }
    const refused = await refusal(plugin().check({ ...call([NETWORK]), prevResult }))
    expect(refused.message).toContain('port-1 has address fd00:244::11/64')
  })

  test('an address that is asked for needs an account', async () => {
    await rig.prepare([POOL])
    await rig.start()
    const args = parseArgs('IgnoreUnknown=1;IP=203.0.113.7')
    expect((await refusal(plugin().add(call([NETWORK], {}, { args }), never))).id).toBe('neutron-mode-unfit')
    const result = await plugin().add(call([NETWORK], { openstackConf: account() }, { args }), never)
    expect(result.ips.map(({ address }) => address)).toEqual(['203.0.113.7/24'])
    await plugin().del(call([NETWORK], { openstackConf: account() }))
    expect(cloud.ports.size).toBe(0)
  })

  test('STATUS says what is missing, and nothing of networks that an account is for', async () => {
    await rig.start()
    const { config } = call([NETWORK])
    const status = { config, version: '1.0.0', path: [] } as const
    expect((await refusal(plugin().status(status))).id).toBe('status-not-ready')
    await plugin().status({ ...status, config: call([NETWORK], { openstackConf: account() }).config })
    await rig.prepare([POOL])
    await until(() => rig.neutron.ports.has(NETWORK))
    await until(async () => (await refusal(plugin().status(status))).message === 'it was done')
  })
})

describe('without ports of the node’s', () => {
  test('an account of the configuration’s own makes one, and DEL takes it back', async () => {
    await rig.start()
    const asked = call([NETWORK], { openstackConf: account() })
    const result = await plugin().add(asked, never)
    expect(result.ips.map(({ address }) => address)).toEqual(['203.0.113.2/24'])
    expect((await plugin().add(asked, never)).ips).toEqual(result.ips)
    await plugin().check({ ...asked, prevResult: result })
    expect(cloud.ports.size).toBe(1)
    // A pool that comes in between does not hide what was made before it.
    await rig.prepare([POOL])
    await until(() => rig.neutron.ports.has(NETWORK))
    await plugin().del(asked)
    expect(cloud.ports.size).toBe(0)
  })

  test('one network of each kind', async () => {
    await rig.prepare([pool([port(1)], { networkId: OTHER })])
    await rig.start()
    const asked = call([OTHER, NETWORK], { openstackConf: account() })
    expect((await plugin().add(asked, never)).ips.map(({ address }) => address)).toEqual([
      '10.244.1.11/24',
      'fd00:244::11/64',
      '203.0.113.2/24',
    ])
    await plugin().del(asked)
    expect(cloud.ports.size).toBe(0)
    await rig.told(({ resting }) => resting.length === 1)
  })

  test('no account: the pod waits for a port of the node’s, and is told why there is none', async () => {
    await rig.start()
    const refused = await refusal(plugin().add(call([NETWORK]), never))
    expect([refused.id, refused.code]).toEqual(['neutron-ports-none', 11])
    expect(refused.message).toContain('no NeutronNetwork of this name')
  })

  test('a failed ADD gives back what of it was leased', async () => {
    await rig.prepare([pool([port(1)], { networkId: OTHER })])
    await rig.start()
    cloud.trouble = (heard) =>
      heard === 'POST /ports' ? { kind: 'refused', answer: () => new Response('', { status: 403 }) } : undefined
    const asked = call([OTHER, NETWORK], { openstackConf: account() })
    expect((await refusal(plugin().add(asked, never))).message).not.toContain('it was done')
    await rig.told(({ leased, resting }) => leased.length === 0 && resting.length === 1)
    expect(cloud.ports.size).toBe(0)
  })
})

describe('DEL ends', () => {
  const wrong = (): JsonObject => ({ ...account(), password: 'rotated' })

  test('after an ADD whose account was wrong, and Neutron is not asked', async () => {
    await rig.start()
    const asked = call([NETWORK], { openstackConf: account() })
    cloud.keystone = refused
    const one = plugin()
    expect((await refusal(one.add(asked, never))).message).toContain('401')
    await one.del(asked)
    await one.del(asked)
    expect(warned).toEqual([])
    // An agent that was started anew does not know, and asks: once, and then it is told.
    await plugin().del(asked)
    expect(warned).toEqual([expect.stringContaining('openstack port list --device-id weft:c1/eth0')])
  })

  test('where an agent died before Neutron was asked for a port', async () => {
    await rig.start()
    new DirectNotes(rig.stateDir).open(call([NETWORK]), [NETWORK])
    await cloud.stop()
    await plugin().del(call([NETWORK], { openstackConf: wrong() }))
    expect(new DirectNotes(rig.stateDir).values()).toEqual([])
  })

  test('not while a port is there that an account is needed for, and by the one that is right at last', async () => {
    await rig.start()
    const asked = call([NETWORK], { openstackConf: account() })
    await plugin().add(asked, never)
    cloud.keystone = refused
    const next = plugin()
    const rotated = { ...call([NETWORK], { openstackConf: wrong() }) }
    expect((await refusal(next.del(rotated))).message).toContain('401')
    expect(cloud.ports.size).toBe(1)
    cloud.keystone = undefined
    await next.del(call([NETWORK], { openstackConf: { ...account(), region: 'RegionOne' } }))
    expect(cloud.ports.size).toBe(0)
  })

  test('with a notice where the configuration has no account any more that could be read', async () => {
    await rig.start()
    await plugin().add(call([NETWORK], { openstackConf: account() }), never)
    for (const ipam of [{ openstackConf: {} }, {}]) {
      const key = { containerId: 'c1', ifname: 'eth0', network: 'n' }
      new DirectNotes(rig.stateDir).put({ ...key, networks: [NETWORK], isBegun: true })
      await plugin().del(call([NETWORK], ipam))
    }
    expect(warned).toHaveLength(2)
    expect(warned.join()).not.toContain(PASSWORD)
  })

  test('not while nobody can say which account the definition has: its port is not forgotten', async () => {
    await rig.start()
    await plugin().add(call([NETWORK], { openstackConf: account() }), never)
    const accountsAway = cniError('definition-unreadable', { definition: 'shop/n', reason: 'refused' })
    const next = plugin()
    const gap = call([NETWORK], { openstackConf: {} }, { accountsAway })
    expect((await refusal(next.del(gap))).id).toBe('definition-unreadable')
    expect([warned, new DirectNotes(rig.stateDir).values().length]).toEqual([[], 1])
    // One that is known is used, whoever is away.
    await next.del(call([NETWORK], { openstackConf: account() }, { accountsAway }))
    expect(cloud.ports.size).toBe(0)
  })

  test('a second time without asking Neutron, where all came from the pool', async () => {
    await rig.prepare([POOL])
    await rig.start()
    const asked = call([NETWORK], { openstackConf: account() })
    const one = plugin()
    await one.add(asked, never)
    await one.del(asked)
    await one.del(asked)
    expect(cloud.heard).toEqual([])
    expect((await one.add(asked, never)).ips).toHaveLength(2)
  })
})

test('a cloud of clouds.yaml is read anew when its password was changed', async () => {
  const file = join(rig.stateDir, 'clouds.yaml')
  const write = (password: string): void => {
    const auth = { ...{ username: 'admin', project_name: 'admin', password }, auth_url: `${cloud.cloud.url}/v3` }
    const domains = { user_domain_name: 'Default', project_domain_name: 'Default' }
    writeFileSync(file, JSON.stringify({ clouds: { mine: { auth: { ...auth, ...domains } } } }))
  }
  const before = process.env['OS_CLIENT_CONFIG_FILE']
  process.env['OS_CLIENT_CONFIG_FILE'] = file
  try {
    await rig.start()
    write('old')
    cloud.keystone = refused
    const asked = call([NETWORK], { openstackConf: { cloud: 'mine' } })
    expect(toCniError(await refusal(plugin().add(asked, never))).id).toBe('openstack-unauthorized')
    write('new')
    cloud.keystone = undefined
    expect((await plugin().add(asked, never)).ips).toHaveLength(1)
  } finally {
    if (before === undefined) delete process.env['OS_CLIENT_CONFIG_FILE']
    else process.env['OS_CLIENT_CONFIG_FILE'] = before
  }
})

test('CHECK is by where the ports came from, not by the pools of today', async () => {
  await rig.start()
  const asked = call([NETWORK], { openstackConf: account() })
  const prevResult = await plugin().add(asked, never)
  await rig.prepare([POOL])
  await until(() => rig.neutron.ports.has(NETWORK))
  await plugin().check({ ...asked, prevResult })
  expect((await plugin().add(asked, never)).ips).toEqual(prevResult.ips)
  expect(cloud.ports.size).toBe(1)
})

test('CHECK of a port of the pool asks nobody once the pool is gone, and tells of it', async () => {
  await rig.prepare([POOL])
  await rig.start()
  const asked = call([NETWORK], { openstackConf: account() })
  const prevResult = await plugin().add(asked, never)
  await rig.prepare([])
  await until(() => !rig.neutron.ports.has(NETWORK))
  expect((await refusal(plugin().check({ ...asked, prevResult }))).id).toBe('check-failed')
  expect(cloud.heard).toEqual([])
})

test('a second address that CNI 0.2.0 would drop from the pool is refused, and given back', async () => {
  await rig.prepare([POOL, pool([port(3)], { network: 'more', networkId: OTHER })])
  await rig.start()
  const old = { version: '0.2.0' } as const
  expect((await refusal(plugin().add(call([NETWORK, OTHER], {}, old), never))).id).toBe('result-too-small')
  await rig.told(({ leased, resting }) => leased.length === 0 && resting.length === 2)
  expect((await plugin().add(call([NETWORK], {}, { ...old, containerId: 'c2' }), never)).ips).toHaveLength(2)
})

describe('securityGroups of the configuration', () => {
  const grouped = (...securityGroups: string[]): PluginCallInside =>
    call([NETWORK], { neutronConf: { networks: [NETWORK], securityGroups } })

  test('are asked of the pool', async () => {
    await rig.prepare([pool([port(1), port(2, { groups: ['db', 'web'] })], { networkId: NETWORK })])
    await rig.start()
    await plugin().add(grouped('web', 'db', 'web'), never)
    const use = await rig.told(({ leased }) => leased.length === 1)
    expect(use.leased.map(({ id }) => id)).toEqual(['port-2'])
  })

  test('are refused where a pool has none of its own for a pod, and where there are none', async () => {
    await rig.prepare([pool([port(1)], { networkId: NETWORK, mode: 'fixed' })])
    await rig.start()
    expect((await refusal(plugin().add(grouped('web'), never))).id).toBe('neutron-mode-unfit')
    expect((await refusal(plugin().add(grouped(), never))).id).toBe('neutron-mode-unfit')
  })

  test('of more than a wish can name are refused: no other pod’s wish would be heard beside it', async () => {
    await rig.prepare([POOL])
    await rig.start()
    const many = Array.from({ length: 65 }, (_, i) => `group-${i}`)
    const refused = await refusal(plugin().add(grouped(...many), never))
    expect([refused.id, refused.message]).toEqual(['neutron-mode-unfit', expect.stringContaining('65')])
  })
})
