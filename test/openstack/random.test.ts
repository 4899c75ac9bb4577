/**
 * Pods that come and go at random, by `ipam-neutron` without an agent, with a line to Neutron that loses, delays and cuts: at the
 * end no port is left, and none is there twice. `npm run test:openstack`; WEFT_OPENSTACK_PODS says how many.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { machineId } from '../../src/files/machine-id.ts'
import type { Port } from '../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { type Mishap, NeutronProxy } from './cloud/proxy.ts'
import { environmentOf, type IpamCall, IpamCaller, netconfOf } from './ipam/caller.ts'

setDefaultTimeout(3_600_000)

const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0
const PODS = Number(process.env['WEFT_OPENSTACK_PODS'] ?? 500)
/** Calls at a time. */
const WORKERS = 6
/** Pods that are served by a program, which is killed. */
const KILLED = 10

let running: Cloud | undefined
let cloud: Cloud

beforeAll(async () => {
  if (!wanted) return
  running = await Cloud.start(['ovs'])
  cloud = running
}, 600_000)
afterAll(() => running?.stop(), 60_000)

interface Pod {
  readonly id: string
  readonly networks: readonly string[]
  /** What its last ADD gave. */
  addresses: readonly string[]
}

describe.skipIf(!wanted)(`${PODS} pods at random (npm run test:openstack)`, () => {
  const random = Math.random
  const chance = (probability: number): boolean => random() < probability
  let neutron: Neutron
  const proxies: NeutronProxy[] = []
  let proxy: NeutronProxy
  let ipam: IpamCaller
  let networks: readonly string[]
  let keystone: ReturnType<typeof Bun.serve>
  const counted = { add: 0, failed: 0, ended: 0, killed: 0, mishaps: 0, requests: 0 }

  beforeAll(async () => {
    neutron = cloud.client('ovs', 'cni')
    proxy = await troubled()
    networks = await Promise.all(
      ['10.81.0.0/20', '10.82.0.0/20'].map(async (cidr) => {
        const { id } = await neutron.networks.create({ name: `random-${cidr}` })
        await neutron.subnets.create({ networkId: id, name: 'random', cidr, hasDhcp: false })
        return id
      }),
    )
    keystone = await tokenAgain(cloud.authUrl)
    // As the program is that is killed.
    ipam = new IpamCaller(cloud, 'ovs', { node: hostname(), machine: machineId() })
  })
  afterAll(async () => {
    for (const one of proxies) await one.stop()
    await keystone.stop(true)
    for (const networkId of networks) {
      for (const { id } of await neutron.ports.list({ networkId })) await neutron.ports.delete(id)
      await neutron.networks.delete(networkId)
    }
  })

  /** A line to Neutron that fails one request in five, in one of many ways. */
  async function troubled(): Promise<NeutronProxy> {
    const made = await NeutronProxy.start(cloud.neutronUrl('ovs'))
    proxies.push(made)
    made.mishap = () => {
      counted.requests += 1
      if (!chance(0.2)) return undefined
      counted.mishaps += 1
      return MISHAPS[Math.floor(random() * MISHAPS.length)]
    }
    return made
  }

  const callOf = ({ id, networks: asked }: Pick<Pod, 'id' | 'networks'>, address = proxy.address): IpamCall => ({
    ...{ networks: asked, version: '1.1.0', containerId: id },
    account: { authUrl: `http://127.0.0.1:${keystone.port}/v3`, networkEndpoint: address },
  })
  const ours = async (): Promise<readonly Port[]> =>
    (await Promise.all(networks.map((networkId) => neutron.ports.list({ networkId, tags: ['weft'] })))).flat()

  /** As a runtime: what fails is deleted, and tried again. */
  async function add(pod: Pod): Promise<boolean> {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      counted.add += 1
      const ending = new AbortController()
      const timer = chance(0.1) ? setTimeout(() => ending.abort(), random() * 1_500) : undefined
      if (timer !== undefined) counted.ended += 1
      const { status, answer } = await ipam.call('ADD', callOf(pod), { signal: ending.signal })
      clearTimeout(timer)
      if (status === 0) {
        pod.addresses = answer.ips.map(({ address }: { address: string }) => address.replace(/\/.*/, ''))
        return true
      }
      counted.failed += 1
      // A runtime that was killed itself does not.
      if (chance(0.7)) await del(pod)
    }
    return false
  }

  async function del(pod: Pod): Promise<void> {
    for (;;) {
      if ((await ipam.call('DEL', callOf(pod))).status === 0) return
      counted.failed += 1
    }
  }

  /** A program of its own, killed at any moment. What it asked Neutron for comes to its end all the same. */
  async function addAndKill(pod: Pod): Promise<void> {
    const line = await troubled()
    const call = callOf(pod, line.address)
    const child = Bun.spawn([join(import.meta.dir, '../../dist/weft')], {
      argv0: 'cni-ipam-neutron',
      env: environmentOf('ADD', call),
      stdin: new TextEncoder().encode(netconfOf(cloud, 'ovs', call)),
      stdout: 'ignore',
    })
    const killAt = Math.floor(random() * 4)
    while (line.heard.length < killAt && child.exitCode === null) await Bun.sleep(5)
    child.kill('SIGKILL')
    await child.exited
    counted.killed += 1
    while (line.pending > 0) await Bun.sleep(20)
  }

  test('no port is left, and none is there twice', async () => {
    const pods: Pod[] = Array.from({ length: PODS }, (_, at) => ({
      id: `${at.toString(16).padStart(8, '0')}${'ab'.repeat(28)}`,
      networks: chance(0.2) ? networks : [networks[at % 2] ?? ''],
      addresses: [],
    }))
    const standing = new Set<Pod>()
    await byWorkers(pods, async (pod) => {
      if (pods.indexOf(pod) % Math.ceil(PODS / KILLED) === 0) await addAndKill(pod)
      if (chance(0.9) && (await add(pod))) standing.add(pod)
      else await del(pod)
      const [other] = chance(0.7) ? standing : []
      if (other === undefined) return
      standing.delete(other)
      // Somebody is asked for again, or goes.
      if (chance(0.2) && (await add(other))) standing.add(other)
      else await del(other)
    })
    const there = await ours()
    const told = [...standing].flatMap((pod) => pod.addresses.map((address) => `weft:${pod.id}/dummy0 ${address}`))
    const found = there.map(({ deviceId, fixedIps }) => `${deviceId} ${fixedIps.map(({ address }) => address).join()}`)
    expect(found.toSorted()).toEqual(told.toSorted())
    expect(new Set(there.flatMap(({ fixedIps }) => fixedIps.map(({ address }) => address))).size).toBe(there.length)
    await byWorkers([...standing], del)
    const left = (await ours()).length
    console.log(JSON.stringify({ pods: PODS, standing: standing.size, ...counted, left }))
    expect(left).toBe(0)
  })
})

/** What happens to a request; half of them as networks do it, half as servers. */
const MISHAPS: readonly Mishap[] = [
  { kind: 'late', by: 300 },
  { kind: 'refused', status: 500 },
  { kind: 'refused', status: 503 },
  { kind: 'lost', status: 500 },
  { kind: 'lost', status: 503 },
  { kind: 'cut' },
  { kind: 'cut-after' },
  { kind: 'half' },
]

/** Keystone takes its time for each password, and it is not Keystone that is tried: its answer of once, again and again. */
async function tokenAgain(authUrl: string): Promise<ReturnType<typeof Bun.serve>> {
  const domain = { name: 'default' }
  const user = { name: 'cni', domain, password: 'cni' }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: 'k8s', domain } },
  }
  const answer = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
    keepalive: false,
  })
  const headers = { 'x-subject-token': answer.headers.get('x-subject-token') ?? '' }
  const body = await answer.text()
  return Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(body, { status: 201, headers }) })
}

/** Does one after another, several at a time. */
async function byWorkers<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: WORKERS }, worker))
}
