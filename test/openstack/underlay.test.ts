/**
 * The OVN underlay from its first command to its last: two workers and a master as machines on chassis of OVN, a logical switch
 * for each worker, pods behind VLANs. Some minutes: `npm run test:openstack`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { closeSync } from 'node:fs'
import { netnsOpen } from '../../src/linux/netns.ts'
import type { Port, Router } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { capture } from '../lab/capture.ts'
import { run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { Chassis } from './cloud/chassis.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { layersOf } from './cloud/layers.ts'
import { relay } from './cloud/relay.ts'
import { Underlay } from './cloud/underlay.ts'
import { reaches, VirtualMachine } from './cloud/virtual-machine.ts'
import { Worker } from './cloud/worker.ts'

setDefaultTimeout(300_000)

const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0
const NAMES = ['worker1', 'worker2'] as const
const VIP = '172.16.2.10'

describe.skipIf(!wanted)('the OVN underlay (npm run test:openstack)', () => {
  let cloud: Cloud
  let neutron: Neutron
  let admin: Neutron
  let underlay: Underlay
  let router: Router
  let master: VirtualMachine
  let masterAddress = ''
  const workers = new Map<string, Worker>()
  const parents = new Map<string, Port>()
  const ended: (() => unknown)[] = []

  beforeAll(async () => {
    cloud = await Cloud.start(['ovn'])
    ended.push(() => cloud.stop())
    neutron = cloud.client('ovn', 'cni')
    admin = cloud.client('ovn', 'admin')
    underlay = await Underlay.start()
    ended.push(() => underlay.stop())
    router = await neutron.routers.create(`k8-router-${underlay.id}`)
    ended.push(() => neutron.routers.delete(router.id))
    const kubeMgmt = await network('ls-kube-mgmt', '10.65.0.0/24')
    const lsMaster = await network('ls-master', '10.65.9.0/24')
    // What the document leaves to its reader: the master's switch on the router.
    await neutron.routers.attachSubnet(router.id, lsMaster.subnetId)
    ended.push(() => neutron.routers.detachSubnet(router.id, lsMaster.subnetId))
    const portOn = async (name: string, networkId: string): Promise<Port> => {
      const port = await neutron.ports.create({ networkId, name: `${name}-${underlay.id}` })
      ended.push(() => neutron.ports.delete(port.id))
      return port
    }
    const [onMaster, onMgmt] = [await portOn('master', lsMaster.id), await portOn('master-mgmt', kubeMgmt.id)]
    masterAddress = onMaster.fixedIps[0]?.address ?? ''
    const host = await Chassis.start(underlay, cloud.ovn, 'h0')
    ended.push(() => host.stop())
    master = await VirtualMachine.start(host, { name: 'master', admin, portId: onMaster.id })
    ended.push(() => master.stop())
    await master.plug(admin, onMgmt.id)
    parents.set('master', onMgmt)
    for (const name of NAMES) {
      const parent = await portOn(name, kubeMgmt.id)
      parents.set(name, parent)
      // While the machine is off, as every driver takes it. OVN's takes one on a port that is in use as well (Neutron 21).
      const trunk = await neutron.trunks.create(parent.id, `${name}-${underlay.id}`)
      ended.push(async () => {
        await admin.ports.update(parent.id, { hostId: '' })
        await neutron.trunks.delete(trunk.id)
      })
      const chassis = await Chassis.start(underlay, cloud.ovn, name)
      ended.push(() => chassis.stop())
      const machine = await VirtualMachine.start(chassis, { name: `vm-${name}`, admin, portId: parent.id })
      ended.push(() => machine.stop())
      await eventually(`the services of the cloud are there for ${name}`, async () => lead(machine.netns), 10_000)
      const worker = await Worker.start(machine, openrc(parent.id))
      workers.set(name, worker)
      ended.push(() => worker.stop())
    }
  }, 900_000)

  afterAll(async () => {
    for (const end of ended.toReversed()) await Promise.resolve(end()).catch((error) => console.error(error))
  }, 240_000)

  async function network(name: string, cidr: string): Promise<{ readonly id: string; readonly subnetId: string }> {
    const { id } = await neutron.networks.create({ name: `${name}-${underlay.id}` })
    ended.push(() => neutron.networks.delete(id))
    const subnet = await neutron.subnets.create({ networkId: id, name, cidr, hasDhcp: false })
    return { id, subnetId: subnet.id }
  }

  function lead(netns: string): true {
    for (const url of [cloud.authUrl, cloud.neutronUrl('ovn')]) {
      const way = relay(netns, Number(new URL(url).port))
      ended.push(() => way[Symbol.dispose]())
    }
    return true
  }

  /** As in the document, with the address of a Keystone of 2015. */
  function openrc(vif: string): string {
    return [
      `OS_AUTH_URL=${cloud.authUrl.replace(/v3$/, 'v2.0')}`,
      'OS_TENANT_NAME="k8s"',
      'OS_USERNAME="cni"',
      'OS_PASSWORD="cni"',
      'OS_REGION_NAME=ovn',
      `OS_VIF_ID=${vif}`,
      '',
    ].join('\n')
  }

  const worker = (name: string): Worker => {
    const found = workers.get(name)
    if (found === undefined) throw new Error(`there is no ${name}`)
    return found
  }

  test('the machine’s interface moves to a Linux bridge, and the machine is reached as before', async () => {
    for (const name of NAMES) {
      const { code, stderr } = await worker(name).underlay(
        'node-setup',
        'eth0',
        '--datapath-type',
        'netdev',
        '--no-gateway-check',
      )
      expect([code, stderr]).toEqual([0, expect.stringContaining('make eth0 a member of breth0')])
    }
    const [address = ''] = worker('worker1').machine.nics.flatMap(({ port }) => port.fixedIps.map((one) => one.address))
    await eventually('worker2 reaches worker1', () => worker('worker2').machine.reaches(address), 60_000)
  })

  test('an account that may not set binding:profile is told both remedies', async () => {
    const name = `ls-worker1-${underlay.id}`
    const { code, stderr } = await worker('worker1').underlay(
      'lswitch-setup',
      name,
      '192.168.1.0/29',
      '--nesting',
      'profile',
    )
    expect(code).toBe(1)
    expect(stderr).toContain('this account may not set binding:profile')
    expect(stderr).toContain('openstack network trunk create --parent-port')
  })

  const wordsFor = (name: string): readonly string[] => [
    `ls-${name}-${underlay.id}`,
    `192.168.${name.slice(-1)}.0/29`,
    router.id,
    '--cluster-subnet',
    '192.168.0.0/16',
  ]

  test('lswitch-setup that is killed after any of its steps and run again doubles nothing', async () => {
    // Before one is killed it may have come further than it told: the next does not tell of that step then.
    let kills = 0
    for (const step of [
      /network .* is made/,
      /subnet .* is made/,
      /is attached/,
      /5 of 5 ports/,
      /parts of the trunk/,
    ]) {
      if (await worker('worker2').killed(step, 'lswitch-setup', ...wordsFor('worker2'))) kills += 1
    }
    expect(kills).toBeGreaterThan(0)
    const { code, stdout } = await worker('worker2').underlay('lswitch-setup', ...wordsFor('worker2'))
    expect([code, stdout]).toEqual([0, expect.stringContaining('0 of 5 ports have pods')])
    const [net, ...more] = await neutron.networks.list({ name: `ls-worker2-${underlay.id}` })
    expect(more).toEqual([])
    expect(await neutron.subnets.list({ networkId: net?.id ?? '' })).toHaveLength(1)
    const ports = await neutron.ports.list({ networkId: net?.id ?? '' })
    const owners = ports.map(({ name, deviceOwner }) => (name.startsWith('weft/') ? 'pod' : deviceOwner)).toSorted()
    expect(owners).toEqual([...owners.filter((one) => one.startsWith('network:')), ...Array(5).fill('pod')])
    expect(owners.filter((one) => one === 'network:router_interface')).toHaveLength(1)
    const trunk = await neutron.trunks.ofPort(parents.get('worker2')?.id ?? '')
    expect(new Set(trunk?.subports.map(({ portId }) => portId))).toEqual(
      new Set(ports.filter(({ name }) => name.startsWith('weft/')).map(({ id }) => id)),
    )
    expect(trunk?.subports).toHaveLength(5)
  })

  test('lswitch-setup makes the switch, its ports and the router’s, and run again it does nothing', async () => {
    for (const name of NAMES) {
      const words = wordsFor(name)
      const { code, stdout } = await worker(name).underlay('lswitch-setup', ...words)
      expect([code, stdout]).toEqual([0, expect.stringContaining('0 of 5 ports have pods')])
      const before = await worker(name).ovs.vsctl('get', 'open_vswitch', '.', 'external_ids')
      const again = await worker(name).underlay('lswitch-setup', ...words)
      expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('made')])
      expect(await worker(name).ovs.vsctl('get', 'open_vswitch', '.', 'external_ids')).toBe(before)
      // Neither is what was said once forgotten.
      const short = await worker(name).underlay('lswitch-setup', ...words.slice(0, 2))
      expect([short.code, short.stderr]).toEqual([0, expect.not.stringContaining('made')])
      expect(await worker(name).ovs.vsctl('get', 'open_vswitch', '.', 'external_ids')).toBe(before)
      const ids = await worker(name).ovs.vsctl('get', 'open_vswitch', '.', 'external_ids:router_id')
      expect(ids).toContain(router.id)
    }
  })

  test('pods of both workers reach each other through the router, and the master on its switch', async () => {
    const [one, two] = [await worker('worker1').pod('pod1'), await worker('worker2').pod('pod2')]
    await eventually('pod1 reaches pod2', () => reaches(one.netns, two.address), 60_000)
    await eventually('pod2 reaches pod1', () => reaches(two.netns, one.address), 60_000)
    await eventually('pod1 reaches the master', () => reaches(one.netns, masterAddress), 60_000)
    await eventually('the master reaches pod2', () => master.reaches(two.address), 60_000)
    const near = await worker('worker1').pod('pod3')
    await eventually('pod1 reaches a pod of its worker', () => reaches(one.netns, near.address), 60_000)
  })

  test('between chassis there is one encapsulation, and inside the machine a VLAN', async () => {
    const chassis = worker('worker1').machine.chassis
    const inside = netnsOpen(worker('worker2').machine.netns)
    const [outer, inner] = [chassis.capture(), capture(inside, 'breth0-veth')]
    try {
      const address = JSON.parse((await worker('worker2').underlay('show', '--json')).stdout) as {
        readonly ports: readonly { readonly address: string; readonly link?: string }[]
      }
      const to = address.ports.find(({ link }) => link !== undefined)?.address ?? ''
      expect(await reaches(underlay.netns('pod1'), to)).toBe(true)
    } finally {
      outer.close()
      inner.close()
      closeSync(inside)
    }
    const pings = (frames: readonly Uint8Array[]): readonly string[] => [
      ...new Set(
        frames
          .map((frame) => layersOf(frame))
          // Neighbours of IPv6 are looked for at any time.
          .filter((layers) => layers.at(-1) === 'icmp' && !layers.includes('ipv6'))
          .map((layers) => layers.join(' ')),
      ),
    ]
    expect(pings(outer.frames)).toEqual(['ethernet ipv4 udp geneve ethernet ipv4 icmp'])
    for (const layers of pings(inner.frames)) expect(layers).toMatch(/^ethernet (vlan )?ipv4 icmp$/)
  })

  test.each([
    ['on another worker', 'pod2'],
    ['on the same worker', 'pod3'],
  ])('a service is translated by the host, and its backend %s sees the pod', async (_, backend) => {
    const [client, server] = [underlay.netns('pod1'), underlay.netns(backend)]
    const { stdout } = await run(['ip', '-n', server, '-j', '-4', 'addr', 'show', 'dev', 'eth0'])
    const [link] = JSON.parse(stdout) as { readonly addr_info: readonly { readonly local: string }[] }[]
    const address = link?.addr_info[0]?.local ?? ''
    // What kube-proxy writes for a service with one backend.
    const rules = `table ip kube-proxy\ndelete table ip kube-proxy\ntable ip kube-proxy { chain services { type nat hook prerouting priority -100; ip daddr ${VIP} tcp dport 80 dnat to ${address}:8080; }; }`
    await run(['ip', 'netns', 'exec', worker('worker1').machine.netns, 'nft', '-f', '-'], { input: rules })
    const listening = Bun.spawn(
      [
        'ip',
        'netns',
        'exec',
        server,
        process.execPath,
        '-e',
        `Bun.serve({port:8080,fetch:(r,s)=>new Response(s.requestIP(r).address)});console.log('up')`,
      ],
      { stdout: 'pipe' },
    )
    try {
      await listening.stdout.getReader().read()
      const own = await run(['ip', '-n', client, '-j', '-4', 'addr', 'show', 'dev', 'eth0'])
      const [mine] = JSON.parse(own.stdout) as { readonly addr_info: readonly { readonly local: string }[] }[]
      const ask = ['ip', 'netns', 'exec', client, 'curl', '-s', '-m', '5', `http://${VIP}/`]
      await eventually('the service answers', async () => (await run(ask)).code === 0, 60_000)
      // The server listens for both families.
      expect((await run(ask)).stdout.replace('::ffff:', '')).toBe(mine?.addr_info[0]?.local ?? '')
    } finally {
      listening.kill()
    }
  })

  test('init makes again what a restart of the machine takes', async () => {
    const { netns } = worker('worker1').machine
    await run(['ip', '-n', netns, 'neigh', 'flush', 'nud', 'permanent', 'dev', 'breth0'])
    await run(['ip', '-n', netns, 'route', 'flush', 'table', '5756'])
    expect((await worker('worker1').underlay('init')).code).toBe(0)
    const { stdout } = await run(['ip', '-n', netns, 'route', 'show', 'table', '5756'])
    expect(stdout).toContain('192.168.0.0/16 via 192.168.1.1 dev breth0')
    const neighbours = await run(['ip', '-n', netns, 'neigh', 'show', 'dev', 'breth0', 'nud', 'permanent'])
    expect(neighbours.stdout).toContain('192.168.1.1 lladdr fa:16:3e')
  })

  test('lswitch-destroy leaves pods their ports, and later takes ours and nobody else’s', async () => {
    const refused = await worker('worker1').underlay('lswitch-destroy')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("have ports of this node's logical switch"),
    ])
    await eventually('pod1 still reaches the master', () => reaches(underlay.netns('pod1'), masterAddress), 30_000)
    const parent = parents.get('worker1')?.id ?? ''
    const trunk = await neutron.trunks.ofPort(parent)
    const other = await neutron.ports.create({
      networkId: parents.get('master')?.networkId ?? '',
      name: `foreign-${underlay.id}`,
    })
    await neutron.trunks.addSubports(trunk?.id ?? '', [{ portId: other.id, vlan: 3000 }])
    for (const pod of ['pod1', 'pod3']) await worker('worker1').detach(pod)
    await worker('worker2').detach('pod2')
    for (const name of NAMES) {
      const done = await worker(name).underlay('lswitch-destroy')
      expect([done.code, done.stdout]).toEqual([0, 'the logical switch of this machine is gone\n'])
      expect((await worker(name).underlay('lswitch-destroy')).stdout).toBe('there was nothing to remove\n')
    }
    expect(await neutron.trunks.subports(trunk?.id ?? '')).toEqual([
      { portId: other.id, segmentation: 'vlan', vlan: 3000 },
    ])
    await neutron.trunks.removeSubports(trunk?.id ?? '', [other.id])
    await neutron.ports.delete(other.id)
    expect(await neutron.networks.list({ name: `ls-worker1-${underlay.id}` })).toEqual([])
    const keys = await worker('worker1').ovs.vsctl('get', 'open_vswitch', '.', 'external_ids')
    expect(keys).not.toContain('lport-cache')
    for (const name of NAMES) expect((await worker(name).underlay('node-destroy', '--no-gateway-check')).code).toBe(0)
  })

  test('--direct: the interface is a port of Open vSwitch, and pods reach the master all the same', async () => {
    const one = worker('worker1')
    const wired = ['eth0', '--direct', '--datapath-type', 'netdev', '--no-gateway-check', '--root', one.root]
    const { code, stdout, stderr } = await one.underlay('node-setup', ...wired)
    expect([code, stderr, stdout]).toEqual([0, expect.anything(), 'br-int has eth0 as its port, and its addresses\n'])
    const [address = ''] = one.machine.nics.flatMap(({ port }) => port.fixedIps.map((fixed) => fixed.address))
    await eventually('worker2 reaches worker1', () => worker('worker2').machine.reaches(address), 60_000)
    const words = wordsFor('worker1').slice(0, 3)
    expect(await one.underlay('lswitch-setup', ...words)).toEqual(expect.objectContaining({ code: 0 }))
    const [a, b] = [await one.pod('direct1'), await one.pod('direct2')]
    await eventually('a pod reaches the master', () => reaches(a.netns, masterAddress), 60_000)
    await eventually('the master reaches it', () => master.reaches(a.address), 60_000)
    await eventually('a pod reaches one beside it', () => reaches(a.netns, b.address), 60_000)
    for (const pod of ['direct1', 'direct2']) await one.detach(pod)
    expect(await one.underlay('lswitch-destroy')).toEqual(expect.objectContaining({ code: 0 }))
    expect(await one.bridge('remove', 'br-int', '--no-gateway-check')).toEqual(expect.objectContaining({ code: 0 }))
    await eventually('worker2 reaches worker1 again', () => worker('worker2').machine.reaches(address), 60_000)
  })
})
