/**
 * The fabric of a rig: what each agent says of it in its pod, and changes.
 * @module
 */
import type { FabricView } from '../../../src/insight/fabric/fabric.ts'
import type { Cluster } from '../cluster.ts'
import { waitFor } from '../programs.ts'
import type { Report } from '../report.ts'

const NAMESPACE = 'weft-system'
const AGENTS = 'app.kubernetes.io/name=weft-agent'

/** A way that a cluster can want. */
export type Wanted = 'tunnel' | 'direct' | 'bgp'

/** Both nodes, one other each, two families. */
const ALL = 4

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly status: { readonly phase: string }
}

/** `kubectl patch` of the default ClusterNetwork; `kubectl` as it is typed is noted. */
export async function patchFabric(rig: Cluster, way: Wanted, report: Report): Promise<void> {
  const patch = JSON.stringify({ weft: { fabric: { way } } })
  const args = ['patch', 'clusternetwork', 'default', '--type', 'merge', '-p', patch]
  report.note(`$ kubectl ${args.slice(0, -1).join(' ')} '${patch}'\n${await rig.ask(...args)}`)
}

/** Waits until every agent says what the cluster wants, and shows it as `weft fabric show` prints it. */
export async function showFabric(rig: Cluster, wanted: Wanted, report: Report): Promise<void> {
  let views: readonly FabricView[] = []
  const isSo = async (): Promise<boolean> => {
    views = await fabricViews(rig)
    return isAsWanted(views, wanted)
  }
  const start = performance.now()
  await waitFor(`every way is ${wanted}`, isSo, { explain: async () => JSON.stringify(views, null, 2) })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const sessions = views.flatMap(({ sessions }) => sessions)
  const up = sessions.filter(({ isUp }) => isUp).length
  const of = wanted === 'bgp' ? `, ${up} of ${sessions.length} ends of BGP sessions are up` : ''
  report.check(true, `every agent says that all ${ALL} ways are ${wanted}${of} (${seconds} s after it was asked)`)
  for (const agent of await agentPods(rig)) {
    const { code, stdout, stderr } = await inAgent(rig, agent, 'weft', 'fabric', 'show')
    report.check(code === 0, `kubectl exec ${agent} -- weft fabric show`)
    report.note(`${stdout}${stderr}`)
  }
}

/** Runs a program in an agent's container. */
export function inAgent(rig: Cluster, agent: string, ...argv: readonly string[]): ReturnType<Cluster['kubectl']> {
  return rig.kubectl(['-n', NAMESPACE, 'exec', agent, '--', ...argv])
}

/** Names of the agents' pods that run. */
export async function agentPods(rig: Cluster): Promise<readonly string[]> {
  const { items } = await rig.get<{ readonly items: readonly PodObject[] }>('pods', '-n', NAMESPACE, '-l', AGENTS)
  return items
    .filter(({ metadata, status }) => status.phase === 'Running' && metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)
}

/** Has Kubernetes replace every agent's pod, one after the other; resolves when all are available. */
export async function replaceAgents(rig: Cluster, report: Report): Promise<void> {
  const rollout = async (...args: readonly string[]): Promise<void> => {
    report.note(`$ kubectl rollout ${args.join(' ')}\n${await rig.ask('-n', NAMESPACE, 'rollout', ...args)}`)
  }
  await rollout('restart', 'daemonset/weft-agent')
  await rollout('status', 'daemonset/weft-agent', '--timeout=120s')
}

async function fabricViews(rig: Cluster): Promise<readonly FabricView[]> {
  const said = await Promise.all(
    (await agentPods(rig)).map((agent) => inAgent(rig, agent, 'weft', 'fabric', 'show', '--json')),
  )
  return said.map(({ stdout }) => (stdout.startsWith('{') ? JSON.parse(stdout) : { ways: [], sessions: [] }))
}

/** BGP's sessions are there with its ways, and gone without them. */
function isAsWanted(views: readonly FabricView[], wanted: Wanted): boolean {
  const ways = views.flatMap((view) => view.ways)
  const sessions = views.flatMap((view) => view.sessions)
  return (
    views.every((view) => view.wanted?.way === wanted) &&
    ways.length === ALL &&
    ways.every((one) => one.way === wanted) &&
    sessions.length === (wanted === 'bgp' ? ALL : 0) &&
    sessions.every(({ isUp }) => isUp)
  )
}
