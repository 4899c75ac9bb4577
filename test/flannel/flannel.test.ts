/**
 * flannel's documents and the seed's, on machines with Docker's bridge: etcd's v2 interface, the configuration after the
 * start, VXLAN as it is on the wire, and the back end `udp`, whose process outlives the daemon. `npm run test:long` does the
 * rest.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { decodeAttributes, vtepMacIn } from '../../src/compat/flannel/lease.ts'
import { netnsOpen } from '../../src/linux/index.ts'
import { closeFd } from '../../src/linux/socket.ts'
import { eventually } from '../kube/process.ts'
import { capture, isEchoRequest } from '../lab/capture.ts'
import { echoRequest, inVxlan, type Sender, sendTo, whoReaches } from './forged.ts'
import { attempt, inside, MASTER, obstacle, PATIENCE, PREFIX, Rig } from './rig.ts'
import { expectStream } from './tcp.ts'

const reason = obstacle()
if (reason !== undefined) console.log(reason)

describe.skipIf(reason !== undefined)(`machines with flannel${reason === undefined ? '' : ` (${reason})`}`, () => {
  const rig = new Rig(3)
  beforeAll(() => rig.up(), PATIENCE)
  afterAll(() => rig.down(), PATIENCE)
  const [one, two] = [rig.host(1), rig.host(2)]

  test(
    'the seed’s steps: the network comes after the daemons, docker0 gets its address, pods reach each other',
    async () => {
      one.startByUnit('--ip-masq')
      for (const host of rig.hosts.slice(1)) host.start('--ip-masq', '--healthz-port=8471')
      await eventually(async () => expect(one.log).toContain('there is no /atomic.io/network/config'), PATIENCE)
      await eventually(async () => expect(await health('healthz', 'readyz')).toEqual([200, 503]), PATIENCE)
      await rig.configure(2, '{"Network": "10.1.0.0/16", "Backend": {"Type": "vxlan"}}')
      await rig.dockAll()
      await rig.expectMesh()
      await expectStream(one, two)
      expect(await health('healthz', 'readyz', 'x')).toEqual([200, 200, 404])
      // Whoever is outside of the network knows of no pods.
      await inside(one.pod, 'ping', '-c1', '-W5', MASTER)
      expect(Object.fromEntries(await one.env())).toMatchObject({
        FLANNEL_NETWORK: '10.1.0.0/16',
        FLANNEL_MTU: '1450',
        FLANNEL_IPMASQ: 'true',
      })
    },
    3 * PATIENCE,
  )

  test(
    'on the wire it is what flannel sends: VNI 1 on port 8472, from one VTEP to the other',
    async () => {
      const data = await Promise.all(
        [one, two].map(async (host) => vtepMacIn((await leaseOf(await host.subnet()))?.backendData)),
      )
      const netns = netnsOpen(two.namespace)
      const listening = capture(netns)
      try {
        // The largest packet that fits, and one that would not.
        await inside(one.pod, 'ping', '-c1', '-W5', '-M', 'do', '-s', '1422', await two.podAddress)
        expect(
          (await attempt(one.pod, 'ping', '-c1', '-W1', '-M', 'do', '-s', '1423', await two.podAddress)).code,
        ).not.toBe(0)
        const frame = await eventually(async () => {
          const found = listening.frames.map(vxlanIn).find((packet) => packet?.length === 1450 + 14)
          if (found === undefined) throw new Error('there is no such packet yet')
          return found
        }, PATIENCE)
        expect(frame).toMatchObject({
          port: 8472,
          flags: 0x08,
          vni: 1,
          to: data[1],
          from: data[0],
          outerSource: one.address,
        })
      } finally {
        listening.close()
        closeFd(netns)
      }
    },
    PATIENCE,
  )

  test(
    'nobody but the machines puts frames into the tunnel, nor a pod, whatever address it takes',
    async () => {
      const mac = vtepMacIn((await leaseOf(await one.subnet()))?.backendData) ?? ''
      const [from, to] = [await two.podAddress, await one.podAddress]
      await expectMachinesAlone(8472, (payload) => inVxlan(echoRequest(from, to, payload), 1, mac))
      // Another network of somebody's on the same port is none of ours.
      await inside(one.namespace, 'ip', 'link', 'add', 'other', 'type', 'vxlan', 'id', '9', 'dstport', '8472')
      await inside(one.namespace, 'ip', 'link', 'set', 'other', 'address', '0e:00:00:00:00:09', 'up')
      const counted = async () =>
        JSON.parse(await inside(one.namespace, 'ip', '-s', '-j', 'link', 'show', 'other'))[0].stats64.rx.packets
      await eventually(async () => {
        const bytes = inVxlan(echoRequest(from, to, Buffer.from('x')), 9, '0e:00:00:00:00:09')
        await sendTo(rig.wire, bytes, one.address, 8472, MASTER)
        expect(await counted()).toBeGreaterThan(0)
      }, PATIENCE)
      await inside(one.namespace, 'ip', 'link', 'delete', 'other')
    },
    3 * PATIENCE,
  )

  test(
    'a pod’s address is believed by the link that leads to the pod alone',
    async () => {
      const [pod, other] = [await one.podAddress, (await two.podAddress).replace(/2$/, '9')]
      const subnet = await one.subnet()
      await inside(rig.wire, 'ip', 'address', 'add', `${other}/32`, 'dev', 'lo')
      await inside(rig.wire, 'ip', 'route', 'add', subnet, 'via', one.address)
      const netns = netnsOpen(one.pod)
      const listening = capture(netns)
      try {
        const ping = (source: string) => attempt(rig.wire, 'ping', '-c1', '-W1', '-I', source, pod)
        expect((await ping(other)).code).not.toBe(0)
        expect((await ping(MASTER)).code).toBe(0)
        // What was captured is read a moment later; what came first is read first.
        await eventually(async () => {
          const sources = listening.frames
            .filter((frame) => isEchoRequest(frame, 4))
            .map((frame) => frame.subarray(26, 30))
          expect(new Set(sources.map((source) => source.join('.')))).toEqual(new Set([MASTER]))
        }, PATIENCE)
      } finally {
        listening.close()
        closeFd(netns)
        await inside(rig.wire, 'ip', 'address', 'delete', `${other}/32`, 'dev', 'lo')
        await inside(rig.wire, 'ip', 'route', 'delete', subnet)
      }
    },
    3 * PATIENCE,
  )

  test(
    'the back end `udp` takes the place of vxlan, with the same subnets',
    async () => {
      const before = await Promise.all(rig.hosts.map((host) => host.subnet()))
      for (const host of rig.hosts) await host.stop()
      await rig.etcdctl(2, 'set', `${PREFIX}/config`, '{"Network": "10.1.0.0/16"}')
      for (const host of rig.hosts) host.start('--ip-masq')
      await eventually(async () => expect((await one.env()).get('FLANNEL_MTU')).toBe('1472'), PATIENCE)
      expect(await Promise.all(rig.hosts.map((host) => host.subnet()))).toEqual(before)
      // As long as a machine has VXLAN, packets arrive by it.
      for (const { namespace } of rig.hosts) {
        await eventually(
          async () => expect((await attempt(namespace, 'ip', 'link', 'show', 'flannel.1')).code).not.toBe(0),
          PATIENCE,
        )
      }
      await rig.expectMesh()
      expect(await inside(one.namespace, 'ip', '-br', 'address', 'show', 'flannel0')).toContain(
        `${before[0]?.replace('/24', '/32')}`,
      )
    },
    3 * PATIENCE,
  )

  test(
    'packets go on without the daemon: not one of a ping is lost while it is killed and started anew',
    async () => {
      const address = await two.podAddress
      const forwarding = async () => (await pidsOf(one.namespace)).filter((pid) => pid !== one.pid)
      const [before] = await forwarding()
      const pinging = inside(one.pod, 'ping', '-q', '-i', '0.02', '-c', '250', '-W', '5', address)
      await one.stop('SIGKILL')
      await Bun.sleep(1000)
      one.start('--ip-masq')
      expect(await pinging).toContain('250 packets transmitted, 250 received, 0% packet loss')
      await eventually(async () => expect(one.log.match(/the lease of this machine/g)?.length).toBe(3), PATIENCE)
      // The daemon may just be running a program.
      await eventually(async () => expect(await forwarding()).toEqual([before ?? 0]), PATIENCE)
      await expectStream(one, two)
    },
    3 * PATIENCE,
  )

  test(
    'nobody but the machines has udp’s datagrams believed',
    async () => {
      const [from, to] = [await two.podAddress, await one.podAddress]
      await expectMachinesAlone(8285, (payload) => echoRequest(from, to, payload))
    },
    3 * PATIENCE,
  )

  test('who asks for a pod of nobody’s is told that there is none', async () => {
    const { stdout } = await attempt(one.pod, 'ping', '-c1', '-W5', '10.1.0.9')
    expect(stdout).toContain('Destination Net Unreachable')
  })

  test(
    'what it made is taken away, and nothing of others',
    async () => {
      const down = (...more: readonly string[]) => two.weft('flannel', 'down', '--subnet-file', two.subnetFile, ...more)
      const look = (...words: readonly string[]) => inside(two.namespace, ...words)
      expect(await down()).toEqual(
        expect.objectContaining({ code: 1, stderr: expect.stringContaining('flanneld runs on this machine') }),
      )
      await two.stop()
      await look('ip', 'route', 'add', '10.1.250.0/24', 'via', MASTER, 'proto', '77', 'metric', '77')
      await look('ip', 'route', 'add', '203.0.113.0/24', 'via', MASTER, 'proto', '77')
      await look('ip', 'route', 'add', '10.1.251.0/24', 'via', MASTER)
      // As an agent on this machine would lead to its pods.
      await look('ip', 'link', 'add', 'weft0', 'type', 'bridge')
      await look('ip', 'link', 'set', 'weft0', 'up')
      await look('ip', 'route', 'add', '10.1.252.0/24', 'dev', 'weft0', 'proto', '77')
      await look('nft', 'add', 'table', 'inet', 'somebody')
      expect(await down('--json')).toEqual(
        expect.objectContaining({ code: 0, stdout: expect.stringContaining('"left":[]') }),
      )
      const routes = (await look('ip', 'route')).split('\n').map((line) => line.split(' ')[0])
      expect(routes.filter((to) => !to?.startsWith('192.'))).toEqual(
        expect.arrayContaining(['10.1.250.0/24', '203.0.113.0/24', '10.1.251.0/24', '10.1.252.0/24']),
      )
      expect(routes).not.toContain('10.1.0.0/16')
      expect(await look('ip', '-br', 'link')).not.toContain('flannel')
      expect((await look('nft', 'list', 'tables')).split('\n')).toEqual(expect.arrayContaining(['table inet somebody']))
      expect(await look('nft', 'list', 'ruleset')).not.toMatch(/weft/i)
      expect(await pidsOf(two.namespace)).toEqual([])
      expect(readdirSync(two.folder).toSorted()).toEqual(['docker', 'log', 'server.log'])
      // A second time there is nothing, and that is well.
      expect(await down()).toEqual(
        expect.objectContaining({ code: 0, stdout: expect.stringContaining('nothing to take down') }),
      )
    },
    3 * PATIENCE,
  )

  test(
    'routes in the network of a subnet.env that somebody else wrote are left alone, and so is the file',
    async () => {
      writeFileSync(two.subnetFile, 'FLANNEL_NETWORK=198.18.0.0/15\nFLANNEL_SUBNET=198.18.7.1/24\n')
      await inside(two.namespace, 'ip', 'route', 'add', '198.18.9.0/24', 'via', MASTER, 'proto', '77')
      const { code, stdout } = await two.weft('flannel', 'down', '--subnet-file', two.subnetFile)
      expect([code, stdout.replace(/\s+/g, ' ')]).toEqual([
        0,
        expect.stringMatching(/nothing to take down.*subnet\.env stays: somebody else wrote it/),
      ])
      expect(await inside(two.namespace, 'ip', 'route', 'show', 'proto', '77')).toContain('198.18.9.0/24')
      expect(existsSync(two.subnetFile)).toBe(true)
    },
    PATIENCE,
  )

  /** Of somebody on the segment, of pods, and of a machine, only the machine's gets through. */
  async function expectMachinesAlone(port: number, datagram: Sender['datagram']): Promise<void> {
    const [three, mine, theirs] = [rig.host(3).address, await one.podAddress, await two.podAddress]
    // A pod may take any address.
    for (const { pod } of [one, two]) await inside(pod, 'ip', 'address', 'add', `${three}/32`, 'dev', 'lo')
    const sender = (name: string, namespace: string, source: string, to = one.address): Sender => ({
      ...{ name, namespace, source, to, datagram },
    })
    expect(
      await whoReaches(one, port, [
        sender('the segment', rig.wire, MASTER),
        sender('a pod of its own', one.pod, mine),
        sender('a pod of its own by the bridge', one.pod, mine, mine.replace(/2$/, '1')),
        sender('a pod of its own as another machine', one.pod, three),
        sender('a pod of another', two.pod, theirs),
        sender('a pod of another as a machine', two.pod, three),
        sender('a machine', two.namespace, two.address),
      ]),
    ).toEqual(['a machine'])
    for (const { pod } of [one, two]) await inside(pod, 'ip', 'address', 'delete', `${three}/32`, 'dev', 'lo')
  }

  async function health(...paths: readonly string[]): Promise<readonly number[]> {
    const script = `for (const path of process.argv.slice(1)) console.log((await fetch('http://127.0.0.1:8471/' + path)).status)`
    const told = await inside(two.namespace, process.execPath, '-e', script, ...paths)
    return told.trim().split('\n').map(Number)
  }

  async function leaseOf(subnet: string) {
    return decodeAttributes(await rig.etcdctl(2, 'get', `${PREFIX}/subnets/${subnet.replace('/', '-')}`))
  }
})

async function pidsOf(namespace: string): Promise<readonly number[]> {
  const { stdout } = Bun.spawnSync(['ip', 'netns', 'pids', namespace])
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map(Number)
}

/** What a frame is as VXLAN over IPv4. */
function vxlanIn(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame.length < 64 || view.getUint16(12) !== 0x0800 || frame[23] !== 17) return undefined
  const mac = (at: number) =>
    Buffer.from(frame.subarray(at, at + 6))
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1:')
  const [udp, vxlan, inner] = [34, 42, 50]
  return {
    outerSource: frame.subarray(26, 30).join('.'),
    port: view.getUint16(udp + 2),
    flags: frame[vxlan],
    vni: view.getUint32(vxlan + 4) >>> 8,
    to: mac(inner),
    from: mac(inner + 6),
    length: frame.length - inner,
  }
}
