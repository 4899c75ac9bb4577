/**
 * What a pod's address out of Neutron costs, on a cloud that runs (`WEFT_TEST_CLOUD`), else on one of its own: an ADD by the agent with a port
 * that the controller has prepared, one that has to wait for a port, `ipam-neutron` as a program without an agent; beside a port that is
 * made by one call with a token at hand, and beside an ADD out of the node's own range.
 * @module
 */
import { Cloud, missingPrograms } from '../../test/openstack/cloud/cloud.ts'
import { step } from '../../test/openstack/cloud/programs.ts'
import { environmentOf, type IpamCall, netconfOf } from '../../test/openstack/ipam/caller.ts'
import { median, type Result } from '../result.ts'
import { NeutronPools } from '../rig/neutron-pools.ts'
import { call } from '../rig/plugin.ts'
import { weft } from '../rig/program.ts'
import type { Rig } from '../rig/rig.ts'

const DRIVER = 'ovs'
const POST = 'POST of a port, token at hand'
/** Of pools with new ports, so that no port has to rest; fewer than make the controller expect more pods. */
const ROUNDS_OF_A_POOL = 5
/** Ports that are ready. */
const READY = 2

const KINDS = ['range', 'warm', 'cold', 'alone', 'post', 'del', 'delete'] as const
type Samples = Record<(typeof KINDS)[number], number[]>

/** Rounds of all in turn, each begun when nothing is left to do for the controller. The first does not count. */
export async function measureOpenStack(rig: Rig, laps: number): Promise<readonly Result[]> {
  const missing = (process.env['WEFT_TEST_CLOUD'] ?? '') === '' ? missingPrograms() : []
  if (missing.length > 0) return [skipped(missing)]
  const cloud = await Cloud.start([DRIVER])
  try {
    const pools = await NeutronPools.start(rig, cloud, DRIVER)
    try {
      return resultsOf(await rounds({ rig, cloud, pools, networkId: await pools.network('plain') }, laps))
    } finally {
      await step('Clearing Neutron', () => pools.stop())
    }
  } finally {
    await cloud.stop()
  }
}

interface Scene {
  readonly rig: Rig
  readonly cloud: Cloud
  readonly pools: NeutronPools
  /** Of ports that no controller makes. */
  readonly networkId: string
}

async function rounds(scene: Scene, laps: number): Promise<Samples> {
  const all: Samples = { range: [], warm: [], cold: [], alone: [], post: [], del: [], delete: [] }
  for (let lap = 0; lap < laps; lap += 1) {
    await step('Filling pools', async () => {
      await scene.pools.declare(`warm-${lap}`, READY)
      await scene.pools.declare(`cold-${lap}`, 0)
    })
    for (let turn = 0; turn < ROUNDS_OF_A_POOL; turn += 1) {
      const name = `Round ${lap * ROUNDS_OF_A_POOL + turn + 1} of ${laps * ROUNDS_OF_A_POOL}`
      const ms = await step(name, () => round(scene, lap, turn))
      if (lap + turn > 0) for (const kind of KINDS) all[kind].push(ms[kind])
    }
  }
  return all
}

async function round(scene: Scene, lap: number, turn: number): Promise<Record<keyof Samples, number>> {
  const { pools, networkId } = scene
  const range = await added(scene)
  const warm = await added(scene, `warm-${lap}`)
  await pools.has(`warm-${lap}`, turn + 1 + READY)
  // None is free: the pods before have them all.
  await pools.has(`cold-${lap}`, turn)
  const cold = await added(scene, `cold-${lap}`)
  await pools.has(`cold-${lap}`, turn + 1)
  const name = `bench-${process.pid}-${lap}-${turn}`
  const { ports } = pools.neutron
  const [post, port] = await timed(() => ports.create({ networkId, name }))
  const one = { networks: [networkId], version: '1.0.0', containerId: name }
  const [alone] = await timed(() => program(scene, 'ADD', one))
  const [del] = await timed(() => program(scene, 'DEL', one))
  const [gone] = await timed(() => ports.delete(port.id))
  return { range, warm, cold, alone, post, del, delete: gone }
}

/** An ADD by the agent: of the node's range, or of a network with a pool. */
async function added({ rig, pools }: Scene, network?: string): Promise<number> {
  const [sandbox] = rig.sandboxes(1)
  if (sandbox === undefined) throw new Error('there is no sandbox')
  if (network !== undefined) await pools.announce(sandbox, network)
  return (await call(rig.ours(), 'ADD', sandbox)).ms
}

/** Without an agent: the program `weft` is the plugin. */
async function program({ rig, cloud }: Scene, verb: string, one: IpamCall): Promise<void> {
  const [file = '', ...words] = weft(rig.fromSource)
  const child = Bun.spawn([file, ...words], {
    argv0: 'cni-ipam-neutron',
    env: environmentOf(verb, one),
    stdin: new TextEncoder().encode(netconfOf(cloud, DRIVER, one)),
    stdout: 'pipe',
  })
  const said = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`ipam-neutron ${verb} failed: ${said}`)
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [number, T]> {
  const started = performance.now()
  const result = await work()
  return [performance.now() - started, result]
}

function resultsOf(samples: Samples): readonly Result[] {
  const p50 = (kind: keyof Samples): number => median(samples[kind])
  const line = (what: string, kind: keyof Samples, peer: keyof Samples, peerName: string): Result => ({
    ...{ what, unit: 'ms', ours: p50(kind), peer: p50(peer), peerName },
  })
  const range = 'ADD out of the node’s range'
  return [
    {
      ...line('ADD, port at hand', 'warm', 'range', range),
      target: { of: 'ratio', atMost: 1.2 },
      note: `${samples.warm.length} calls of each, in turn; a macvlan link with ipam-neutron, against an OVS port with isolation flows`,
    },
    line('the same', 'warm', 'post', POST),
    {
      ...line('ADD, port has to be made', 'cold', 'post', POST),
      note: 'asked for in the registry, made by the controller with one POST, and a PUT for the pair on the VM’s port',
    },
    {
      ...line('ipam-neutron ADD, no agent', 'alone', 'post', POST),
      note: 'a process and a token each time, two look-ups and the port',
    },
    line('ipam-neutron DEL, no agent', 'del', 'delete', 'DELETE of a port, token at hand'),
  ]
}

function skipped(missing: readonly string[]): Result {
  const note = `skipped: ${missing.join(', ')} missing; npm run test:openstack says what to install, WEFT_TEST_CLOUD names a cloud that runs`
  return { what: 'ADD, port at hand', unit: 'ms', note }
}
