/**
 * `weft audit` as a process, at a real Neutron and a real northbound database: what is left over, doubled or gone is told, and what is
 * others' is not. Two minutes: `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clusterTags, nodeTags, poolTags } from '../../src/controller/openstack/ours.ts'
import { runOpenStack } from '../../src/controller/openstack/run.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import { pairChange } from '../../src/openstack/neutron/lists.ts'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { changePort } from '../../src/openstack/neutron/on-revision.ts'
import { connectNorthbound } from '../../src/ovn/connect.ts'
import { OvnRegistry } from '../../src/ovn/registry/registry.ts'
import { examples } from '../../src/registry/conformance-tools.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { reflect } from '../../src/registry/reflector.ts'
import { type RegistryServer, serveRegistry } from '../../src/registry/server.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'

setDefaultTimeout(600_000)

const MAIN = join(import.meta.dir, '../../src/main.ts')
const DRIVERS = ['ovs', 'ovn'] as const
/** Of this machine, which the program would ask. */
const HAS_AGENT = existsSync('/run/weft/agent.sock') || existsSync('/run/weft-play')
const wanted = !HAS_AGENT && process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0

let cloud: Cloud
let running: Cloud | undefined

beforeAll(async () => {
  if (!wanted) return
  running = await Cloud.start(DRIVERS)
  cloud = running
}, 600_000)
afterAll(() => running?.stop(), 60_000)

interface Found {
  readonly code: string
  readonly node: string
  readonly object: string
}

describe.skipIf(!wanted).each(DRIVERS)('an audit with %s (npm run test:openstack)', (driver) => {
  const cluster = randomUUID()
  const id = cluster.slice(0, 8)
  const registry = new MemoryRegistry()
  const made: (() => Promise<unknown>)[] = []
  let neutron: Neutron
  let networkId: string
  let folder: string
  let server: RegistryServer
  let vms: readonly Port[]

  beforeAll(async () => {
    neutron = cloud.client(driver, 'cni')
    networkId = (await neutron.networks.create({ name: `audit-${id}` })).id
    made.push(() => neutron.networks.delete(networkId))
    await neutron.subnets.create({ networkId, name: `audit-${id}`, cidr: '10.62.0.0/24', hasDhcp: false })
    made.push(async () => {
      for (const port of await neutron.ports.list({ networkId })) await neutron.ports.delete(port.id)
    })
    vms = await neutron.ports.createMany(
      ['vm-1', 'vm-2', 'vm-3'].map((name) => ({ networkId, name: `${name}-${id}`, deviceId: randomUUID() })),
    )
    const trunk = await neutron.trunks.create(vm(1).id, `vm-2-${id}`)
    made.push(() => neutron.trunks.delete(trunk.id))
    folder = mkdtempSync(join(tmpdir(), 'weft-audit-'))
    server = await serveRegistry(registry, { path: join(folder, 'registry.sock') })
    await registry.create('Namespace', 'kube-system', { name: 'kube-system', uid: cluster })
    for (const [n, { fixedIps }] of [vm(0), vm(1)].entries()) {
      const addresses = fixedIps.map(({ address }) => ip(address))
      await registry.create('Node', `node-${n + 1}`, { name: `node-${n + 1}`, uid: `u${n}`, addresses })
    }
    writeFileSync(join(folder, 'clouds.yaml'), clouds())
    await fill()
  })

  afterAll(async () => {
    for (const undo of made.toReversed()) await undo()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  function vm(n: number): Port {
    const port = vms[n]
    if (port === undefined) throw new Error('three of them')
    return port
  }

  /** A controller fills both nodes' pools, by a trunk where there is one, and is gone. */
  async function fill(): Promise<void> {
    const aborter = new AbortController()
    const { signal } = aborter
    const nodes = reflect(registry, 'Node', { signal })
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const done = runOpenStack({ registry, nodes, signal, log, statusMs: 50, open: () => cloud.client(driver, 'cni') })
    await registry.create('NeutronNetwork', 'pods', {
      ...{ name: 'pods', network: networkId, mode: 'auto', pool: { min: 3, max: 6, batch: 3 } },
    })
    while ((await registry.get('NeutronNetwork', 'pods'))?.value.status?.ports !== 6) await Bun.sleep(100)
    aborter.abort()
    await done
    made.push(async () => {
      const trunk = await neutron.trunks.ofPort(vm(1).id)
      const ids = trunk?.subports.map(({ portId }) => portId) ?? []
      if (trunk !== undefined && ids.length > 0) await neutron.trunks.removeSubports(trunk.id, ids)
    })
  }

  interface Answer {
    readonly exit: number
    readonly output: string
  }

  async function audit(...args: readonly string[]): Promise<Answer> {
    const argv = [process.execPath, MAIN, 'audit', '--registry', `unix:${join(folder, 'registry.sock')}`, ...args]
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, NO_COLOR: '1' }
    const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'pipe', cwd: folder, env })
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { exit: await child.exited, output: out + err }
  }

  const auditPorts = (...args: readonly string[]): Promise<Answer> =>
    audit('--openstack-clouds-file', join(folder, 'clouds.yaml'), ...args)

  async function findings(): Promise<readonly string[]> {
    const { exit, output } = await auditPorts('--json')
    const found = (JSON.parse(output) as { readonly findings: readonly Found[] }).findings
    expect(exit).toBe(found.length === 0 ? 0 : 1)
    return found.map(({ code, node, object }) => `${code} ${node} ${object}`).toSorted()
  }

  /** A port of the network, removed with it. */
  async function port(name: string, tags: readonly string[]): Promise<Port> {
    const [one] = await neutron.ports.createMany([{ networkId, name: `${name}-${id}`, deviceOwner: 'compute:weft' }])
    if (one === undefined) throw new Error('a port')
    await neutron.tags.replace('ports', one.id, tags)
    return one
  }

  const addressOf = ({ fixedIps }: Port): string => fixedIps[0]?.address ?? ''
  const allow = (carrier: Port, ...addresses: readonly string[]): Promise<unknown> =>
    changePort(neutron.ports, carrier.id, (now) =>
      pairChange(now, { add: addresses.map((address) => ({ address })), remove: [] }),
    )

  test('what the controller made has nothing wrong', async () => {
    const { exit, output } = await auditPorts()
    console.log(output)
    expect(output).toContain('6 Neutron ports compared: no difference')
    expect(exit).toBe(0)
  })

  test('what is others’ is not told: untagged, of another cluster, and what they have on our VMs', async () => {
    const [plain, another] = [await port('plain', []), await port('another', clusterTags(randomUUID()))]
    await allow(vm(0), addressOf(plain), addressOf(another), '192.0.2.0/24')
    const trunk = await neutron.trunks.ofPort(vm(1).id)
    await neutron.trunks.addSubports(trunk?.id ?? '', [{ portId: plain.id, vlan: 4001 }])
    expect(await findings()).toEqual([])
  })

  test('ports of a node that is gone, pairs and parts of trunks that nobody knows, doubled and deleted ports are told', async () => {
    const owner = { cluster, node: 'gone', network: 'pods' }
    const [left, paired, carried] = [
      await port('left', poolTags(owner)),
      await port('paired', poolTags(owner)),
      await port('carried', nodeTags(owner)),
    ]
    // A VM of no node, and one of a node.
    await allow(vm(2), addressOf(paired))
    await allow(vm(0), addressOf(left))
    const trunk = await neutron.trunks.ofPort(vm(1).id)
    await neutron.trunks.addSubports(trunk?.id ?? '', [{ portId: carried.id, vlan: 4002 }])
    const pools = await Promise.all(['node-1', 'node-2'].map((node) => registry.get('NodePorts', node)))
    const [one, two] = pools.map((stored) => stored?.value.pools[0]?.ports ?? [])
    const [deleted, doubled] = [one?.[0], two?.[0]]
    if (deleted === undefined || doubled === undefined || pools[0] === undefined) throw new Error('pools')
    const [pool] = pools[0].value.pools
    if (pool === undefined) throw new Error('a pool')
    const { vlan: _, ...plain } = doubled
    const value = { ...pools[0].value, pools: [{ ...pool, ports: [...pool.ports, plain] }] }
    await registry.update('NodePorts', 'node-1', value, pools[0].revision)
    await neutron.ports.delete(deleted.id)
    const { output } = await auditPorts()
    console.log(output)
    expect(await findings()).toEqual(
      [
        `neutron-pair-missing node-1 port ${doubled.id}`,
        `neutron-pair-stray - port ${vm(2).id}, pair ${addressOf(paired)}`,
        `neutron-pair-stray node-1 port ${vm(0).id}, pair ${addressOf(left)}`,
        `neutron-port-missing node-1 port ${deleted.id}`,
        `neutron-port-pooled-twice node-1 port ${doubled.id}`,
        ...[left, paired, carried].map((each) => `neutron-port-unpooled - port ${each.id}`),
        `neutron-subport-stray node-2 port ${vm(1).id}, subport ${carried.id}`,
      ].toSorted(),
    )
  })

  test('a password that is wrong is told without it', async () => {
    writeFileSync(join(folder, 'wrong.yaml'), clouds({ OS_PASSWORD: 'secret-of-somebody' }))
    const { exit, output } = await audit('--openstack-clouds-file', join(folder, 'wrong.yaml'))
    console.log(output)
    expect(exit).toBe(1)
    expect(output).toContain('neutron-silent')
    expect(output).not.toContain('secret-of-somebody')
  })

  function clouds(change: Readonly<Record<string, string>> = {}): string {
    const is = { ...cloud.variables(driver, 'cni'), ...change }
    const auth = {
      ...{ auth_url: is['OS_AUTH_URL'], username: is['OS_USERNAME'], password: is['OS_PASSWORD'] },
      ...{ project_name: is['OS_PROJECT_NAME'], user_domain_name: 'Default', project_domain_name: 'Default' },
    }
    return JSON.stringify({ clouds: { one: { auth, region_name: driver } } })
  }
})

describe.skipIf(!wanted)('an audit of a northbound database that Neutron uses too (npm run test:openstack)', () => {
  const name = `audit-${randomUUID().slice(0, 8)}`
  let folder: string
  let server: RegistryServer

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-audit-'))
    const registry = new MemoryRegistry()
    for (const node of ['w1', 'w2'])
      await registry.create('Node', node, { name: node, uid: 'u', addresses: [ip('192.0.2.1')] })
    server = await serveRegistry(registry, { path: join(folder, 'registry.sock') })
  })

  afterAll(async () => {
    const mine = `external_ids:weft-cluster=${name}`
    await cloud.ovn.nbctl('--if-exists', 'ls-del', `${name}-theirs`)
    for (const table of ['Logical_Switch', 'Logical_Router', 'Address_Set']) {
      const rows = await cloud.ovn.nbctl('--bare', '--columns=_uuid', 'find', table, mine)
      for (const row of rows.split(/\s+/).filter(Boolean)) await cloud.ovn.nbctl('destroy', table, row)
    }
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function weft(...args: readonly string[]): Promise<{ readonly exit: number; readonly output: string }> {
    const argv = [process.execPath, MAIN, ...args, '--ovn-nb', cloud.ovn.northbound, '--ovn-cluster', name]
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, NO_COLOR: '1' }
    const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'pipe', cwd: folder, env })
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { exit: await child.exited, output: out + err }
  }

  const prepare = () =>
    weft('ovn', 'prepare', `${name}-ls`, '192.168.1.0/29', '--parent', `${name}-vm`, '--router', name)
  const audit = () => weft('audit', '--registry', `unix:${join(folder, 'registry.sock')}`)

  test('pools that were made in advance have nothing wrong, and Neutron’s rows are not looked at', async () => {
    await cloud.ovn.nbctl('ls-add', `${name}-theirs`, '--', 'lsp-add', `${name}-theirs`, `${name}-vm`)
    expect((await prepare()).exit).toBe(0)
    const { exit, output } = await audit()
    console.log(output)
    expect(output).toContain('OVN rows compared: no difference')
    expect(exit).toBe(0)
  })

  test('nodes without ranges, switches of nodes that are gone, ports without a machine and half joins are told', async () => {
    const nbd = await connectNorthbound({ remotes: cloud.ovn.northbound, cluster: name })
    const shared = await OvnRegistry.open(nbd)
    try {
      await shared.create('Cluster', 'default', examples.Cluster.value)
      const network = { machine: { kind: 'node', uid: 'u' }, addresses: [] } as const
      await shared.create('NodeNetwork', 'w1', { ...network, node: 'w1', ranges: [cidr('10.244.1.0/24')] })
      await shared.create('NodeNetwork', 'w9', { ...network, node: 'w9', ranges: [cidr('10.244.9.0/24')] })
    } finally {
      shared.close()
      nbd.close()
    }
    await cloud.ovn.nbctl('ls-del', `${name}-theirs`)
    await cloud.ovn.nbctl('lrp-del', `${name}-to-${name}-ls`)
    await cloud.ovn.nbctl('set', 'Logical_Switch', `weft.${name}.w1`, 'other_config:subnet=10.9.0.0/24')
    const { exit, output } = await audit()
    console.log(output)
    const told = ['ovn-row-differs', 'ovn-row-missing', 'ovn-row-unwanted', 'ovn-parent-missing', 'ovn-join-half']
    for (const code of told) expect(output).toContain(`${code}\n`)
    expect(exit).toBe(1)
    // What it says to do about half a join and a machine's port helps.
    await cloud.ovn.nbctl('ls-add', `${name}-theirs`, '--', 'lsp-add', `${name}-theirs`, `${name}-vm`)
    expect((await prepare()).exit).toBe(0)
    const after = await audit()
    expect(after.output).not.toMatch(/^ovn-(?:parent-missing|join-half)$/m)
    expect(after.output).toContain('ovn-row-missing\n')
  })
})
