/**
 * A policy that is not understood: it is closed, and its status says why.
 * @module
 */
import type { Cluster } from '../cluster.ts'
import { waitFor } from '../programs.ts'
import type { Report } from '../report.ts'
import { readWorld } from './api-world.ts'
import { checkAsked } from './asking.ts'
import { oracleSays, questionsOf } from './questions.ts'

const NAME = 'strange'

/** Egress to nodes by their labels is of a later day. */
const STRANGE = {
  apiVersion: 'policy.networking.k8s.io/v1alpha1',
  kind: 'AdminNetworkPolicy',
  metadata: { name: NAME },
  spec: {
    priority: 3,
    subject: {
      pods: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'x' } },
        podSelector: { matchLabels: { pod: 'a' } },
      },
    },
    egress: [{ name: 'nodes', action: 'Deny', to: [{ nodes: { matchLabels: { role: 'secret' } } }] }],
  },
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** Shows that nobody gets through where it may have said so, and what its status says. */
export async function showStrangePolicy(rig: Cluster, report: Report): Promise<void> {
  report.section('A policy that is not understood')
  await rig.apply(STRANGE)
  const start = performance.now()
  const world = await readWorld(rig)
  const source = world.pods.find(({ namespace, name }) => namespace === 'x' && name === 'a')
  if (source === undefined) throw new Error('there is no x/a')
  const questions = questionsOf(world, source, world.pods)
  const expected = oracleSays(world, questions)
  const isClosed = expected.every((one) => !one)
  report.check(isClosed, 'the oracle lets nothing leave x/a')
  const line = `AdminNetworkPolicy ${NAME}, which denies to nodes: nothing leaves x/a`
  await checkAsked(rig, report, line, [source, questions, expected])
  let condition: Condition | undefined
  const hasCondition = async (): Promise<boolean> => {
    const object = await rig.get<{ readonly status?: { readonly conditions?: readonly Condition[] } }>(
      'adminnetworkpolicies.policy.networking.k8s.io',
      NAME,
    )
    condition = object.status?.conditions?.find(({ type }) => type === 'Accepted')
    return condition !== undefined
  }
  await waitFor('it has a condition', hasCondition, { milliseconds: 20_000 }).catch(() => undefined)
  const isTold = condition?.status === 'False' && condition.message.includes('spec.egress[0].to[0].nodes')
  const after = ((performance.now() - start) / 1000).toFixed(1)
  report.check(isTold, `its status says why after ${after} s: ${JSON.stringify(condition)}`)
  await rig.ask('delete', 'adminnetworkpolicies.policy.networking.k8s.io', NAME)
}
