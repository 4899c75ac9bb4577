/**
 * Pods of two nodes that are machines in the cloud, in every mode, with the real controller and the real agents. Links of kind vlan and
 * ipvlan are asked of the kernel: nodes are in a virtual machine whose kernel has them (test/vm/kernel-openstack.ts). Its cards are
 * plugged into chassis out here, which are as quick as this machine is. `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { withBundle } from '../vm/bundle.ts'
import { runInGuest, whyNoGuest } from '../vm/guest.ts'
import { KERNEL_MODULES } from '../vm/modules.ts'
import { Chassis } from './cloud/chassis.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import type { ModesPlan, PlannedNode } from './cloud/modes-plan.ts'
import { Outside } from './cloud/outside.ts'
import { step } from './cloud/programs.ts'
import { Underlay } from './cloud/underlay.ts'
import { described, VirtualMachine } from './cloud/virtual-machine.ts'

setDefaultTimeout(300_000)

/** The guest is ended after this long. */
const SECONDS = 1_800
const MASTER = 'master'
const NODES: readonly string[] = ['worker1', 'worker2']
const ROOT = join(import.meta.dir, '../..')
const noGuest = whyNoGuest()
const wanted =
  process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0 && noGuest === undefined
const how = noGuest ?? 'npm run test:openstack'

/** A node, and the tap of its card. */
type PluggedNode = PlannedNode & { readonly tap: string }

describe.skipIf(!wanted)(`pods of nodes that are machines in the cloud (${how})`, () => {
  const id = randomUUID().slice(0, 8)
  const ended: (() => Promise<unknown>)[] = []
  const atEnd = (end: () => Promise<unknown>): unknown => ended.push(end)
  const chassis = new Map<string, Chassis>()
  const nodes: PluggedNode[] = []
  let cloud: Cloud
  let neutron: Neutron
  let plan: ModesPlan
  let folder: string

  beforeAll(async () => {
    cloud = await Cloud.start(['ovn'])
    atEnd(() => cloud.stop())
    neutron = cloud.client('ovn', 'cni')
    const admin = cloud.client('ovn', 'admin')
    folder = mkdtempSync(join(tmpdir(), 'weft-modes-'))
    atEnd(async () => rmSync(folder, { recursive: true, force: true }))
    const underlay = await Underlay.start()
    atEnd(() => underlay.stop())
    const ports = await step('Making networks', routedPorts)
    for (const name of ports.keys()) {
      const one = await step(`Starting chassis ${name}`, () => Chassis.start(underlay, cloud.ovn, name))
      chassis.set(name, one)
      atEnd(() => one.stop())
    }
    const master = await step('Starting the master', () =>
      VirtualMachine.start(of(chassis, MASTER), { name: 'vm-master', admin, portId: of(ports, MASTER).id }),
    )
    atEnd(() => master.stop())
    for (const [i, name] of NODES.entries()) {
      const { port, addressing } = await described(neutron, of(ports, name).id)
      nodes.push({ name, portId: port.id, networkId: port.networkId, addressing, tap: `tap${id}-${i}` })
    }
    const outside = new Outside({ admin, ovn: cloud.ovn, master, chassis, nodes })
    atEnd(() => outside.stop())
    plan = {
      ...{ id, nodes, authUrl: cloud.authUrl, outside: outside.port },
      master: of(ports, MASTER).fixedIps[0]?.address ?? '',
      services: [cloud.authUrl, cloud.neutronUrl('ovn')].map((url) => Number(new URL(url).port)),
    }
  }, 900_000)

  afterAll(async () => {
    await step('Removing all of it', async () => {
      for (const end of ended.toReversed()) await end()
    })
  }, 300_000)

  /** A network for the master and for each node, a router between them, and a port for each, with a trunk where pods run. */
  async function routedPorts(): Promise<ReadonlyMap<string, Port>> {
    const router = await neutron.routers.create(`modes-${id}`)
    atEnd(() => neutron.routers.delete(router.id))
    const ports = new Map<string, Port>()
    for (const [i, name] of [MASTER, ...NODES].entries()) {
      const network = await neutron.networks.create({ name: `modes-${name}-${id}` })
      atEnd(() => neutron.networks.delete(network.id))
      const cidr = `10.62.${i}.0/24`
      const subnet = await neutron.subnets.create({ networkId: network.id, name, cidr, hasDhcp: false })
      await neutron.routers.attachSubnet(router.id, subnet.id)
      atEnd(() => neutron.routers.detachSubnet(router.id, subnet.id))
      const port = await neutron.ports.create({ networkId: network.id, name: `${name}-${id}`, deviceId: randomUUID() })
      atEnd(() => removePorts(network.id))
      if (name !== MASTER) await makeTrunk(port)
      ports.set(name, port)
    }
    return ports
  }

  /** Before its machine is started, as every driver takes it. It ends when nothing is bound there. */
  async function makeTrunk(port: Port): Promise<void> {
    const trunk = await neutron.trunks.create(port.id, `modes-${id}`)
    atEnd(async () => {
      await cloud.client('ovn', 'admin').ports.update(port.id, { hostId: '' })
      const subports = (await neutron.ports.get(port.id)).trunk?.subports ?? []
      if (subports.length > 0) {
        await neutron.trunks.removeSubports(
          trunk.id,
          subports.map(({ portId }) => portId),
        )
      }
      await neutron.trunks.delete(trunk.id)
    })
  }

  /** Also what a guest that failed has left. */
  async function removePorts(networkId: string): Promise<void> {
    const ports = await neutron.ports.list({ networkId })
    for (const port of ports.filter(({ deviceOwner }) => !deviceOwner.startsWith('network:'))) {
      await neutron.ports.delete(port.id)
    }
  }

  test(
    'reach each other through the router, and the master, by trunk, pair and fixed, encapsulated once; nothing stays',
    async () => {
      writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan))
      const { code, text } = await withBundle('kernel-openstack.ts', (program) => {
        const command = `TMPDIR=/run ${process.execPath} ${program} ${join(folder, 'plan.json')}`
        return runInGuest(`uname -r; cd ${ROOT}; ${command}`, KERNEL_MODULES, {
          seconds: SECONDS,
          reachesHost: true,
          taps: nodes.map(({ tap, addressing }) => ({ ifname: tap, mac: addressing.mac ?? '' })),
          onLine: (line) => console.log(line),
        })
      })
      expect(code, text.slice(-2_000)).toBe(0)
      for (const { portId, networkId, addressing } of nodes) {
        const port = await neutron.ports.get(portId)
        expect(port.fixedIps.map((one) => `${one.address}/24`)).toEqual([...addressing.addresses])
        expect([port.addressPairs, port.trunk?.subports ?? []]).toEqual([[], []])
        expect(await neutron.ports.list({ networkId, tags: ['weft'] })).toEqual([])
      }
    },
    SECONDS * 1_000 + 300_000,
  )
})

function of<V>(map: ReadonlyMap<string, V>, key: string): V {
  const value = map.get(key)
  if (value === undefined) throw new Error(`there is no ${key}`)
  return value
}
