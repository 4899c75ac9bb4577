/**
 * Asks every agent and the registry at once.
 * @module
 */
import { kindWord } from '../../compat/bindings.ts'
import { REFUSED_KINDS } from '../../compat/calico/refused/kinds.ts'
import { refusedNow } from '../../compat/calico/refused/source.ts'
import { refusedLines } from '../../compat/calico/refused/words.ts'
import { linesOf } from '../../kube/invalid.ts'
import { NETWORK_SET_KINDS } from '../../network/model/network-set.ts'
import { POLICY_KINDS } from '../../network/model/policy.ts'
import { openPlace, type RegistryPlace } from '../../place/place.ts'
import type { Registry } from '../../registry/registry.ts'
import { InsightError } from '../errors.ts'
import type { ClusterView, RegistryView, SilentAgent } from '../view.ts'
import { AgentClient } from './agent-client.ts'
import type { Where } from './sockets.ts'

/** What is known now, and whom to ask for more. */
export interface Gathered {
  readonly view: ClusterView
  /** The agents that answered, by node. */
  readonly agents: ReadonlyMap<string, AgentClient>
}

/** What is known now. Throws `INSIGHT_AGENT_UNREACHABLE` when no agent answers at all. */
export async function gather(where: Where): Promise<Gathered> {
  const clients = where.agents.map((socket) => new AgentClient(socket))
  const [answers, registry] = await Promise.all([
    Promise.allSettled(clients.map((client) => client.facts())),
    where.registry === undefined ? undefined : lookUpAt(where.registry),
  ])
  const nodes = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const agents = answers.flatMap((answer, i) => {
    const client = clients[i]
    return answer.status === 'fulfilled' && client !== undefined ? [[answer.value.status.node, client] as const] : []
  })
  const silent = await Promise.all(
    answers.flatMap((answer, i) => {
      const client = clients[i]
      return answer.status === 'rejected' && client !== undefined ? [silentAgent(client, answer.reason)] : []
    }),
  )
  const [first] = silent
  if (nodes.length === 0 && first !== undefined && silent.every(({ status }) => status === undefined)) {
    throw new InsightError('INSIGHT_AGENT_UNREACHABLE', first.cause, first.remedy)
  }
  const view: ClusterView = {
    nodes: nodes.sort((a, b) => (a.status.node < b.status.node ? -1 : 1)),
    silent,
    registry: typeof registry === 'string' ? undefined : registry,
    ...(typeof registry === 'string' ? { registryProblem: registry } : {}),
  }
  return { view, agents: new Map(agents) }
}

/** What the registry knows, or why it does not tell. */
async function lookUpAt(place: RegistryPlace): Promise<RegistryView | string> {
  try {
    const { registry, unreadable, refused, close } = openPlace(place)
    const [view, found] = await Promise.all([lookUp(registry), refusedNow(refused, REFUSED_KINDS)]).finally(close)
    return { ...view, unreadable: linesOf(unreadable, kindWord), refused: refusedLines(found) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function lookUp(registry: Registry): Promise<RegistryView> {
  const [tenants, pods, networks, namespaces, policies, sets] = await Promise.all([
    registry.list('Tenant'),
    registry.list('Pod'),
    registry.list('NodeNetwork'),
    registry.list('Namespace'),
    Promise.all(POLICY_KINDS.map((kind) => registry.list(kind))),
    Promise.all(NETWORK_SET_KINDS.map((kind) => registry.list(kind))),
    // Of the configuration it matters whether it can be read: agents tell what it says.
    registry.list('Cluster'),
  ])
  return {
    tenants: tenants.objects.map(({ value }) => value),
    pods: pods.objects.map(({ value }) => value),
    networks: networks.objects.map(({ value }) => value),
    namespaces: namespaces.objects.map(({ value }) => value),
    policies: policies.flatMap(({ objects }) => objects.map(({ value }) => value)),
    sets: sets.flatMap(({ objects }) => objects.map(({ value }) => value)),
  }
}

async function silentAgent(client: AgentClient, reason: unknown): Promise<SilentAgent> {
  const told = reason instanceof InsightError ? reason : undefined
  const cause = reason instanceof Error ? reason.message : String(reason)
  const silent = { name: client.name, cause, remedy: told?.remedy ?? 'see the agent’s log' }
  // An agent that refuses to tell facts is there: most of all one that still waits for its range.
  const status = told?.code === 'INSIGHT_AGENT_REFUSED' ? await client.status().catch(() => undefined) : undefined
  return status === undefined ? silent : { ...silent, name: status.node, status }
}
