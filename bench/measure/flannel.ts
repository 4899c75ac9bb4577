/**
 * flannel's three back ends between two machines that are namespaces: how long until pods reach each other, how fast they
 * talk, and how long they do not when a link dies or the back end is changed. Beside them the same machines without pods.
 * @module
 */
import { until } from '../../src/playground/processes.ts'
import { attempt, type Host, inside, MASTER, obstacle, PREFIX, Rig } from '../../test/flannel/rig.ts'
import { median, type Result } from '../result.ts'
import { cellsOf, type FabricRow, type Reached, reached } from '../rig/fabric-row.ts'
import { PingTrace } from '../rig/reach.ts'
import { type End, loseSegment, type Segment } from '../rig/segment.ts'
import { cutCable, type Effort } from '../rig/talk.ts'

const BACKENDS = ['vxlan', 'host-gw', 'udp'] as const
type Backend = (typeof BACKENDS)[number]
const MTUS = { vxlan: 1450, 'host-gw': 1500, udp: 1472 } as const
const PATIENCE_MS = 60_000

/** Cells of each back end. Throws where namespaces, etcd or ping are missing. */
export async function measureFlannel(effort: Effort): Promise<readonly Result[]> {
  const lacking = obstacle()
  if (lacking !== undefined) throw new Error(lacking)
  const rig = new Rig(2)
  try {
    await rig.up()
    // Every back end is changed to from the one before it, the first from the last.
    await rig.configure(3, configOf(BACKENDS[2]))
    const [one, two] = [rig.host(1), rig.host(2)]
    for (const host of rig.hosts) host.start()
    await rig.dockAll()
    await rig.expectMesh()
    const peer = await reached({ from: one.namespace, to: two.namespace, address: two.address }, effort)
    const results: Result[] = []
    for (const backend of BACKENDS) results.push(...cellsOf(await measureOne(rig, backend, peer, effort)))
    return results
  } finally {
    await rig.down()
  }
}

async function measureOne(rig: Rig, backend: Backend, peer: Reached, effort: Effort): Promise<FabricRow> {
  const [one, two] = [rig.host(1), rig.host(2)]
  const changed = await changeTo(rig, backend)
  // A busy machine's daemon may not have written it yet, and pods would keep the other's.
  await Promise.all(rig.hosts.map((host) => until(() => hasMtu(host, MTUS[backend]), PATIENCE_MS)))
  await rig.dockAll()
  await rig.expectMesh()
  const pair = { from: one.pod, to: two.pod, address: await two.podAddress }
  const pods = await reached(pair, effort)
  const setUps: number[] = []
  for (let round = 0; round < effort.rounds; round += 1) setUps.push(await setUpAgain(one, pair.address))
  const cable = (state: 'up' | 'down') => inside(rig.wire, 'ip', 'link', 'set', `host${one.index}`, state)
  const outage = await cutCable(pair, cable, effort.rounds)
  const dies = await loseSegment(pair, segmentOf(rig), effort.rounds, () => rig.expectMesh())
  const isAlone = backend === 'host-gw'
  return { name: `flannel, ${backend}`, pods, peer, setUp: median(setUps), outage, dies, changed, isAlone }
}

/** Where all cables meet is a router as well. */
function segmentOf(rig: Rig): Segment {
  const end = ({ namespace, index, address }: Host): End => ({
    netns: namespace,
    port: `host${index}`,
    addresses: [address],
  })
  return {
    netns: rig.wire,
    ends: [end(rig.host(1)), end(rig.host(2))],
    router: { netns: rig.wire, addresses: [MASTER] },
  }
}

/** Of a machine that had nothing but its bridge, in seconds from the start of the daemon to the first answer. */
async function setUpAgain(host: Host, address: string): Promise<number> {
  await host.stop()
  for (const link of ['flannel.1', 'flannel0']) await attempt(host.namespace, 'ip', 'link', 'delete', link)
  await attempt(host.namespace, 'ip', 'route', 'flush', 'proto', '77')
  const trace = new PingTrace(host.pod, address)
  await Bun.sleep(500)
  const since = Date.now() / 1000
  host.start()
  const first = await trace.answerAfter(since)
  await trace.stop()
  return first - since
}

/** Both machines' daemons are started anew with the other configuration: the longest silence meanwhile, in seconds. */
async function changeTo(rig: Rig, backend: Backend): Promise<number> {
  const [one, two] = [rig.host(1), rig.host(2)]
  const trace = new PingTrace(one.pod, await two.podAddress)
  await Bun.sleep(500)
  await rig.etcdctl(3, 'put', `${PREFIX}/config`, configOf(backend))
  for (const host of rig.hosts) await host.stop()
  const since = Date.now() / 1000
  for (const host of rig.hosts) host.start()
  await Bun.sleep(SWITCH_MS)
  await trace.answerAfter(since + SWITCH_MS / 1000)
  return (await trace.stop()).longestGap
}

async function hasMtu(host: Host, mtu: number): Promise<boolean> {
  return (await host.env()).get('FLANNEL_MTU') === String(mtu)
}

/** Both machines have switched by then. */
const SWITCH_MS = 4_000

function configOf(backend: Backend): string {
  return JSON.stringify({ Network: '10.1.0.0/16', Backend: { Type: backend } })
}
