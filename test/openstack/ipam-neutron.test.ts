/**
 * `ipam-neutron` without an agent against a real Keystone and a real Neutron, once with each driver: seed 002's two commands
 * as typed, and all that the old plugin left open. `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CNI_VERSIONS } from '../../src/cni/index.ts'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { run } from '../lab/command.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { NeutronProxy } from './cloud/proxy.ts'
import { environmentOf, type IpamCall, IpamCaller, netconfOf } from './ipam/caller.ts'

setDefaultTimeout(300_000)

const DRIVERS = ['ovs', 'ovn'] as const
const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0
const DIST = join(import.meta.dir, '../../dist')
/** As a runtime makes them. */
const ID = new Bun.CryptoHasher('sha256').update(`${process.pid} ${Date.now()}`).digest('hex')

let cloud: Cloud
let running: Cloud | undefined
let folder: string

beforeAll(async () => {
  if (!wanted) return
  running = await Cloud.start(DRIVERS)
  cloud = running
  folder = mkdtempSync(join(tmpdir(), 'wefttest-ipam-neutron-'))
  symlinkSync(join(DIST, 'weft'), join(folder, 'cni-ipam-neutron'))
  copyFileSync(join(DIST, 'weft-cni'), join(folder, 'ipam-neutron'))
}, 600_000)
afterAll(async () => {
  await running?.stop()
  if (wanted) rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe.skipIf(!wanted).each(DRIVERS)('Neutron with %s (npm run test:openstack)', (driver) => {
  let neutron: Neutron
  let ipam: IpamCaller
  let one: string
  let dual: string
  let subnetId: string

  beforeAll(async () => {
    neutron = cloud.client(driver, 'cni')
    ipam = new IpamCaller(cloud, driver)
    one = (await neutron.networks.create({ name: 'ipam-one' })).id
    dual = (await neutron.networks.create({ name: 'ipam-dual' })).id
    const subnets = { name: 'ipam', hasDhcp: false }
    subnetId = (await neutron.subnets.create({ ...subnets, networkId: one, cidr: '203.0.113.0/24' })).id
    await neutron.subnets.create({ ...subnets, networkId: dual, cidr: '198.51.100.0/24', gateway: null })
    await neutron.subnets.create({ ...subnets, networkId: dual, cidr: '2001:db8:7::/64', gateway: '2001:db8:7::1' })
  })
  afterAll(async () => {
    for (const networkId of [one, dual]) {
      for (const { id } of await neutron.ports.list({ networkId })) await neutron.ports.delete(id)
      await neutron.networks.delete(networkId)
    }
  })

  const all = async (): Promise<readonly Port[]> => [
    ...(await neutron.ports.list({ networkId: one, tags: ['weft'] })),
    ...(await neutron.ports.list({ networkId: dual, tags: ['weft'] })),
  ]
  const environment = () => ({ PATH: process.env['PATH'] ?? '', ...cloud.variables(driver, 'cni') })
  const openstack = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(['openstack', ...words], { env: environment(), timeout: 120_000 })
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  const typed = (verb: string, call: IpamCall, program: string, more: Record<string, string> = {}) =>
    run(['/bin/sh', '-c', `cd ${folder} && echo "$NETCONF" | ${program}`], {
      env: { ...more, ...environmentOf(verb, call), NETCONF: netconfOf(cloud, driver, call) },
      timeout: 120_000,
    })

  test('the two commands of the document, as typed', async () => {
    const call = { networks: [one] }
    const added = await typed('ADD', call, './cni-ipam-neutron')
    const list = await openstack(
      'port',
      'list',
      '--network',
      one,
      '--long',
      '-c',
      'Name',
      '-c',
      'Fixed IP Addresses',
      '-c',
      'Device Owner',
      '-c',
      'Tags',
    )
    const removed = await typed('DEL', call, './cni-ipam-neutron')
    if (process.env['WEFT_TEST_SHOW'] !== undefined) console.log(`${added.stdout}${list}${removed.stdout}`)
    expect(added.code).toBe(0)
    const { ips, dns } = JSON.parse(added.stdout)
    expect({ ips, dns }).toEqual({
      ips: [{ version: '4', address: expect.stringMatching(/^203\.0\.113\.\d+\/24$/), gateway: '203.0.113.1' }],
      dns: {},
    })
    expect(list).toContain('weft/example/dummy0')
    expect(list).toContain(ips[0].address.replace('/24', ''))
    expect(list).toContain('compute:weft')
    expect(removed).toEqual(expect.objectContaining({ code: 0, stdout: '' }))
    expect(await all()).toEqual([])
  })

  test('the plugin for runtimes does the same where no agent runs', async () => {
    const call = { networks: [one], containerId: `${ID}1` }
    const more = { WEFT_PROGRAM: join(DIST, 'weft'), WEFT_CNI_SOCKET: join(folder, 'no.sock') }
    const added = await typed('ADD', call, './ipam-neutron', more)
    expect(JSON.parse(added.stdout).ips).toHaveLength(1)
    expect(await all()).toHaveLength(1)
    expect((await typed('DEL', call, './ipam-neutron', more)).code).toBe(0)
    expect(await all()).toEqual([])
  })

  test('every version', async () => {
    const calls = CNI_VERSIONS.map((version) => ({ networks: [one], version, containerId: `of-${version}` }))
    const added = await Promise.all(calls.map((call) => ipam.call('ADD', call)))
    expect(added.map(({ answer }) => answer.cniVersion)).toEqual([...CNI_VERSIONS])
    const addresses = added.map(({ answer }) => answer.ip4?.ip ?? answer.ips[0].address)
    expect(new Set(addresses).size).toBe(CNI_VERSIONS.length)
    for (const address of addresses) expect(address).toMatch(/^203\.0\.113\.\d+\/24$/)
    await Promise.all(calls.map((call) => ipam.call('DEL', call)))
    expect(await all()).toEqual([])
  })

  test('two networks and both families; again the same; DEL twice', async () => {
    const call = {
      networks: [dual, one],
      version: '1.0.0',
      containerId: ID,
      args: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web',
    }
    const added = await ipam.call('ADD', call)
    expect(added.answer.ips).toEqual([
      { address: expect.stringMatching(/^198\.51\.100\.\d+\/24$/) },
      { address: expect.stringMatching(/^2001:db8:7::[0-9a-f:]+\/64$/), gateway: '2001:db8:7::1' },
      { address: expect.stringMatching(/^203\.0\.113\.\d+\/24$/), gateway: '203.0.113.1' },
    ])
    expect((await ipam.call('ADD', call)).output).toBe(added.output)
    const ports = await all()
    expect(ports.map(({ name, deviceId, deviceOwner }) => [name, deviceId, deviceOwner])).toEqual(
      ports.map(() => ['weft/shop/web/dummy0', `weft:${ID}/dummy0`, 'compute:weft']),
    )
    expect(ports).toHaveLength(2)
    const prevResult = added.answer
    expect((await ipam.call('CHECK', { ...call, more: { prevResult } })).status).toBe(0)
    for (const _ of ['once', 'twice']) expect((await ipam.call('DEL', call)).status).toBe(0)
    expect((await ipam.call('CHECK', { ...call, more: { prevResult } })).answer.code).toBe(120)
    expect(await all()).toEqual([])
  })

  test('an address that is asked for, and one that is taken, foreign or none', async () => {
    const asked = (args: string, containerId = ID): IpamCall => ({
      networks: [dual, one],
      args,
      containerId,
      version: '1.0.0',
    })
    const { answer } = await ipam.call('ADD', asked('IP=203.0.113.77'))
    expect(answer.ips.map(({ address }: { address: string }) => address)).toContain('203.0.113.77/24')
    const taken = await ipam.call('ADD', asked('IP=203.0.113.77', `${ID.slice(1)}0`))
    expect([taken.answer.code, taken.answer.msg]).toEqual([
      175,
      expect.stringContaining(`203.0.113.77 on network ${one}`),
    ])
    expect((await ipam.call('ADD', asked('IP=192.0.2.1', `${ID.slice(1)}0`))).answer.code).toBe(179)
    expect(await all()).toHaveLength(2)
    await ipam.call('DEL', asked(''))
  })

  test('security groups by name and ID', async () => {
    const { id } = await neutron.securityGroups.create(`ipam-${driver}`)
    const call = { networks: [one], neutronConf: { securityGroups: [`ipam-${driver}`] } }
    expect((await ipam.call('ADD', call)).status).toBe(0)
    expect((await all())[0]?.securityGroups).toEqual([id])
    await ipam.call('DEL', call)
    expect((await ipam.call('ADD', { networks: [one], neutronConf: { securityGroups: ['no'] } })).answer.code).toBe(172)
    await neutron.securityGroups.delete(id)
  })

  test('an application credential in place of a password', async () => {
    const { id, secret } = await cloud.applicationCredential('cni', `ipam-${driver}-${process.pid}`)
    const account = { password: '', applicationCredentialId: id, applicationCredentialSecret: secret }
    expect((await ipam.call('ADD', { networks: [one], account })).status).toBe(0)
    expect((await ipam.call('DEL', { networks: [one], account })).status).toBe(0)
  })

  test('GC takes what is nobody’s of this machine, and nothing else', async () => {
    const call = (containerId: string): IpamCall => ({ networks: [one], version: '1.1.0', containerId })
    await Promise.all(['a', 'b', 'c'].map((id) => ipam.call('ADD', call(id))))
    await ipam.call('ADD', call('d'), { node: 'node2.example' })
    const foreign = await neutron.ports.create({ networkId: one, name: 'a', deviceId: 'weft:e/dummy0', tags: ['weft'] })
    const more = { 'cni.dev/valid-attachments': [{ containerID: 'b', ifname: 'dummy0' }] }
    expect((await ipam.call('GC', { ...call(''), more })).status).toBe(0)
    expect((await all()).map(({ deviceId }) => deviceId).toSorted()).toEqual([
      'weft:b/dummy0',
      'weft:d/dummy0',
      'weft:e/dummy0',
    ])
    expect((await ipam.call('STATUS', call(''))).status).toBe(0)
    for (const id of ['b', 'd']) await ipam.call('DEL', call(id))
    expect((await all()).map(({ id }) => id)).toEqual([foreign.id])
    await neutron.ports.delete(foreign.id)
  })

  test('of doubles the one with the lower ID stays; ports of the old plugin go with their container', async () => {
    const call = { networks: [one], containerId: ID }
    await ipam.call('ADD', call)
    const [first] = await all()
    const { deviceId = '', tags = [], name = '' } = first ?? {}
    const second = await neutron.ports.create({ networkId: one, name, deviceId, tags })
    expect((await ipam.call('ADD', call)).status).toBe(0)
    const [lower] = [first?.id ?? '', second.id].toSorted()
    expect((await all()).map(({ id }) => id)).toEqual([lower ?? ''])
    await ipam.call('DEL', call)
    const old = await neutron.ports.create({ networkId: one, name: ID })
    await ipam.call('DEL', call)
    expect((await neutron.ports.list({ networkId: one })).filter(({ id }) => id === old.id)).toEqual([])
  })

  test('a quota, a network without subnets, one that is gone, a full one: named, and no port is left', async () => {
    const admin = cloud.client(driver, 'admin')
    const small = (await neutron.networks.create({ name: 'ipam-small' })).id
    const bare = await ipam.call('ADD', { networks: [small] })
    expect([bare.answer.code, bare.answer.msg]).toEqual([178, expect.stringContaining(small)])
    await neutron.subnets.create({ networkId: small, name: 's', cidr: '10.7.0.0/30', hasDhcp: false })
    expect((await ipam.call('ADD', { networks: [small], containerId: 'first' })).status).toBe(0)
    const full = await ipam.call('ADD', { networks: [one, small], containerId: 'second' })
    expect([full.answer.code, full.answer.msg]).toEqual([174, expect.stringContaining(small)])
    expect(await all()).toEqual([])
    await ipam.call('DEL', { networks: [small], containerId: 'first' })
    await neutron.networks.delete(small)
    expect((await ipam.call('ADD', { networks: [small] })).answer.code).toBe(172)
    // A quota of a project that others use too is left alone.
    if (cloud.isBorrowed) return
    const project = (await neutron.projectId()) ?? ''
    const { used } = (await neutron.quotas.get(project)).get('port') ?? { used: 0 }
    await admin.quotas.set(project, { port: used + 1 })
    expect((await ipam.call('STATUS', { networks: [one, dual], version: '1.1.0' })).answer.code).toBe(50)
    const refused = await ipam.call('ADD', { networks: [one, dual] })
    expect([refused.answer.code, refused.answer.msg]).toEqual([173, expect.stringContaining('used up for port')])
    expect(await all()).toEqual([])
    await admin.quotas.set(project, { port: -1 })
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'a program that is ended by %s in the middle leaves nothing for good',
    async (signal) => {
      const proxy = await NeutronProxy.start(cloud.neutronUrl(driver))
      const asked = Promise.withResolvers<void>()
      proxy.mishap = ({ method }) => {
        if (method !== 'POST') return undefined
        asked.resolve()
        return { kind: 'late', by: 1_000 }
      }
      const call = { networks: [one], account: { networkEndpoint: proxy.address }, containerId: ID }
      const child = Bun.spawn([join(folder, 'cni-ipam-neutron')], {
        env: environmentOf('ADD', call),
        stdin: new TextEncoder().encode(netconfOf(cloud, driver, call)),
        stdout: 'pipe',
      })
      await asked.promise
      child.kill(signal)
      await child.exited
      // Neutron makes the port all the same.
      while (signal === 'SIGKILL' && (await all()).length === 0) await Bun.sleep(100)
      expect((await typed('DEL', { networks: [one], containerId: ID }, './cni-ipam-neutron')).code).toBe(0)
      expect(await all()).toEqual([])
      await proxy.stop()
    },
  )

  test('what is on the network of the subnet is what the result says', async () => {
    const { answer } = await ipam.call('ADD', { networks: [one] })
    const [port] = await all()
    expect(port?.fixedIps).toEqual([{ subnetId, address: answer.ips[0].address.replace('/24', '') }])
    await ipam.call('DEL', { networks: [one] })
  })
})
