/**
 * Pods on a node with a real Open vSwitch and ports that were made in advance: as a container runtime calls the plugin.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { CNI_VERSIONS } from '../../cni/index.ts'
import { type NodeLab, PORTS, startNodeLab } from '../testing/node-lab.ts'

setDefaultTimeout(60_000)

let lab: NodeLab

beforeAll(async () => {
  lab = await startNodeLab()
})
afterAll(() => lab?.[Symbol.asyncDispose]())

const left = async (): Promise<readonly string[]> => {
  const ports = (await lab.ovs.vsctl('list-ports', 'br-int')).split('\n').filter((name) => name.startsWith('ou'))
  const { stdout } = await lab.on('ip', '-br', 'link')
  return [...ports, ...stdout.split('\n').filter((line) => line.startsWith('ou'))]
}
const inPod = async (pod: string, ...argv: readonly string[]): Promise<string> =>
  (await lab.on('nsenter', `--net=/run/netns/${pod}`, ...argv)).stdout

test('a pod gets the address, the MAC, the MTU and the VLAN of a port, and gives them back', async () => {
  const netns = lab.pod('one')
  const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0'
  const { code, answer } = await lab.cni('ADD', { container: 'one', netns, args })
  expect(answer).toEqual({
    cniVersion: '1.1.0',
    interfaces: [
      { name: expect.stringMatching(/^ou[0-9a-f]{12}$/) },
      { name: 'eth0', mac: 'fa:16:3e:00:00:01', mtu: 1442, sandbox: `/run/netns/${netns}` },
    ],
    ips: [{ address: '192.168.1.2/29', gateway: '192.168.1.1', interface: 1 }],
    routes: [{ dst: '0.0.0.0/0', gw: '192.168.1.1' }],
    dns: {},
  })
  expect(code).toBe(0)
  const [link] = await left()
  expect(await lab.ovs.vsctl('get', 'port', link ?? '', 'tag')).toBe('11')
  expect(await lab.ovs.vsctl('get', 'interface', link ?? '', 'external_ids:lport_id')).toContain(PORTS[0]?.id ?? '')
  expect(await lab.ovs.vsctl('get', 'interface', link ?? '', 'external_ids:weft-underlay-pod')).toBe('"default/web-0"')
  expect(await inPod(netns, 'ip', '-4', 'addr', 'show', 'dev', 'eth0')).toContain('inet 192.168.1.2/29')
  expect(await inPod(netns, 'ip', 'route')).toContain('default via 192.168.1.1 dev eth0')
  const config = { prevResult: answer }
  expect(await lab.cni('CHECK', { container: 'one', netns, config })).toEqual({ code: 0, answer: undefined })
  await lab.ovs.vsctl('set', 'port', link ?? '', 'tag=7')
  expect((await lab.cni('CHECK', { container: 'one', netns, config })).answer).toEqual(
    expect.objectContaining({ code: 120, msg: expect.stringContaining('has VLAN 7 instead of 11') }),
  )
  expect(await lab.cni('DEL', { container: 'one', netns })).toEqual({ code: 0, answer: undefined })
  expect(await left()).toEqual([])
  expect(await lab.cni('DEL', { container: 'one' })).toEqual({ code: 0, answer: undefined })
})

test('frames leave the machine with the VLAN of the pod, and come in by it', async () => {
  const netns = lab.pod('wire')
  const { answer } = await lab.cni('ADD', { container: 'wire', netns })
  const { ips } = answer as { ips: readonly { address: string }[] }
  const vlan = PORTS.find(({ address }) => ips[0]?.address.startsWith(address))?.vlan
  const capture = Bun.spawn(['nsenter', `--net=/run/netns/${lab.node}`, 'tcpdump', '-lnei', 'wire', '-c', '1', 'arp'], {
    stdout: 'pipe',
    stderr: 'pipe',
  })
  for (let pings = 0; pings < 50 && capture.exitCode === null; pings += 1) {
    await inPod(netns, 'ping', '-c', '1', '-W', '1', '192.168.1.1')
  }
  const told = await new Response(capture.stdout).text()
  expect(told).toContain(`vlan ${vlan}`)
  expect(told).toContain('who-has 192.168.1.1')
  await lab.cni('DEL', { container: 'wire', netns })
})

test('of many that ask at once as many get a port as there are, and each another one', async () => {
  const pods = Array.from({ length: 12 }, (_, i) => lab.pod(`many${i}`))
  const answers = await Promise.all(pods.map((netns, i) => lab.cni('ADD', { container: `many${i}`, netns })))
  const given = answers.filter(({ code }) => code === 0).map(({ answer }) => answer as { ips: { address: string }[] })
  expect(new Set(given.map(({ ips }) => ips[0]?.address)).size).toBe(5)
  expect(given).toHaveLength(5)
  for (const { answer } of answers.filter(({ code }) => code !== 0)) {
    expect(answer).toEqual(
      expect.objectContaining({ code: 169, msg: 'all 5 ports of logical switch ls-worker1 have pods' }),
    )
  }
  // A full node is a ready one: kubelets would take it out of service.
  expect((await lab.cni('STATUS', {})).code).toBe(0)
  const valid = [{ containerID: pods.length === 0 ? '' : 'many0', ifname: 'eth0' }]
  await lab.cni('GC', { config: { 'cni.dev/valid-attachments': valid } })
  expect((await left()).length).toBeLessThanOrEqual(2)
  await lab.cni('GC', { config: { name: 'other', 'cni.dev/valid-attachments': [] } })
  await lab.cni('GC', { config: { 'cni.dev/valid-attachments': [] } })
  expect(await left()).toEqual([])
})

test('the same call twice gives the same address; another pod gets the one that rested longest', async () => {
  const [a, b] = [lab.pod('a'), lab.pod('b')]
  const address = async (container: string, netns: string): Promise<string> => {
    const { answer } = await lab.cni('ADD', { container, netns })
    return (answer as { ips: { address: string }[] }).ips[0]?.address ?? JSON.stringify(answer)
  }
  const first = await address('a', a)
  expect(await address('a', a)).toBe(first)
  await lab.cni('DEL', { container: 'a', netns: a })
  const second = await address('b', b)
  expect(second).not.toBe(first)
  await lab.cni('DEL', { container: 'b', netns: b })
})

test('a kill at any time leaves nothing that DEL does not take away', async () => {
  const netns = lab.pod('killed')
  for (let after = 40; after <= 400; after += 60) {
    const child = lab.spawn('ADD', { container: 'killed', netns })
    await Bun.sleep(after)
    child.kill('SIGKILL')
    await child.exited
    expect((await lab.cni('DEL', { container: 'killed', netns })).code).toBe(0)
    expect([after, await left()]).toEqual([after, []])
    expect(await inPod(netns, 'ip', '-br', 'link')).not.toContain('eth0')
  }
})

test('a container that is gone is detached without its namespace', async () => {
  const netns = lab.pod('gone')
  await lab.cni('ADD', { container: 'gone', netns })
  await lab.on('ip', 'netns', 'del', netns)
  expect((await lab.cni('DEL', { container: 'gone', netns })).code).toBe(0)
  expect(await left()).toEqual([])
})

describe('every version', () => {
  test.each(CNI_VERSIONS)('%s, also under the name ovn', async (cniVersion) => {
    const netns = lab.pod(`v${cniVersion}`)
    const call = { container: `v${cniVersion}`, netns, type: 'ovn', config: { cniVersion } } as const
    const { code, answer } = await lab.cni('ADD', call)
    expect([code, answer]).toEqual([0, expect.objectContaining({ cniVersion })])
    expect((await lab.cni('DEL', call)).code).toBe(0)
  })
})

test.each([
  ['groups', { securityGroups: ['a'] }, 7, 'ports are made in advance, by lswitch-setup --security-group'],
  ['an IPAM plugin', { ipam: { type: 'host-local' } }, 7, 'addresses come with the ports'],
  ['a bridge that is not there', { bridge: 'br-no' }, 146, 'has no bridge br-no'],
  ['a switch that does not answer', { ovsdb: '/nowhere.sock' }, 11, 'Open vSwitch cannot be reached'],
])('%s: refused, and nothing is left', async (name, config, code, words) => {
  const netns = lab.pod(`r${name.length}`)
  const { answer } = await lab.cni('ADD', { container: 'refused', netns, config })
  expect(answer).toEqual(expect.objectContaining({ code, msg: expect.stringContaining(words) }))
  expect(await left()).toEqual([])
})

test('an interface of somebody else in the pod is left alone', async () => {
  const netns = lab.pod('foreign')
  await lab.on('ip', '-n', netns, 'link', 'add', 'eth0', 'type', 'bridge')
  expect((await lab.cni('ADD', { container: 'foreign', netns })).answer).toEqual(expect.objectContaining({ code: 102 }))
  expect(await inPod(netns, 'ip', '-br', 'link')).toContain('eth0')
  expect(await left()).toEqual([])
})

test.each([
  ['lport-cache', '{"x": 1}'],
  ['weft-underlay', '{"state": "whatever"}'],
])('B14: with a hand-edited %s an ADD is refused, and DEL and GC free what there is', async (key, edited) => {
  const [kept, gone] = [lab.pod(`kept-${key}`), lab.pod(`gone-${key}`)]
  await lab.cni('ADD', { container: 'kept', netns: kept })
  await lab.cni('ADD', { container: 'gone', netns: gone })
  const before = await lab.ovs.vsctl('get', 'open_vswitch', '.', `external_ids:${key}`)
  await lab.ovs.vsctl('set', 'open_vswitch', '.', `external_ids:${key}=${edited}`)
  try {
    const { answer } = await lab.cni('ADD', { container: 'new', netns: lab.pod(`new-${key}`) })
    expect(answer).toEqual(expect.objectContaining({ msg: expect.stringContaining(`external_ids:${key}`) }))
    expect(await lab.cni('DEL', { container: 'new' })).toEqual({ code: 0, answer: undefined })
    expect(await lab.cni('DEL', { container: 'kept', netns: kept })).toEqual({ code: 0, answer: undefined })
    const config = { 'cni.dev/valid-attachments': [] }
    expect(await lab.cni('GC', { config })).toEqual({ code: 0, answer: undefined })
    expect(await left()).toEqual([])
  } finally {
    await lab.ovs.vsctl('set', 'open_vswitch', '.', `external_ids:${key}=${before}`)
  }
})

test('without ports the node says so, and what to do', async () => {
  const keys = await lab.ovs.vsctl('get', 'open_vswitch', '.', 'external_ids:lport-cache')
  await lab.ovs.vsctl('remove', 'open_vswitch', '.', 'external_ids', 'lport-cache')
  const netns = lab.pod('none')
  expect((await lab.cni('ADD', { container: 'none', netns })).answer).toEqual(
    expect.objectContaining({ code: 11, details: expect.stringContaining('lswitch-setup') }),
  )
  expect((await lab.cni('STATUS', {})).answer).toEqual(expect.objectContaining({ code: 50 }))
  await lab.ovs.vsctl('set', 'open_vswitch', '.', `external_ids:lport-cache=${keys}`)
  expect((await lab.cni('STATUS', {})).code).toBe(0)
})
