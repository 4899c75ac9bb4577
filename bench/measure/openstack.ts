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
import { call, type Sandbox } from '../rig/plugin.ts'
import { weft } from '../rig/program.ts'
import type { Rig } from '../rig/rig.ts'

const DRIVER = 'ovs'
const POST = 'POST of a port, token at hand'
const RANGE = 'the same out of the node’s range'
/** Of pools with new ports, so that no port has to rest; fewer than make the controller expect more pods. */
const ROUNDS_OF_A_POOL = 5
/** Ports that are ready. */
const READY = 2
/** After a pod was announced, and between two calls: one does not pay for what the other left running. */
const PAUSE_MS = 100

/** Milliseconds of each. */
type Samples = Record<
  'range' | 'warm' | 'cold' | 'alone' | 'post' | 'delRange' | 'delWarm' | 'delAlone' | 'delete',
  number[]
>

/** Rounds of all in turn, each begun when nothing is left to do for the controller. */
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
  const { pools, rig } = scene
  const samples = none()
  await step('Warming up', async () => {
    await pools.declare('first', READY)
    const pods = []
    for (let turn = 0; turn < ROUNDS_OF_A_POOL; turn += 1) pods.push(...(await pairOf(scene, 'first', turn, none())))
    for (const pod of pods) await called(rig, 'DEL', pod)
  })
  for (let lap = 0; lap < laps; lap += 1) {
    await step('Filling pools', async () => {
      await pools.declare(`warm-${lap}`, READY)
      await pools.declare(`cold-${lap}`, 0)
    })
    const rounds = []
    for (let turn = 0; turn < ROUNDS_OF_A_POOL; turn += 1) {
      const name = `Round ${lap * ROUNDS_OF_A_POOL + turn + 1} of ${laps * ROUNDS_OF_A_POOL}`
      rounds.push(await step(name, () => round(scene, { lap, turn }, samples)))
    }
    for (const [range, warm, cold] of rounds) {
      samples.delRange.push(await called(rig, 'DEL', range))
      samples.delWarm.push(await called(rig, 'DEL', warm))
      await called(rig, 'DEL', cold)
    }
  }
  return samples
}

function none(): Samples {
  return { range: [], warm: [], cold: [], alone: [], post: [], delRange: [], delWarm: [], delAlone: [], delete: [] }
}

/** Its pods stand until their lap ends: range, warm, cold. */
async function round(
  scene: Scene,
  { lap, turn }: { readonly lap: number; readonly turn: number },
  samples: Samples,
): Promise<readonly [Sandbox, Sandbox, Sandbox]> {
  const { rig, pools } = scene
  const [range, warm] = await pairOf(scene, `warm-${lap}`, turn, samples)
  // None is free: the pods before have them all.
  await pools.has(`cold-${lap}`, turn)
  const cold = await announced(scene, `cold-${lap}`)
  await Bun.sleep(PAUSE_MS)
  await timed(samples.cold, () => insisted(rig, cold))
  await pools.has(`cold-${lap}`, turn + 1)
  await withoutAgent(scene, `bench-${process.pid}-${lap}-${turn}`, samples)
  return [range, warm, cold]
}

/** A pod of the node's range and one with a port at hand; ends when there is another port in its place. */
async function pairOf(
  scene: Scene,
  network: string,
  turn: number,
  samples: Samples,
): Promise<readonly [Sandbox, Sandbox]> {
  const { rig, pools } = scene
  const range = await announced(scene)
  const warm = await announced(scene, network)
  const both = [['range', range] as const, ['warm', warm] as const]
  // Neither is always the first after the quiet.
  for (const [kind, pod] of turn % 2 === 0 ? both : both.toReversed()) samples[kind].push(await called(rig, 'ADD', pod))
  await pools.has(network, turn + 1 + READY)
  return [range, warm]
}

/** As a runtime does: where Neutron takes longer than the agent waits, the agent says that the call is to be made again. */
async function insisted(rig: Rig, sandbox: Sandbox): Promise<void> {
  for (let left = 5; ; left -= 1) {
    try {
      return void (await call(rig.ours(), 'ADD', sandbox))
    } catch (error) {
      if (left === 0 || !String(error).includes('(neutron-ports-none)')) throw error
    }
  }
}

/** `ipam-neutron` as a program, and a port by one call, in turn. */
async function withoutAgent(scene: Scene, name: string, samples: Samples): Promise<void> {
  const { networkId } = scene
  const { ports } = scene.pools.neutron
  const one = { networks: [networkId], version: '1.0.0', containerId: name }
  const port = await timed(samples.post, () => ports.create({ networkId, name }))
  await timed(samples.alone, () => program(scene, 'ADD', one))
  await timed(samples.delAlone, () => program(scene, 'DEL', one))
  await timed(samples.delete, () => ports.delete(port.id))
}

/** A pod to be: of the node's range, or of a network with a pool. */
async function announced({ rig, pools }: Scene, network?: string): Promise<Sandbox> {
  const [sandbox] = rig.sandboxes(1)
  if (sandbox === undefined) throw new Error('there is no sandbox')
  await pools.announce(sandbox, network)
  return sandbox
}

async function called(rig: Rig, verb: string, sandbox: Sandbox): Promise<number> {
  await Bun.sleep(PAUSE_MS)
  return (await call(rig.ours(), verb, sandbox)).ms
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

async function timed<T>(samples: number[], work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  samples.push(performance.now() - started)
  return result
}

function resultsOf(samples: Samples): readonly Result[] {
  const line = (what: string, kind: keyof Samples, peer: keyof Samples, peerName: string): Result => ({
    ...{ what, unit: 'ms', ours: median(samples[kind]), peer: median(samples[peer]), peerName },
  })
  return [
    {
      ...line('ADD, port at hand', 'warm', 'range', RANGE),
      target: { of: 'ratio', atMost: 1.2 },
      note: `${samples.warm.length} calls of each, in turn; a macvlan link with ipam-neutron, against an OVS port with isolation flows`,
    },
    line('the same, beside Neutron', 'warm', 'post', POST),
    {
      ...line('ADD, port has to be made', 'cold', 'post', POST),
      note: 'asked for in the registry, made by the controller with one POST, and a PUT for the pair on the VM’s port',
    },
    {
      ...line('ipam-neutron ADD, no agent', 'alone', 'post', POST),
      note: 'a process and a token each time, two look-ups and the port',
    },
    line('DEL, port of a pool', 'delWarm', 'delRange', RANGE),
    line('ipam-neutron DEL, no agent', 'delAlone', 'delete', 'DELETE of a port, token at hand'),
  ]
}

function skipped(missing: readonly string[]): Result {
  const note = `skipped: ${missing.join(', ')} missing; npm run test:openstack says what to install, WEFT_TEST_CLOUD names a cloud that runs`
  return { what: 'ADD, port at hand', unit: 'ms', note }
}
