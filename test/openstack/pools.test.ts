/**
 * Ports that the controller prepares, at a real Keystone and a real Neutron, in every mode and with each driver: what is written down is what
 * is there, also after a crash at any call, and nothing of others is touched. Some minutes: `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { chooseMode } from '../../src/controller/openstack/choose-mode.ts'
import { Cloud as AskedCloud } from '../../src/controller/openstack/cloud.ts'
import { NodeKeeper, type NodePortsStore } from '../../src/controller/openstack/keeper.ts'
import { clusterTags } from '../../src/controller/openstack/ours.ts'
import { ip } from '../../src/network/model/address.ts'
import type { AddressMode, NeutronNetwork, NodePorts, PortLease, PortUse } from '../../src/network/model/neutron.ts'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { FaultyNeutron } from './cloud/faulty-neutron.ts'

setDefaultTimeout(900_000)

const DRIVERS = ['ovs', 'ovn'] as const
const MODES = ['pair', 'fixed', 'trunk'] as const
const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0

let cloud: Cloud
let running: Cloud | undefined

beforeAll(async () => {
  if (!wanted) return
  running = await Cloud.start(DRIVERS)
  cloud = running
}, 600_000)
afterAll(() => running?.stop(), 60_000)

describe.skipIf(!wanted).each(DRIVERS)('pools of ports with %s (npm run test:openstack)', (driver) => {
  let neutron: Neutron
  let networkId: string
  let subnetId: string
  let serial = 0
  const nextSerial = (): number => {
    serial += 1
    return serial
  }
  const id = randomUUID().slice(0, 8)
  const made: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    neutron = cloud.client(driver, 'cni')
    networkId = (await neutron.networks.create({ name: `pools-${id}` })).id
    made.push(() => neutron.networks.delete(networkId))
    subnetId = (await neutron.subnets.create({ networkId, name: `pools-${id}`, cidr: '10.61.0.0/24', hasDhcp: false }))
      .id
  })
  afterAll(async () => {
    for (const undo of made.toReversed()) await undo()
  })

  /** A VM's port, with a trunk where one is asked for. */
  async function vmPort(withTrunk: boolean): Promise<Port> {
    const port = await neutron.ports.create({
      networkId,
      name: `vm-${id}`,
      deviceId: randomUUID(),
      fixedIps: [{ subnetId }],
    })
    made.push(() => neutron.ports.delete(port.id))
    if (!withTrunk) return port
    const trunk = await neutron.trunks.create(port.id, `vm-${id}`)
    made.push(() => neutron.trunks.delete(trunk.id))
    return await neutron.ports.get(port.id)
  }

  test('auto takes a trunk, else pairs where the cloud allows so many, else addresses of the port; asking changes nothing', async () => {
    const [plain, trunk] = [await vmPort(false), await vmPort(true)]
    const choose = (parent: Port, max: number): Promise<AddressMode> =>
      chooseMode({ ports: neutron.ports, parent, mode: 'auto', networkId, max, knowsRevisions: true })
    expect(await choose(trunk, 100)).toBe('trunk')
    expect(await choose(plain, 10)).toBe('pair')
    expect(await choose(plain, 11)).toBe('fixed')
    const after = await neutron.ports.get(plain.id)
    expect([after.addressPairs, after.revision]).toEqual([[], plain.revision])
  })

  test.each(MODES)('mode %s: filled, leased, shrunk, drained', async (mode) => {
    const node = await Node.start(
      cloud.client(driver, 'cni'),
      await vmPort(mode === 'trunk'),
      mode,
      nextSerial(),
      networkId,
    )
    await node.settle()
    await node.expectExact(5)
    node.lease(2)
    await node.settle()
    await node.expectExact(7)
    // Fewer are wanted: those that nobody has go, once the node agrees.
    node.wish = { ...node.wish, pool: { min: 1, max: 3, batch: 4 } }
    await node.settle()
    node.agree()
    await node.settle()
    await node.expectExact(3)
    node.release()
    node.wishes = []
    await node.settle()
    node.agree()
    await node.settle()
    expect(node.value).toBeUndefined()
    await node.expectExact(0)
  })

  test.each(MODES)(
    'mode %s: filled and emptied through a Neutron that fails every fifth call, before or after the fact',
    async (mode) => {
      const faulty = await FaultyNeutron.start(cloud.neutronUrl(driver), {
        seed: 11,
        percent: 20,
        latest: 50,
        spared: ({ method }) => method === 'GET',
      })
      try {
        const node = await Node.start(
          cloud.client(driver, 'cni', { networkEndpoint: faulty.address }),
          await vmPort(mode === 'trunk'),
          mode,
          nextSerial(),
          networkId,
          neutron,
        )
        for (let round = 0; round < 4; round += 1) {
          await node.settle()
          node.lease(1)
          node.restart()
        }
        await faulty.mend()
        node.restart()
        await node.settle()
        await node.expectExact(9)
        node.release()
        node.wishes = []
        for (let round = 0; round < 3; round += 1) {
          await node.settle()
          node.agree()
        }
        await node.settle()
        await node.expectExact(0)
      } finally {
        await faulty.stop()
      }
    },
  )

  test('groups that pods ask for have ports of their own', async () => {
    const group = await neutron.securityGroups.create(`web-${id}`)
    made.push(() => neutron.securityGroups.delete(group.id))
    const node = await Node.start(neutron, await vmPort(true), 'trunk', nextSerial(), networkId)
    node.use = { ...node.use, wants: [{ network: 'pods', groups: [`web-${id}`], n: 2 }] }
    await node.settle()
    const own = (node.value?.pools[0]?.ports ?? []).filter(({ groups }) => groups?.[0] === `web-${id}`)
    expect(own).toHaveLength(2)
    for (const port of own) expect((await neutron.ports.get(port.id)).securityGroups).toEqual([group.id])
    node.use = { ...node.use, wants: [{ network: 'pods', groups: [`none-${id}`], n: 1 }] }
    await node.settle()
    expect(node.value?.problems[0]?.problem).toContain(`there is no security group "none-${id}"`)
    node.wishes = []
    node.use = { ...node.use, wants: [] }
    await node.settle()
    node.agree()
    await node.settle()
    await node.expectExact(0)
  })
})

/** A node with its agent's part, and a controller for it. */
class Node {
  readonly #neutron: Neutron
  readonly #watcher: Neutron
  readonly #vm: Port
  readonly #name: string
  readonly #cluster = randomUUID()
  readonly #stored = new Map<string, NodePorts>()
  #keeper: NodeKeeper
  #now = 0
  wishes: NeutronNetwork[]
  use: PortUse

  static async start(
    neutron: Neutron,
    vm: Port,
    mode: AddressMode,
    serial: number,
    network: string,
    watcher = neutron,
  ): Promise<Node> {
    return new Node(neutron, vm, mode, `node-${serial}`, network, watcher)
  }

  private constructor(neutron: Neutron, vm: Port, mode: AddressMode, name: string, network: string, watcher: Neutron) {
    this.#neutron = neutron
    this.#watcher = watcher
    this.#vm = vm
    this.#name = name
    this.wishes = [{ name: 'pods', network, mode, pool: { min: 5, max: 12, batch: 4 } }]
    this.use = { node: name, leased: [], resting: [], given: [], wants: [] }
    this.#keeper = this.restart()
  }

  get wish(): NeutronNetwork {
    return this.wishes[0] ?? { name: 'pods', network: '' }
  }

  set wish(wish: NeutronNetwork) {
    this.wishes = [wish]
  }

  get value(): NodePorts | undefined {
    return this.#stored.get(this.#name)
  }

  restart(): NodeKeeper {
    const ports: NodePortsStore = {
      get: (name) => this.#stored.get(name),
      put: async (value) => void this.#stored.set(value.node, structuredClone(value)),
      remove: async (name) => void this.#stored.delete(name),
      forgetUse: async () => undefined,
    }
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
    this.#keeper = new NodeKeeper(this.#name, {
      cloud: new AskedCloud({ open: () => this.#neutron, now: () => this.#now }),
      cluster: () => this.#cluster,
      node: (name) => ({ name, uid: 'u', addresses: this.#vm.fixedIps.map(({ address }) => ip(address)) }),
      isGone: () => false,
      networks: () => this.wishes,
      isSpoilt: () => false,
      use: () => this.use,
      ports,
      parents: new Map(),
      now: () => this.#now,
      signal: new AbortController().signal,
      log: silent,
      onProblems: () => undefined,
    })
    return this.#keeper
  }

  /** Passes until there is nothing to do; pauses are not waited for. */
  async settle(): Promise<void> {
    for (let pass = 0; pass < 30; pass += 1) {
      if ((await this.#keeper.lookAfter()) === undefined) break
      this.#now += 61_000
    }
  }

  lease(n: number): void {
    const busy = new Set(this.use.leased.map(({ id }) => id))
    const free = (this.value?.pools[0]?.ports ?? []).filter(
      ({ id, withdrawn }) => !busy.has(id) && withdrawn === undefined,
    )
    const leased: PortLease[] = free.slice(0, n).map(({ id }) => ({ id, sandbox: 'sandbox', ifname: 'eth0' }))
    this.use = { ...this.use, leased: [...this.use.leased, ...leased] }
  }

  release(): void {
    this.use = { ...this.use, leased: [] }
  }

  agree(): void {
    const busy = new Set(this.use.leased.map(({ id }) => id))
    const ports = this.value?.pools.flatMap((pool) => pool.ports) ?? []
    this.use = {
      ...this.use,
      given: ports.filter(({ id, withdrawn }) => withdrawn && !busy.has(id)).map(({ id }) => id),
    }
  }

  /** Neutron has so many, and exactly those that are written down. */
  async expectExact(n: number): Promise<void> {
    const [pool] = this.value?.pools ?? []
    const ports = pool?.ports ?? []
    const mode = pool?.mode ?? this.wishes[0]?.mode
    expect(ports).toHaveLength(n)
    const neutron = this.#watcher
    const ours = await neutron.ports.list({ tags: clusterTags(this.#cluster) })
    const vm = await neutron.ports.get(this.#vm.id)
    const addresses = ports.flatMap((port) => port.addresses.map(({ address }) => address as string)).toSorted()
    const ids = ports.map(({ id }) => id).toSorted()
    const own = this.#vm.fixedIps.map(({ address }) => address)
    expect(ours.map(({ id }) => id).toSorted()).toEqual(mode === 'fixed' ? [] : ids)
    expect(vm.addressPairs.map(({ address }) => address).toSorted()).toEqual(mode === 'pair' ? addresses : [])
    const fixed = vm.fixedIps.map(({ address }) => address).toSorted()
    expect(fixed).toEqual([...own, ...(mode === 'fixed' ? addresses : [])].toSorted())
    const vlans = (vm.trunk?.subports ?? []).map(({ portId, vlan }) => [portId, vlan] as const)
    expect(new Map(vlans)).toEqual(new Map(mode === 'trunk' ? ports.map(({ id, vlan = 0 }) => [id, vlan]) : []))
    expect(vm.securityGroups.toSorted()).toEqual(this.#vm.securityGroups.toSorted())
  }
}
