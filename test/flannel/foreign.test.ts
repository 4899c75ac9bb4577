/**
 * A mesh in which one machine is flannel's own: its device, routes and lease are made by hand as flannel makes them (facts:
 * flannel 0.28, pkg/backend/vxlan and pkg/subnet/etcd), and then it is taken over.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { internetChecksum } from '../../src/linux/index.ts'
import { eventually } from '../kube/process.ts'
import { echoRequest } from './forged.ts'
import { attempt, type Host, inside, longObstacle, PATIENCE, PREFIX, Rig } from './rig.ts'

const reason = longObstacle()

const MAC = 'c6:d2:32:6f:8f:44'
const SUBNET = '10.1.200.0/24'
const POD = '10.1.200.2'
/** As flannel's Go writes it. */
const LEASE = `{"PublicIP":"192.0.2.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"${MAC}"}}`
const KEY = `${PREFIX}/subnets/10.1.200.0-24`

describe.skipIf(reason !== undefined)(`a mesh with a machine of flannel${reason ? ` (${reason})` : ''}`, () => {
  const rig = new Rig(3)
  const [one, two, foreign] = [rig.host(1), rig.host(2), rig.host(3)]
  beforeAll(async () => {
    await rig.up()
    await rig.configure(3, '{"Network": "10.1.0.0/16", "Backend": {"Type": "vxlan"}}')
    const grant = /lease (\w+) granted/.exec(await rig.etcdctl(3, 'lease', 'grant', '86400'))?.[1] ?? ''
    await rig.etcdctl(3, 'put', `--lease=${grant}`, KEY, LEASE)
  }, PATIENCE)
  afterAll(() => rig.down(), PATIENCE)

  test(
    'its lease leads to it, and ours to us: the largest packet passes in both directions',
    async () => {
      for (const host of [one, two]) host.start('--ip-masq')
      await Promise.all([one.dock(), two.dock()])
      await makeByHand()
      await dockByHand(foreign)
      await eventually(async () => {
        for (const host of [one, two]) {
          await inside(host.pod, 'ping', '-c1', '-W1', '-M', 'do', '-s', '1422', POD)
          await inside(foreign.pod, 'ping', '-c1', '-W1', '-M', 'do', '-s', '1422', await host.podAddress)
        }
      }, PATIENCE)
    },
    3 * PATIENCE,
  )

  test(
    'it is taken over without a lost packet: subnet, device and MAC address stay, and so does its lease to the letter',
    async () => {
      const before = await device(foreign)
      const pinging = inside(one.pod, 'ping', '-q', '-i', '0.02', '-c', '150', '-W', '5', POD)
      foreign.start('--ip-masq')
      expect((await foreign.env()).get('FLANNEL_SUBNET')).toBe('10.1.200.1/24')
      expect(await pinging).toContain('150 packets transmitted, 150 received, 0% packet loss')
      await eventually(async () => {
        const routes = await inside(foreign.namespace, 'ip', 'route', 'show', 'proto', '77')
        for (const host of [one, two]) expect(routes).toContain(`${await host.subnet()} via `)
      }, PATIENCE)
      expect(await device(foreign)).toEqual(before)
      expect(await rig.etcdctl(3, 'get', '--print-value-only', KEY)).toBe(LEASE)
      await foreign.dock()
      await rig.expectMesh()
    },
    3 * PATIENCE,
  )

  test(
    'a device that flannel has taken over again is not taken away',
    async () => {
      await foreign.stop('SIGKILL')
      const ip = (...words: readonly string[]) => inside(foreign.namespace, 'ip', ...words)
      const subnet = await one.subnet()
      await ip('route', 'replace', subnet, 'via', subnet.replace('/24', ''), 'dev', 'flannel.1', 'onlink')
      writeFileSync(foreign.subnetFile, `${readFileSync(foreign.subnetFile, 'utf8')}# flannel's\n`)
      const { code, stdout } = await foreign.weft('flannel', 'down', '--subnet-file', foreign.subnetFile)
      expect(code).toBe(0)
      expect(stdout.replace(/\s+/g, ' ')).toContain(
        `link flannel.1 stays: somebody else has routes by it, ${subnet} among them`,
      )
      expect(stdout.replace(/\s+/g, ' ')).toContain('stays: somebody else wrote it')
      expect((await ip('route', 'show', 'dev', 'flannel.1')).trim()).toBe(
        `${subnet} via ${subnet.replace('/24', '')} onlink`,
      )
      await ip('route', 'delete', subnet)
      expect((await foreign.weft('flannel', 'down', '--subnet-file', foreign.subnetFile)).code).toBe(0)
      expect((await attempt(foreign.namespace, 'ip', 'link', 'show', 'flannel.1')).code).not.toBe(0)
      expect(await inside(one.namespace, 'ip', 'route', 'show', 'proto', '77')).toContain(SUBNET)
    },
    3 * PATIENCE,
  )

  test(
    'over udp a datagram is the packet and nothing else',
    async () => {
      for (const host of rig.hosts) await host.stop()
      await rig.etcdctl(3, 'put', `${PREFIX}/config`, '{"Network": "10.1.0.0/16", "Backend": {"Type": "udp"}}')
      await rig.etcdctl(3, 'put', KEY, '{"PublicIP":"192.0.2.3","PublicIPv6":null,"BackendType":"udp"}')
      one.start('--ip-masq')
      await one.dock()
      const pod = await one.podAddress
      const request = echoRequest(POD, pod, Buffer.from('what flannel sends'))
      // What comes from nobody in the mesh is not forwarded; the answer that comes is to the second one.
      await inside(foreign.namespace, 'ip', 'address', 'add', '192.0.2.99/24', 'dev', 'eth0')
      const answer = await eventually(async () => {
        const script = ['-e', FLANNEL, request.toString('hex'), '192.0.2.1']
        expect((await attempt(foreign.namespace, process.execPath, ...script, '192.0.2.99')).stdout).toBe('')
        const { stdout } = await attempt(foreign.namespace, process.execPath, ...script, '192.0.2.3')
        if (stdout === '') throw new Error('there is no answer yet')
        return Buffer.from(stdout, 'hex')
      }, PATIENCE)
      expect(answer.length).toBe(request.length)
      expect(answer.readUInt16BE(2)).toBe(request.length)
      expect([answer.subarray(12, 16).join('.'), answer.subarray(16, 20).join('.')]).toEqual([pod, POD])
      expect(internetChecksum(answer.subarray(0, 20))).toBe(0)
      // The pod's machine forwards it, and so does the process: two hops.
      expect([answer[0], answer[8], answer[9], answer[20]]).toEqual([0x45, 62, 1, 0])
      expect(answer.toString('utf8', 28)).toBe(request.toString('utf8', 28))
    },
    3 * PATIENCE,
  )

  /** What flannel does with the leases of others. */
  async function makeByHand(): Promise<void> {
    const link = ['flannel.1', 'address', MAC, 'type', 'vxlan', 'id', '1', 'local', '192.0.2.3', 'dev', 'eth0']
    const ip = (...words: readonly string[]) => inside(foreign.namespace, 'ip', ...words)
    await ip('link', 'add', ...link, 'dstport', '8472', 'nolearning')
    await ip('link', 'set', 'flannel.1', 'mtu', '1450', 'up')
    await ip('address', 'add', '10.1.200.0/32', 'dev', 'flannel.1')
    for (const end of ['-s', '-d']) {
      await inside(foreign.namespace, 'iptables', '-w', '-A', 'FORWARD', end, '10.1.0.0/16', '-j', 'ACCEPT')
    }
    for (const host of [one, two]) {
      const subnet = await host.subnet()
      const text = await rig.etcdctl(3, 'get', '--print-value-only', `${PREFIX}/subnets/${subnet.replace('/', '-')}`)
      const { PublicIP, PublicIPv6, BackendType, BackendData } = JSON.parse(text)
      expect({ PublicIP, PublicIPv6, BackendType }).toEqual({
        PublicIP: host.address,
        PublicIPv6: null,
        BackendType: 'vxlan',
      })
      const base = subnet.replace(/\/.*/, '')
      await ip('neigh', 'replace', base, 'lladdr', BackendData.VtepMAC, 'dev', 'flannel.1', 'nud', 'permanent')
      const entry = [BackendData.VtepMAC, 'dev', 'flannel.1', 'dst', PublicIP, 'self', 'permanent']
      await inside(foreign.namespace, 'bridge', 'fdb', 'append', ...entry)
      await ip('route', 'replace', subnet, 'via', base, 'dev', 'flannel.1', 'onlink')
    }
  }
})

async function device({ namespace }: Host): Promise<readonly unknown[]> {
  const [link] = JSON.parse(await inside(namespace, 'ip', '-j', 'link', 'show', 'flannel.1'))
  return [link.ifindex, link.address, link.mtu]
}

async function dockByHand({ namespace, pod }: Host): Promise<void> {
  await inside(namespace, 'ip', '-4', 'address', 'flush', 'dev', 'docker0')
  await inside(namespace, 'ip', 'address', 'add', '10.1.200.1/24', 'dev', 'docker0')
  await inside(namespace, 'ip', 'link', 'set', 'docker0', 'mtu', '1450')
  await inside(pod, 'ip', 'address', 'add', `${POD}/24`, 'dev', 'eth0')
  await inside(pod, 'ip', 'link', 'set', 'eth0', 'mtu', '1450')
  await inside(pod, 'ip', 'route', 'replace', 'default', 'via', SUBNET.replace('.0/24', '.1'))
}

/** Sends a datagram to port 8285, and prints the one that comes back, if one comes. */
const FLANNEL = `const [request, machine, own] = process.argv.slice(1)
const socket = await Bun.udpSocket({ hostname: own, port: 8285, socket: { data: (_, bytes) => {
  process.stdout.write(Buffer.from(bytes).toString('hex'))
  socket.close()
} } })
socket.send(Buffer.from(request, 'hex'), 8285, machine)
setTimeout(() => process.exit(0), 500)`
