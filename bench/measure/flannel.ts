/**
 * flannel's three back ends between two machines that are namespaces: how long until pods reach each other, how fast they
 * talk, and how long they do not when a link dies or the back end is changed. Beside them the same machines without pods.
 * @module
 */
import { until } from '../../src/playground/processes.ts'
import { attempt, type Host, inside, MASTER, obstacle, PREFIX, Rig } from '../../test/flannel/rig.ts'
import { median, type Result } from '../result.ts'
import { largestPacket, PingTrace } from '../rig/reach.ts'
import { type End, loseSegment, type Segment } from '../rig/segment.ts'
import { cutCable, type Effort, type Talk, talk } from '../rig/talk.ts'

const BACKENDS = ['vxlan', 'host-gw', 'udp'] as const
type Backend = (typeof BACKENDS)[number]
const MTUS = { vxlan: 1450, 'host-gw': 1500, udp: 1472 } as const
const PATIENCE_MS = 60_000

/** Lines for each back end. Throws where namespaces, etcd or ping are missing. */
export async function measureFlannel(effort: Effort): Promise<readonly Result[]> {
  const lacking = obstacle()
  if (lacking !== undefined) throw new Error(lacking)
  const rig = new Rig(2)
  try {
    await rig.up()
    await rig.configure(3, configOf('vxlan'))
    const [one, two] = [rig.host(1), rig.host(2)]
    for (const host of rig.hosts) host.start()
    await rig.dockAll()
    await rig.expectMesh()
    const plain = await talk({ from: one.namespace, to: two.namespace, address: two.address }, effort)
    const results: Result[] = []
    for (const backend of BACKENDS) results.push(...(await measureOne(rig, backend, plain, effort)))
    return results
  } finally {
    await rig.down()
  }
}

async function measureOne(rig: Rig, backend: Backend, plain: Talk, effort: Effort): Promise<readonly Result[]> {
  const [one, two] = [rig.host(1), rig.host(2)]
  const changed = await changeTo(rig, backend)
  // A busy machine's daemon may not have written it yet, and pods would keep the other's.
  await Promise.all(rig.hosts.map((host) => until(() => hasMtu(host, MTUS[backend]), PATIENCE_MS)))
  await rig.dockAll()
  await rig.expectMesh()
  const address = await two.podAddress
  const talked = await talk({ from: one.pod, to: two.pod, address }, effort)
  const largest = await largestPacket(one.pod, address)
  const setups: number[] = []
  for (let round = 0; round < effort.rounds; round += 1) setups.push(await setUpAgain(one, address))
  const cable = (state: 'up' | 'down') => inside(rig.wire, 'ip', 'link', 'set', `host${one.index}`, state)
  const cut = await cutCable({ from: one.pod, to: two.pod, address }, cable, effort.rounds)
  const lost = await loseSegment({ from: one.pod, to: two.pod, address }, segmentOf(rig), effort.rounds, () =>
    rig.expectMesh(),
  )
  const line = (what: string, unit: string, ours: number, peer?: number): Result => ({
    what: `flannel ${backend}: ${what}`,
    unit,
    ours,
    ...(peer === undefined ? {} : { peer, peerName: 'the machines themselves' }),
  })
  return [
    line('ping, median', 'ms', talked.pingMs, plain.pingMs),
    line('one TCP stream', 'Gbit/s', talked.gigabits, plain.gigabits),
    line('largest packet in one piece', 'bytes', largest),
    line('start of the daemon until pods answer', 's', median(setups)),
    line('no answer beyond a link’s outage of 2 s', 's', cut),
    line('lost when the link dies', 's', lost),
    ...(changed === undefined
      ? []
      : [line(`no answer while both machines change to it from ${changed.from}`, 's', changed.seconds)]),
  ]
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

/** Both machines' daemons are started anew with the other configuration. Undefined where it is what stands. */
async function changeTo(rig: Rig, backend: Backend) {
  const key = `${PREFIX}/config`
  const before = await rig.etcdctl(3, 'get', '--print-value-only', key)
  const from = BACKENDS.find((one) => configOf(one) === before)
  if (from === backend) return undefined
  const [one, two] = [rig.host(1), rig.host(2)]
  const trace = new PingTrace(one.pod, await two.podAddress)
  await Bun.sleep(500)
  await rig.etcdctl(3, 'put', key, configOf(backend))
  for (const host of rig.hosts) await host.stop()
  const since = Date.now() / 1000
  for (const host of rig.hosts) host.start()
  await Bun.sleep(SWITCH_MS)
  await trace.answerAfter(since + SWITCH_MS / 1000)
  const { longestGap } = await trace.stop()
  return { from: from ?? 'nothing', seconds: longestGap }
}

async function hasMtu(host: Host, mtu: number): Promise<boolean> {
  return (await host.env()).get('FLANNEL_MTU') === String(mtu)
}

/** Both machines have switched by then. */
const SWITCH_MS = 4_000

function configOf(backend: Backend): string {
  return JSON.stringify({ Network: '10.1.0.0/16', Backend: { Type: backend } })
}
