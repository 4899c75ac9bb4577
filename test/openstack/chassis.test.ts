/**
 * Packets through OVN as Neutron drives it: three chassis, a machine on each, a router between their subnets, and a trunk. Some minutes:
 * `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { eventually } from '../lab/lab.ts'
import { Chassis } from './cloud/chassis.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { type Layer, layersOf } from './cloud/layers.ts'
import { NestedSwitch } from './cloud/nested.ts'
import { step } from './cloud/programs.ts'
import { Underlay } from './cloud/underlay.ts'
import { reaches, VirtualMachine } from './cloud/virtual-machine.ts'

setDefaultTimeout(300_000)

const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0
const NAMES = ['master', 'worker1', 'worker2'] as const
type Name = (typeof NAMES)[number]
const ONE_GENEVE: readonly Layer[] = ['ethernet', 'ipv4', 'udp', 'geneve', 'ethernet', 'ipv4', 'icmp']

describe.skipIf(!wanted)('machines on chassis of OVN (npm run test:openstack)', () => {
  let cloud: Cloud
  let neutron: Neutron
  let admin: Neutron
  let underlay: Underlay
  let nested: NestedSwitch
  const chassis = new Map<Name, Chassis>()
  const machines = new Map<Name, VirtualMachine>()
  const ports = new Map<string, Port>()
  const ended: (() => Promise<unknown>)[] = []
  const atEnd = (end: () => Promise<unknown>): unknown => ended.push(end)

  beforeAll(async () => {
    cloud = await Cloud.start(['ovn'])
    atEnd(() => cloud.stop())
    neutron = cloud.client('ovn', 'cni')
    admin = cloud.client('ovn', 'admin')
    underlay = await Underlay.start()
    atEnd(() => underlay.stop())
    await step('Making networks', routedNetworks)
    for (const name of NAMES) {
      const one = await step(`Starting chassis ${name}`, () => Chassis.start(underlay, cloud.ovn, name))
      chassis.set(name, one)
      atEnd(() => one.stop())
    }
    for (const name of NAMES) {
      const spec = { name: `vm-${name}`, admin, portId: of(ports, name).id }
      const machine = await step(`Starting a machine on ${name}`, () => VirtualMachine.start(of(chassis, name), spec))
      machines.set(name, machine)
      atEnd(() => machine.stop())
    }
  }, 900_000)

  afterAll(async () => {
    await step('Removing all of it', async () => {
      for (const end of ended.toReversed()) await end()
    })
  }, 300_000)

  /** A subnet with a port for each machine, one for the nested port, and a router that leads to all of them. */
  async function routedNetworks(): Promise<void> {
    const router = await neutron.routers.create(`chassis-${underlay.id}`)
    atEnd(() => neutron.routers.delete(router.id))
    for (const [i, name] of [...NAMES, 'nested'].entries()) {
      const network = await neutron.networks.create({ name: `${name}-${underlay.id}` })
      atEnd(() => neutron.networks.delete(network.id))
      const cidr = `10.60.${i}.0/24`
      const subnet = await neutron.subnets.create({ networkId: network.id, name, cidr, hasDhcp: false })
      await neutron.routers.attachSubnet(router.id, subnet.id)
      atEnd(() => neutron.routers.detachSubnet(router.id, subnet.id))
      const port = await neutron.ports.create({ networkId: network.id, name })
      atEnd(() => neutron.ports.delete(port.id))
      ports.set(name, port)
    }
    // Before the machine is there, as drivers want it that make no trunk on a bound port (Open vSwitch's).
    const trunk = await neutron.trunks.create(of(ports, 'worker1').id, `worker1-${underlay.id}`)
    await neutron.trunks.addSubports(trunk.id, [{ portId: of(ports, 'nested').id, vlan: 101 }])
    atEnd(async () => {
      await admin.ports.update(of(ports, 'worker1').id, { hostId: '' })
      await neutron.trunks.removeSubports(trunk.id, [of(ports, 'nested').id])
      await neutron.trunks.delete(trunk.id)
    })
  }

  const address = (name: string): string => of(ports, name).fixedIps[0]?.address ?? ''

  test('machines of different subnets reach each other through the router, and nobody else', async () => {
    for (const from of NAMES) {
      for (const to of NAMES.filter((one) => one !== from)) {
        await eventually(`${from} reaches ${to}`, () => of(machines, from).reaches(address(to)), 60_000)
      }
    }
    expect(await of(machines, 'master').reaches('10.60.0.77')).toBe(false)
  })

  test('a port behind a VLAN of a machine is reached from another machine', async () => {
    nested = await NestedSwitch.start(of(machines, 'worker1'))
    atEnd(() => nested.stop())
    const pod = await nested.plug(neutron, { portId: of(ports, 'nested').id, vlan: 101 })
    await eventually(
      'worker2 reaches the nested port',
      () => of(machines, 'worker2').reaches(address('nested')),
      60_000,
    )
    await eventually('the nested port reaches the master', () => reaches(pod, address('master')), 60_000)
    await eventually(
      'the machine itself is reached still',
      () => of(machines, 'worker2').reaches(address('worker1')),
      60_000,
    )
    expect((await neutron.ports.get(of(ports, 'nested').id)).status).toBe('ACTIVE')
  })

  test.each(['worker1', 'nested'])('between chassis there is one encapsulation, to %s', async (to) => {
    const capture = of(chassis, 'worker2').capture()
    try {
      expect(await of(machines, 'worker2').reaches(address(to))).toBe(true)
    } finally {
      capture.close()
    }
    const pings = capture.frames.map(layersOf).filter((layers) => layers.at(-1) === 'icmp')
    expect(new Set(pings.map((layers) => layers.join(' ')))).toEqual(new Set([ONE_GENEVE.join(' ')]))
  })
})

function of<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key)
  if (value === undefined) throw new Error(`there is no ${String(key)}`)
  return value
}
