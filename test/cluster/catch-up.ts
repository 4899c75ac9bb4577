/**
 * How long it takes until everybody knows of what happened while the API was away: what Weft does by itself, apart from
 * what needs Kubernetes' own scheduler and kubelets, which have a pace of their own.
 * @module
 */
import { until } from '../../src/playground/processes.ts'
import { countCalls } from './api-log.ts'
import type { Cluster } from './cluster.ts'
import { namespace, pod } from './objects.ts'
import { waitFor } from './programs.ts'
import type { Report } from './report.ts'
import { inPod } from './sandboxes.ts'
import type { StandingPod } from './traffic.ts'
import { showAudits, type Weft } from './weft.ts'

const PATIENCE = 60_000
const COUNTED = 10_000

/** Who takes part. */
export interface CatchUpOptions {
  readonly weft: Weft
  /** Calls a service whose only endpoint is `to`. */
  readonly from: StandingPod
  readonly to: StandingPod
  /** Part of the names of what is made. */
  readonly label: string
  readonly report: Report
}

/** Gives the API back, then makes changes and waits for their effects. */
export async function showCatchUp(rig: Cluster, options: CatchUpOptions, giveBack: () => Promise<void>): Promise<void> {
  const { from, label, report, weft } = options
  const start = performance.now()
  const since = new Date()
  const elapsed = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`
  await giveBack()
  await waitFor(
    'the API answers',
    async () => (await rig.kubectl(['get', '--raw', '/readyz', '--request-timeout=2s'])).code === 0,
  )
  report.note(`the API answers again after ${elapsed()}; what follows counts from its return as well`)
  await waitFor('the API takes changes', () =>
    attempted(() => rig.apply(namespace(`late-${label}`), ...serviceTo(options))),
  )
  const known = await until(
    async () => (await rig.kubectl(['get', 'netnamespace', `late-${label}`])).code === 0,
    PATIENCE,
  )
  report.check(known, `controller: a new namespace has its VNI after ${elapsed()}`)
  const address = await rig.ask(
    'get',
    'service',
    `late-${label}`,
    '-n',
    from.namespace,
    '-o',
    'jsonpath={.spec.clusterIP}',
  )
  const curl = ['curl', '-sf', '--noproxy', '*', '--max-time', '1', '-o', '/dev/null', `http://${address}/`]
  const serves = await until(async () => (await inPod(rig.places, from, curl)).code === 0, PATIENCE)
  report.check(serves, `agents: a new service answers after ${elapsed()}`)
  const name = `late-${label}`
  await rig.apply(pod({ name, namespace: from.namespace }))
  await rig.ask('-n', from.namespace, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=180s')
  report.check(true, `everybody: a new pod is scheduled and runs after ${elapsed()}`)
  await waitFor('every node is ready', async () => (await rig.readyNodes()).length === rig.places.nodes.length)
  report.check(true, `every node is Ready after ${elapsed()}`)
  await showAudits(rig, weft, report)
  const { total, peak } = countCalls(rig.places, since, COUNTED)
  report.note(
    `requests of Weft's agents and controllers in the first ${COUNTED / 1000} s: ${total}, in one second at most ${peak}`,
  )
  await rig.ask('delete', '-n', from.namespace, `pod/${name}`, `service/${name}`, '--wait=true')
}

/** A service without a selector: nobody but Weft has anything to do for it. */
function serviceTo({ to, label }: CatchUpOptions): readonly object[] {
  const metadata = { name: `late-${label}`, namespace: to.namespace }
  const labels = { 'kubernetes.io/service-name': metadata.name }
  const endpoints = [{ addresses: to.ips.slice(0, 1), conditions: { ready: true } }]
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80, targetPort: 8080 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels },
      addressType: 'IPv4',
      endpoints,
      ports: [{ port: 8080, protocol: 'TCP', name: '' }],
    },
  ]
}

async function attempted(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    return false
  }
}
