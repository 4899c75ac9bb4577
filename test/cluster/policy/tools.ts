/**
 * What the tools say about a pair that policies keep apart: before the policy is applied, and after.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Policy } from '../../../src/network/model/policy.ts'
import type { Outcome } from '../../lab/command.ts'
import {
  allow,
  clusterPolicy,
  labelled,
  networkPolicy,
  podsIn,
  podsOf,
  port,
  rule,
} from '../../tables/policy/objects.ts'
import type { Cluster } from '../cluster.ts'
import { pkiFile } from '../places.ts'
import type { Report } from '../report.ts'
import { readWorld, resourceName } from './api-world.ts'
import { checkAsked } from './asking.ts'
import { oracleSays, questionsOf } from './questions.ts'
import { policyObject } from './steering.ts'

const WEFT = join(import.meta.dir, '../../../dist/weft')
const A = labelled({ pod: 'a' })
const ISOLATION = networkPolicy('x', 'only-b', A, {
  ingress: [allow([podsIn('x', labelled({ pod: 'b' }))], [port(80)])],
})
const RULE = clusterPolicy(
  'AdminNetworkPolicy',
  'admin',
  'no-strangers',
  20,
  { ingress: [rule('deny', { name: 'not-from-z', peers: [podsOf(labelled({ ns: 'z' }))] })] },
  labelled({ ns: 'x' }),
  A,
)

interface PodList {
  readonly items: readonly { readonly metadata: { readonly name: string } }[]
}

/** Previews, applies, and asks the agent of the receiver's node. */
export async function showTools(rig: Cluster, report: Report): Promise<void> {
  report.section('What the tools say')
  await showPreview(rig, report, ISOLATION, ['x/only-b', 'x/a'])
  const before = await readWorld(rig)
  const [receiver, denied] = [['x', 'a'] as const, ['y', 'a'] as const].map(([namespace, name]) =>
    before.pods.find((pod) => pod.namespace === namespace && pod.name === name),
  )
  if (receiver === undefined || denied === undefined) throw new Error('there is no x/a, or no y/a')
  await rig.apply(policyObject(ISOLATION), policyObject(RULE))
  const world = await readWorld(rig)
  const questions = questionsOf(world, denied, [receiver])
  await checkAsked(rig, report, 'y/a does not reach x/a', [denied, questions, oracleSays(world, questions)])
  const agent = await agentOn(rig, receiver.node)
  const explain = (from: string, ...more: readonly string[]): Promise<Outcome> =>
    inAgent(rig, agent, ['explain', from, 'x/a', ...more])
  said(report, 'weft explain y/a x/a', await explain('y/a', '--port', '80'), 1, ['x/only-b'])
  said(report, 'weft explain x/b x/a', await explain('x/b', '--port', '80'), 0, ['x/only-b', 'spec.ingress[0]'])
  said(report, 'weft explain z/a x/a', await explain('z/a', '--port', '80'), 1, ['no-strangers', 'not-from-z'])
  const strangers = world.pods.find(({ namespace, name }) => namespace === 'z' && name === 'a')
  if (strangers !== undefined) {
    const theirs = questionsOf(world, strangers, [receiver])
    await checkAsked(rig, report, 'z/a does not reach x/a', [strangers, theirs, oracleSays(world, theirs)])
  }
  const drops = await inAgent(rig, agent, ['drops'])
  said(report, `weft drops on ${receiver.node}`, drops, 0, ['x/only-b', 'no-strangers'])
  said(report, 'weft policy list', await inAgent(rig, agent, ['policy', 'list']), 0, ['only-b', 'no-strangers'])
  for (const { kind, namespace, name } of [ISOLATION, RULE]) {
    await rig.ask('delete', resourceName(kind), name, ...(namespace === undefined ? [] : ['-n', namespace]))
  }
}

async function showPreview(rig: Cluster, report: Report, policy: Policy, words: readonly string[]): Promise<void> {
  const file = join(rig.places.layout.runDir, 'policy.json')
  writeFileSync(file, JSON.stringify(policyObject(policy)))
  const argv = [WEFT, 'policy', 'preview', '-f', file, '--kubeconfig', pkiFile(rig.places, 'admin.kubeconfig')]
  const [node] = rig.places.nodes
  if (node !== undefined) said(report, 'weft policy preview', await rig.onNode(node, argv), 5, words)
}

/** Whether it ended as it should, with all of these words. */
function said(report: Report, what: string, outcome: Outcome, code: number, words: readonly string[]): void {
  const { stdout, stderr } = outcome
  // Lines are folded to the width of a page.
  const flat = stdout.replace(/\s+/g, ' ')
  const missing = words.filter((word) => !flat.includes(word))
  report.check(
    outcome.code === code && missing.length === 0,
    `${what}: exit ${outcome.code}, ${missing.length === 0 ? `names ${words.join(' and ')}` : `no word of ${missing.join(', ')}`}`,
  )
  report.note(stdout === '' ? stderr : stdout.split('\n').slice(0, 14).join('\n'))
}

async function agentOn(rig: Cluster, node: string): Promise<string> {
  const selector = ['-l', 'app.kubernetes.io/name=weft-agent', '--field-selector', `spec.nodeName=${node}`]
  const { items } = await rig.get<PodList>('pods', '-n', 'weft-system', ...selector)
  const [agent] = items
  if (agent === undefined) throw new Error(`${node} has no agent`)
  return agent.metadata.name
}

function inAgent(rig: Cluster, agent: string, args: readonly string[]): Promise<Outcome> {
  return rig.kubectl(['exec', '-n', 'weft-system', agent, '--', 'weft', ...args])
}
