/**
 * A pod that comes when a policy stands already: it asks from its first moment on, and nothing of it gets out.
 * @module
 */
import { networkPolicy } from '../../tables/policy/objects.ts'
import type { Cluster } from '../cluster.ts'
import { pod } from '../objects.ts'
import type { Report } from '../report.ts'
import { readWorld } from './api-world.ts'
import { NET_IMAGE } from './image.ts'
import { saidBy } from './pods.ts'
import { policyObject } from './steering.ts'

const NAMESPACE = 'late'
/** So many on each node, one after the other. */
const TIMES = 3
const SECONDS = 4

/** Shows it on every node; once without the policy, to know that they would be heard. */
export async function showFirstMoment(rig: Cluster, report: Report): Promise<void> {
  report.section('A pod’s first moment')
  await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  await rig.ask('-n', NAMESPACE, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s')
  await showPods(rig, report, 'free', true)
  await rig.apply(policyObject(networkPolicy(NAMESPACE, 'nothing-out', [], { egress: [] })))
  for (let time = 1; time <= TIMES; time += 1) await showPods(rig, report, `closed-${time}`, false)
  await rig.ask('delete', 'namespace', NAMESPACE, '--wait=false')
}

async function showPods(rig: Cluster, report: Report, prefix: string, isFree: boolean): Promise<void> {
  const { pods } = await readWorld(rig)
  const targets = pods
    .filter(({ namespace }) => namespace === 'x' || namespace === 'y')
    .flatMap((target) =>
      target.addresses.flatMap((address) =>
        ['tcp', 'udp', 'icmp'].map(
          (kind) => `${kind},${address},${kind === 'icmp' ? 0 : 80},${saidBy(target)},${isFree ? 'news' : 'no'}`,
        ),
      ),
    )
  const names = rig.places.nodes.map((node) => `${prefix}-${node.name}`)
  const container = { image: NET_IMAGE }
  const command = ['net', 'ask', ...targets]
  await rig.apply(
    ...rig.places.nodes.map(({ name: node }) =>
      pod({ name: `${prefix}-${node}`, namespace: NAMESPACE, node, command, container }),
    ),
  )
  const wait = names.map((name) => `pod/${name}`)
  await rig.ask('-n', NAMESPACE, 'wait', ...wait, '--for=condition=Ready', '--timeout=90s')
  await Bun.sleep(SECONDS * 1000)
  for (const name of names) {
    const heard = await whoWasHeard(rig, name)
    const { results, addresses } = heard
    const answered = results.replaceAll('n', '').length
    const line = `${name}: ${results.length} questions from its first moment on, ${answered} answered, heard by ${heard.by} servers`
    const isRight = isFree ? answered > 0 && heard.by > 0 : answered === 0 && heard.by === 0 && results.length > 0
    report.check(isRight && addresses.length > 0, line)
  }
  await rig.ask('-n', NAMESPACE, 'delete', ...wait, '--wait=true')
}

interface Heard {
  readonly results: string
  readonly addresses: readonly string[]
  /** Servers that had a datagram of it. */
  readonly by: number
}

async function whoWasHeard(rig: Cluster, name: string): Promise<Heard> {
  const { pods } = await readWorld(rig)
  const addresses = pods.find((one) => one.namespace === NAMESPACE && one.name === name)?.addresses ?? []
  const rounds = (await rig.ask('-n', NAMESPACE, 'logs', name)).split('\n')
  const servers = pods.filter(({ namespace }) => namespace === 'x' || namespace === 'y')
  const logs = await Promise.all(servers.map((one) => rig.ask('-n', one.namespace, 'logs', one.name)))
  const asked = (log: string): boolean =>
    log.split('\n').some((line) => addresses.some((address) => line === `asked by ${address}`))
  return { results: rounds.map((line) => line.split(' ')[3] ?? '').join(''), addresses, by: logs.filter(asked).length }
}
