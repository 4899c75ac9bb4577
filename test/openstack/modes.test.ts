/**
 * Pods of two nodes that are machines in the cloud, in every mode, with the real controller and the real agents. Links of kind vlan and
 * ipvlan are asked of the kernel: it happens in a virtual machine whose kernel has them (test/vm/kernel-openstack.ts), beside the cloud.
 * Half an hour where it is emulated: `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { withBundle } from '../vm/bundle.ts'
import { runInGuest, whyNoGuest } from '../vm/guest.ts'
import { KERNEL_MODULES } from '../vm/modules.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import type { ModesPlan, PlannedMachine } from './cloud/modes-plan.ts'
import { pipe } from './cloud/pipe.ts'
import { step } from './cloud/programs.ts'

setDefaultTimeout(300_000)

const SECONDS = 3_000
const ROOT = join(import.meta.dir, '../..')
const wanted =
  process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0 && whyNoGuest() === undefined

describe.skipIf(!wanted)('pods of nodes that are machines in the cloud (npm run test:openstack)', () => {
  const id = randomUUID().slice(0, 8)
  const ended: (() => Promise<unknown>)[] = []
  const atEnd = (end: () => Promise<unknown>): unknown => ended.push(end)
  let cloud: Cloud
  let neutron: Neutron
  let plan: ModesPlan
  let folder: string

  beforeAll(async () => {
    cloud = await Cloud.start(['ovn'])
    atEnd(() => cloud.stop())
    neutron = cloud.client('ovn', 'cni')
    folder = mkdtempSync(join(tmpdir(), 'weft-modes-'))
    atEnd(async () => rmSync(folder, { recursive: true, force: true }))
    const machines = await step('Making networks', routedMachines)
    const services = [cloud.authUrl, cloud.neutronUrl('ovn')].map((url) => Number(new URL(url).port))
    const { northbound, southbound } = cloud.ovn
    const [nb, sb] = await Promise.all([northbound, southbound].map(leadTo))
    plan = { id, machines, services, databases: { nb: nb ?? 0, sb: sb ?? 0 } }
  }, 900_000)

  afterAll(async () => {
    await step('Removing all of it', async () => {
      for (const end of ended.toReversed()) await end()
    })
  }, 300_000)

  /** A network for each of three machines, a router between them, and a port with a trunk for each that runs pods. */
  async function routedMachines(): Promise<readonly PlannedMachine[]> {
    const router = await neutron.routers.create(`modes-${id}`)
    atEnd(() => neutron.routers.delete(router.id))
    const machines: PlannedMachine[] = []
    for (const [i, name] of ['master', 'worker1', 'worker2'].entries()) {
      const network = await neutron.networks.create({ name: `modes-${name}-${id}` })
      atEnd(() => neutron.networks.delete(network.id))
      const cidr = `10.62.${i}.0/24`
      const subnet = await neutron.subnets.create({ networkId: network.id, name, cidr, hasDhcp: false })
      await neutron.routers.attachSubnet(router.id, subnet.id)
      atEnd(() => neutron.routers.detachSubnet(router.id, subnet.id))
      const deviceId = randomUUID()
      const port = await neutron.ports.create({ networkId: network.id, name: `${name}-${id}`, deviceId })
      atEnd(() => removePorts(network.id))
      if (name !== 'master') await makeTrunk(port)
      machines.push({ name, portId: port.id, networkId: network.id, address: port.fixedIps[0]?.address ?? '' })
    }
    return machines
  }

  /** OVN takes a trunk only while its port is bound nowhere. */
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

  /** A port of the loopback for a socket. */
  function leadTo(remote: string): Promise<number> {
    return pipe({ host: '127.0.0.1', port: 0 }, { path: remote.slice('unix:'.length) })
  }

  test(
    'reach each other through the router, and the master, by trunk, pair and fixed, encapsulated once; nothing stays',
    async () => {
      const [keystone, ovn] = plan.services
      mkdirSync(join(folder, 'cloud'))
      const whereabouts = { keystone: `http://127.0.0.1:${keystone}`, neutron: { ovn } }
      writeFileSync(join(folder, 'cloud', 'cloud.json'), JSON.stringify(whereabouts))
      writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan))
      const { code, text } = await withBundle('kernel-openstack.ts', (program) => {
        const environment = `TMPDIR=/run WEFT_TEST_CLOUD=${join(folder, 'cloud')}`
        const command = `${environment} ${process.execPath} ${program} ${join(folder, 'plan.json')}`
        return runInGuest(`uname -r; cd ${ROOT}; ${command}`, KERNEL_MODULES, {
          seconds: SECONDS,
          reachesHost: true,
          onLine: (line) => console.log(line),
        })
      })
      for (const [, name = ''] of text.matchAll(/^chassis (\S+)$/gm)) {
        await cloud.ovn.sbctl('--if-exists', 'chassis-del', name)
      }
      expect(code, text.slice(-2_000)).toBe(0)
      for (const { portId, networkId, address } of plan.machines) {
        const port = await neutron.ports.get(portId)
        expect(port.fixedIps.map((one) => one.address)).toEqual([address])
        expect([port.addressPairs, port.trunk?.subports ?? []]).toEqual([[], []])
        expect(await neutron.ports.list({ networkId, tags: ['weft'] })).toEqual([])
      }
    },
    SECONDS * 1_000 + 300_000,
  )
})
