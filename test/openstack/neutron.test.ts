/**
 * The client against a real Keystone and a real Neutron, once with each driver. Some minutes: `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { addressChange, newAddresses, pairChange } from '../../src/openstack/neutron/lists.ts'
import type { PortSpec } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { changePort } from '../../src/openstack/neutron/on-revision.ts'
import { Secret } from '../../src/openstack/secret.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { NeutronProxy } from './cloud/proxy.ts'

setDefaultTimeout(300_000)

const DRIVERS = ['ovs', 'ovn'] as const
const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0

let cloud: Cloud
let running: Cloud | undefined

beforeAll(async () => {
  if (!wanted) return
  running = await Cloud.start(DRIVERS)
  cloud = running
}, 600_000)
afterAll(() => running?.stop(), 60_000)

describe.skipIf(!wanted).each(DRIVERS)('Neutron with %s (npm run test:openstack)', (driver) => {
  let neutron: Neutron
  let networkId: string
  let subnetId: string

  beforeAll(async () => {
    neutron = cloud.client(driver, 'cni')
    networkId = (await neutron.networks.create({ name: 'pods' })).id
    const subnet = { networkId, name: 'pods', cidr: '10.244.1.0/24', hasDhcp: false }
    subnetId = (await neutron.subnets.create(subnet)).id
  })

  // The cloud may be one that others use, too.
  afterAll(() => neutron.networks.delete(networkId))

  const spec = (name: string, more: Partial<PortSpec> = {}): PortSpec => ({
    networkId,
    name,
    tags: ['weft', `n=${name.replaceAll(' ', '-')}`],
    ...more,
  })

  test('has the extensions that pods need', async () => {
    const extensions = await neutron.extensions()
    const needed = [
      'trunk',
      'allowed-address-pairs',
      'port-security',
      'revision-if-match',
      'standard-attr-tag',
      'quota_details',
    ]
    expect(needed.filter((alias) => !extensions.has(alias))).toEqual([])
    // OVN's driver has a list of its own of what it tells of. Tags come with new ports all the same: see below.
    expect(extensions.has('tag-ports-during-bulk-creation')).toBe(driver === 'ovs')
  })

  test('networks and subnets read as they were made', async () => {
    const network = await neutron.networks.get(networkId)
    expect(network).toEqual(expect.objectContaining({ name: 'pods', subnets: [subnetId], hasPortSecurity: true }))
    expect(network.projectId).toBe((await neutron.projectId()) ?? '')
    expect(network.mtu).toBeGreaterThan(1400)
    const [subnet] = await neutron.subnets.list({ networkId })
    expect(subnet).toEqual(
      expect.objectContaining({ cidr: '10.244.1.0/24', family: 4, gateway: '10.244.1.1', hasDhcp: false }),
    )
  })

  test('ports come one by one and many at once, are found by tag, page by page, and go', async () => {
    const { ports } = neutron
    const one = await ports.create(spec('one', { deviceId: 'weft:sandbox/eth0', deviceOwner: 'compute:weft' }))
    expect(one.tags.toSorted()).toEqual(['n=one', 'weft'])
    expect(one.fixedIps).toHaveLength(1)
    const many = await ports.createMany(Array.from({ length: 24 }, (_, i) => spec(`many-${i}`)))
    expect(many.map(({ name }) => name)).toEqual(Array.from({ length: 24 }, (_, i) => `many-${i}`))
    expect(await ports.list({ tags: ['weft'], networkId })).toHaveLength(25)
    expect((await ports.list({ deviceId: 'weft:sandbox/eth0' })).map(({ id }) => id)).toEqual([one.id])
    const [address] = one.fixedIps
    expect(await ports.list({ address: address?.address ?? '', subnetId })).toHaveLength(1)
    expect(await ports.list({ mac: one.mac })).toHaveLength(1)
    expect(await ports.list({ tags: ['weft', 'n=one'] })).toHaveLength(1)
    const gone = await Promise.all([one, ...many].map(({ id }) => ports.delete(id)))
    expect(gone).toEqual(gone.map(() => true))
    expect(await ports.delete(one.id)).toBe(false)
    expect(await ports.list({ tags: ['weft'], networkId })).toEqual([])
  })

  test('of many at once all or none are made', async () => {
    const bad = spec('bad', { fixedIps: [{ subnetId, address: '192.0.2.1' }] })
    expect(await codeOf(neutron.ports.createMany([spec('good'), bad]))).toBe('OPENSTACK_INVALID InvalidIpForSubnet')
    expect(await neutron.ports.list({ tags: ['weft'], networkId })).toEqual([])
  })

  test('tags are changed', async () => {
    const { id } = await neutron.ports.create(spec('tags'))
    await neutron.tags.replace('ports', id, ['a', 'b=c'])
    await neutron.tags.add('ports', id, 'weft-node=node-1.example')
    expect((await neutron.ports.get(id)).tags.toSorted()).toEqual(['a', 'b=c', 'weft-node=node-1.example'])
    expect(await neutron.tags.remove('ports', id, 'a')).toBe(true)
    expect(await neutron.tags.remove('ports', id, 'a')).toBe(false)
    await neutron.tags.add('ports', id, 'x'.repeat(60))
    await neutron.ports.delete(id)
  })

  test('the lists of a port that others change too', async () => {
    const { ports } = neutron
    const { id, revision } = await ports.create(spec('machine'))
    await ports.update(id, { description: 'somebody else' })
    expect(await codeOf(ports.update(id, { name: 'late' }, revision))).toBe(
      'OPENSTACK_REVISION RevisionNumberConstraintFailed',
    )
    const addresses = Array.from({ length: 6 }, (_, i) => `10.9.0.${i + 1}`)
    await Promise.all(
      addresses.map((address) => changePort(ports, id, (port) => pairChange(port, { add: [{ address }], remove: [] }))),
    )
    const after = await ports.get(id)
    expect(after.addressPairs.map(({ address }) => address).toSorted()).toEqual(addresses)
    expect(pairChange(after, { add: addresses.map((address) => ({ address })), remove: [] })).toBeUndefined()
    const many = Array.from({ length: 11 }, (_, i) => ({ address: `10.9.1.${i}` }))
    expect(await codeOf(ports.update(id, { addressPairs: many }))).toBe(
      'OPENSTACK_EXHAUSTED AllowedAddressPairExhausted',
    )
    const own = after.fixedIps.map(({ address }) => address)
    const add = Array.from({ length: 3 }, () => ({ subnetId }))
    const more = await changePort(ports, id, (port) => addressChange(port, { add, remove: [], own }))
    const fresh = newAddresses(after, more)
    expect(fresh).toHaveLength(3)
    expect(
      (
        await changePort(ports, id, (port) =>
          addressChange(port, { add: [], remove: fresh.map(({ address }) => address), own }),
        )
      ).fixedIps,
    ).toEqual(after.fixedIps)
    await ports.delete(id)
  })

  test('trunks carry ports by VLAN', async () => {
    const { ports, trunks } = neutron
    const [parent, a, b] = await ports.createMany(['parent', 'a', 'b'].map((name) => spec(name)))
    if (parent === undefined || a === undefined || b === undefined) throw new Error('too few ports')
    expect(await trunks.ofPort(parent.id)).toBeUndefined()
    const { id } = await trunks.create(parent.id, 'node1')
    await trunks.addSubports(id, [{ portId: a.id, vlan: 101 }])
    expect(await codeOf(trunks.addSubports(id, [{ portId: b.id, vlan: 101 }]))).toBe(
      'OPENSTACK_CONFLICT DuplicateSubPort',
    )
    expect(await codeOf(trunks.create(parent.id, 'again'))).toBe('OPENSTACK_IN_USE ParentPortInUse')
    expect(await codeOf(ports.delete(a.id))).toBe('OPENSTACK_IN_USE PortInUseAsSubPort')
    const found = await trunks.ofPort(parent.id)
    expect(found?.subports).toEqual([{ portId: a.id, segmentation: 'vlan', vlan: 101 }])
    expect(await trunks.subports(id)).toEqual(found?.subports ?? [])
    expect((await ports.get(parent.id)).trunk?.id).toBe(id)
    if (driver === 'ovn') {
      expect(await cloud.ovn.nbctl('lsp-get-parent', a.id)).toBe(parent.id)
      expect(await cloud.ovn.nbctl('lsp-get-tag', a.id)).toBe('101')
    }
    expect(await codeOf(trunks.removeSubports(id, [b.id]))).toBe('OPENSTACK_NOT_FOUND SubPortNotFound')
    await trunks.removeSubports(id, [a.id])
    expect(await trunks.delete(id)).toBe(true)
    for (const port of [parent, a, b]) await ports.delete(port.id)
  })

  test('security groups, and the same rule twice', async () => {
    const { securityGroups, ports } = neutron
    const { id } = await securityGroups.create('pods')
    const rule = { direction: 'ingress', family: 4, protocol: 'tcp', ports: { first: 80, last: 80 } } as const
    const ruleId = await securityGroups.allow(id, rule)
    expect(await securityGroups.allow(id, rule)).toBe(ruleId)
    const port = await ports.create(spec('grouped', { securityGroups: [id] }))
    expect(port.securityGroups).toEqual([id])
    expect(await codeOf(securityGroups.delete(id))).toBe('OPENSTACK_IN_USE SecurityGroupInUse')
    await ports.delete(port.id)
    expect(await securityGroups.forbid(ruleId)).toBe(true)
    expect(await securityGroups.delete(id)).toBe(true)
    expect((await securityGroups.list({ name: 'default' })).length).toBeGreaterThan(0)
  })

  test('routers lead to subnets', async () => {
    const { routers, ports } = neutron
    const { id } = await routers.create('k8s')
    const portId = await routers.attachSubnet(id, subnetId)
    expect((await ports.get(portId)).fixedIps).toEqual([{ subnetId, address: '10.244.1.1' }])
    expect(await codeOf(ports.delete(portId))).toBe('OPENSTACK_IN_USE ServicePortInUse')
    expect(await codeOf(routers.delete(id))).toBe('OPENSTACK_IN_USE RouterInUse')
    const routes = [{ destination: '10.250.0.0/24', nexthop: '10.244.1.9' }]
    expect((await routers.setRoutes(id, routes)).routes).toEqual(routes)
    await routers.setRoutes(id, [])
    await routers.detachSubnet(id, subnetId)
    expect(await routers.delete(id)).toBe(true)
  })

  test('a quota that is used up is named, and asked about before', async () => {
    const project = (await neutron.projectId()) ?? ''
    const admin = cloud.client(driver, 'admin')
    const { used } = (await neutron.quotas.get(project)).get('port') ?? { used: 0 }
    await admin.quotas.set(project, { port: used + 1 })
    const { id } = await neutron.ports.create(spec('last'))
    const error = await failure(neutron.ports.create(spec('one too many')))
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_QUOTA', type: 'OverQuota' }))
    expect(error.message).toContain("the project's quota is used up for port")
    expect((await neutron.quotas.get(project)).get('port')).toEqual({ limit: used + 1, used: used + 1, reserved: 0 })
    await admin.quotas.set(project, { port: -1 })
    await neutron.ports.delete(id)
  })

  test.each<[string, (make: { networkId: string; subnetId: string; taken: string; mac: string }) => PortSpec, string]>([
    [
      'an address that is taken',
      ({ networkId, subnetId, taken }) => ({ networkId, name: 'x', fixedIps: [{ subnetId, address: taken }] }),
      'OPENSTACK_CONFLICT IpAddressAlreadyAllocated',
    ],
    [
      'a MAC that is taken',
      ({ networkId, mac }) => ({ networkId, name: 'x', mac }),
      'OPENSTACK_CONFLICT MacAddressInUse',
    ],
    [
      'a network that is not there',
      () => ({ networkId: '00000000-0000-4000-8000-000000000000', name: 'x' }),
      'OPENSTACK_NOT_FOUND NetworkNotFound',
    ],
    [
      'a subnet that is not there',
      ({ networkId }) => ({ networkId, name: 'x', fixedIps: [{ subnetId: '00000000-0000-4000-8000-000000000000' }] }),
      'OPENSTACK_NOT_FOUND SubnetNotFound',
    ],
    [
      'a group that is not there',
      ({ networkId }) => ({ networkId, name: 'x', securityGroups: ['00000000-0000-4000-8000-000000000000'] }),
      'OPENSTACK_NOT_FOUND SecurityGroupNotFound',
    ],
    [
      'address pairs without port security',
      ({ networkId }) => ({
        networkId,
        name: 'x',
        hasPortSecurity: false,
        securityGroups: [],
        addressPairs: [{ address: '10.0.0.1' }],
      }),
      'OPENSTACK_CONFLICT AddressPairAndPortSecurityRequired',
    ],
    [
      'a host, by a member',
      ({ networkId }) => ({ networkId, name: 'x', hostId: 'h' }),
      'OPENSTACK_FORBIDDEN PolicyNotAuthorized',
    ],
  ])('refused: %s', async (_, make, code) => {
    const { id, mac, fixedIps } = await neutron.ports.create(spec('holder'))
    const taken = fixedIps[0]?.address ?? ''
    expect(await codeOf(neutron.ports.create(make({ networkId, subnetId, taken, mac })))).toBe(code)
    await neutron.ports.delete(id)
  })

  test('a subnet that is full, and objects that are in use', async () => {
    const network = await neutron.networks.create({ name: 'small' })
    const subnet = await neutron.subnets.create({
      networkId: network.id,
      name: 's',
      cidr: '10.7.0.0/30',
      hasDhcp: false,
    })
    const { id } = await neutron.ports.create({ networkId: network.id, name: 'only' })
    const error = await failure(neutron.ports.create({ networkId: network.id, name: 'no more' }))
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_EXHAUSTED', type: 'IpAddressGenerationFailure' }))
    expect(error.message).toStartWith(
      `Neutron did not create port no more on network ${network.id}: no address is free`,
    )
    expect(error.requestId).toStartWith('req-')
    expect(await codeOf(neutron.subnets.delete(subnet.id))).toBe('OPENSTACK_IN_USE SubnetInUse')
    expect(await codeOf(neutron.networks.delete(network.id))).toBe('OPENSTACK_IN_USE NetworkInUse')
    await neutron.ports.delete(id)
    expect(await neutron.networks.delete(network.id)).toBe(true)
  })

  test('a token that is revoked in mid-flight is replaced once, and nothing is done twice', async () => {
    const proxy = await NeutronProxy.start(cloud.neutronUrl(driver))
    const client = cloud.client(driver, 'cni', { networkEndpoint: proxy.address })
    await client.networks.get(networkId)
    const [{ token } = { token: '' }] = proxy.heard.splice(0)
    await cloud.identity.revoke(token)
    await refused(`${cloud.neutronUrl(driver)}/v2.0/networks/${networkId}`, token)
    const { id } = await client.ports.create(spec('once'))
    expect(proxy.heard.map(({ method }) => method)).toEqual(['POST', 'POST'])
    expect(new Set(proxy.heard.map((heard) => heard.token)).size).toBe(2)
    expect(await neutron.ports.list({ tags: ['n=once'] })).toHaveLength(1)
    await neutron.ports.delete(id)
    await proxy.stop()
  })

  test('an answer that is lost leaves open whether the port is there, and it is', async () => {
    const proxy = await NeutronProxy.start(cloud.neutronUrl(driver))
    proxy.mishap = ({ method }) => (method === 'POST' ? { kind: 'lost', status: 503 } : undefined)
    const client = cloud.client(driver, 'cni', { networkEndpoint: proxy.address })
    expect(await failure(client.ports.create(spec('lost')))).toEqual(expect.objectContaining({ isUncertain: true }))
    const found = await client.ports.list({ tags: ['n=lost'] })
    expect(found).toHaveLength(1)
    for (const { id } of found) await client.ports.delete(id)
    await proxy.stop()
  })
})

describe.skipIf(!wanted)('Keystone (npm run test:openstack)', () => {
  test('a wrong password, project or domain', async () => {
    const password = new Secret('wrong-zebra')
    const { identity } = cloud.config('ovs', 'cni')
    if (identity.kind !== 'password') throw new Error('another identity')
    const wrong = cloud.client('ovs', 'cni', { identity: { ...identity, password } })
    const error = await failure(wrong.extensions())
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_UNAUTHORIZED', service: 'Keystone', status: 401 }))
    expect(Bun.inspect(error)).not.toContain('zebra')
    const elsewhere = cloud.client('ovs', 'cni', { scope: { kind: 'project', id: 'nobodys' } })
    expect(await codeOf(elsewhere.extensions())).toStartWith('OPENSTACK_UNAUTHORIZED')
  })

  test.each([
    {
      kind: 'application-credential',
      id: '423f19a4ac1e4f48bbb4180756e6eb6c',
      secret: new Secret('wrong-zebra'),
    } as const,
    { kind: 'token', token: new Secret('gAAAAABwrong-zebra') } as const,
  ])('$kind that is not there is no wrong auth URL, though Keystone says 404', async (identity) => {
    const scope = identity.kind === 'token' ? cloud.config('ovs', 'cni').scope : ({ kind: 'own' } as const)
    const error = await failure(cloud.client('ovs', 'cni', { identity, scope }).extensions())
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_UNAUTHORIZED', service: 'Keystone', status: 404 }))
    expect(Bun.inspect(error)).not.toContain('zebra')
  })

  test('a region and a project that are not there are told with what is', async () => {
    const error = await failure(cloud.client('ovs', 'cni', { region: 'OVS' }).extensions())
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_CONFIG' }))
    expect(error.remedy).toMatch(/ovs, ovn|ovn, ovs/)
  })

  test('the address without v3 behind it', async () => {
    const client = cloud.client('ovs', 'cni', { authUrl: cloud.authUrl.replace(/\/v3$/, '') })
    expect(await codeOf(client.extensions())).toStartWith('OPENSTACK_CONFIG')
  })

  test('an application credential, by ID and by name, and a token for a token', async () => {
    const made = await cloud.applicationCredential('cni', 'weft')
    const { identity } = cloud.config('ovs', 'cni')
    if (identity.kind !== 'password') throw new Error('another identity')
    const secret = new Secret(made.secret)
    const kind = 'application-credential'
    const scope = { kind: 'own' } as const
    const project = await cloud.client('ovs', 'cni').projectId()
    for (const change of [
      { identity: { kind, id: made.id, secret }, scope } as const,
      { identity: { kind, name: 'weft', user: identity.user, secret }, scope } as const,
    ]) {
      const client = cloud.client('ovs', 'cni', change)
      expect(await client.projectId()).toBe(project ?? '')
      expect(await client.networks.list({})).toBeArray()
    }
    const token = await cloud.identity.tokenOf('cni', 'k8s')
    const byToken = cloud.client('ovs', 'cni', { identity: { kind: 'token', token: new Secret(token) } })
    expect(await byToken.projectId()).toBe(project ?? '')
  })
})

/** Waits until Neutron has heard that a token is worth nothing. */
async function refused(url: string, token: string): Promise<void> {
  while ((await fetch(url, { headers: { 'x-auth-token': token }, keepalive: false })).status !== 401)
    await Bun.sleep(200)
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (error: { readonly code?: string; readonly type?: string; readonly message?: string }) =>
      `${error.code ?? error.message} ${error.type ?? ''}`.trim(),
  )
}

async function failure(
  call: Promise<unknown>,
): Promise<Error & { readonly remedy: string; readonly requestId?: string }> {
  return call.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: Error & { readonly remedy: string }) => error,
  )
}
