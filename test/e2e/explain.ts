/**
 * NetworkPolicies of a user on a running playground: what `weft explain` says of a connection is what becomes of it, by
 * name of object, rule and field; rules and drops are counted; and what a connection's end is told when policies change.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { NETWORK_POLICIES } from '../../src/kube/resources.ts'
import { netnsPath } from '../../src/playground/layout.ts'
import { call } from '../lab/calls.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const PORT = 8080
const CLIENTS = ['shop/web', 'default/monitor'] as const
const SERVER = 'shop/db'

export const explain: Scenario = {
  name: 'explain',
  lab: { nodes: 2 },
  steps: [
    { title: 'without a policy tenants decide, and that is said', run: tenantsOnly },
    { title: 'a policy isolates, and another allows one namespace: each is named', run: policies },
    { title: 'weft policy list counts what the rule let through', run: counted },
    { title: 'weft drops names the policies', run: dropped },
    { title: 'without the policies everybody in the tenant may again', run: gone },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function tenantsOnly(context: StepContext): Promise<void> {
  const { says } = await asked(context, 'shop/web', SERVER, true)
  match(says, /no policy decides about it; NetNamespace shop has netid \d+: the same/)
  const refused = await asked(context, 'bank/vault', SERVER, false)
  match(refused.says, /different tenants, and neither is global/)
}

async function policies(context: StepContext): Promise<void> {
  const { lab } = context
  await apply(lab, 'deny-all', { podSelector: {}, policyTypes: ['Ingress'] })
  const monitor = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } }
  await apply(lab, 'allow-default', {
    podSelector: {},
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'nobody' } } }, monitor], ports: [{ port: PORT }] }],
  })
  await inForce(lab, ['allow-default', 'deny-all'])
  const allowed = await asked(context, 'default/monitor', SERVER, true)
  match(
    allowed.says,
    /: spec\.ingress\[0\]\.from\[1\]\.namespaceSelector with ports\[0\] of NetworkPolicy shop\/allow-default allows it\.$/,
  )
  const refused = await asked(context, 'shop/web', SERVER, false)
  match(refused.says, /NetworkPolicy shop\/deny-all isolates shop\/db for ingress \(spec\.podSelector selects it\)/)
  match(refused.says, /the nearest is spec\.ingress\[0\]\.from of shop\/allow-default/)
}

async function counted({ lab, say }: StepContext): Promise<void> {
  const list = (await policyList(lab)).find(({ name }) => name === 'allow-default')
  say(JSON.stringify(list))
  ok((list?.rules[0]?.packets ?? 0) > 0)
  deepEqual([list?.pods, list?.state], [3, 'applied'])
}

async function dropped({ lab, say }: StepContext): Promise<void> {
  const { stdout } = await lab.weft('drops', '--json', '--run-dir', lab.layout.runDir)
  const { drops } = JSON.parse(stdout) as {
    readonly drops: readonly { reason: string; object: string; says: string }[]
  }
  const found = drops.find(({ reason }) => reason === 'ingress-isolated')
  say(found?.says ?? 'nothing')
  match(
    found?.object ?? '',
    /^isolation of pods by NetworkPolicy shop\/allow-default and NetworkPolicy shop\/deny-all \(ingress\)$/,
  )
}

async function gone(context: StepContext): Promise<void> {
  const { lab } = context
  for (const name of ['deny-all', 'allow-default'])
    await lab.api().delete(NETWORK_POLICIES, { namespace: 'shop', name })
  await eventually('nobody is isolated', async () => {
    const facts = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
    return facts.every(({ fragments }) => !fragments.some(({ key }) => key.startsWith('policy-class/')))
  })
  for (const client of CLIENTS) await asked(context, client, SERVER, true)
}

/** Asks, sees whether the connection does what the answer says, and that the flows agree. */
async function asked({ lab, say }: StepContext, from: string, to: string, allowed: boolean): Promise<Answer> {
  const words = ['explain', from, to, '--port', String(PORT), '--json', '--run-dir', lab.layout.runDir]
  const { code, stdout, stderr } = await lab.weft(...words)
  const answer = JSON.parse(stdout) as Answer
  say(answer.says)
  deepEqual([code, answer.reachable, answer.flowsAgree], [allowed ? 0 : 1, allowed, true], stdout + stderr)
  const reached = await call(netnsPath(lab.netns(from)), lab.address(to), PORT, allowed ? 'answer' : 'none')
  equal(reached !== undefined, allowed)
  return answer
}

interface Answer {
  readonly reachable: boolean
  readonly flowsAgree: boolean | null
  readonly says: string
}

interface Listed {
  readonly name: string
  readonly pods: number
  readonly state: string
  readonly rules: readonly { readonly packets: number }[]
}

async function policyList(lab: Lab): Promise<readonly Listed[]> {
  const { code, stdout, stderr } = await lab.weft('policy', 'list', '--json', '--run-dir', lab.layout.runDir)
  equal(code, 0, stderr)
  return (JSON.parse(stdout) as { readonly policies: readonly Listed[] }).policies
}

function inForce(lab: Lab, names: readonly string[]): Promise<void> {
  return eventually(`${names.join(' and ')} are applied`, async () => {
    const applied = (await policyList(lab)).filter(({ state }) => state === 'applied').map(({ name }) => name)
    return names.every((name) => applied.includes(name))
  })
}

async function apply(lab: Lab, name: string, spec: object): Promise<void> {
  const head = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace: 'shop', name } }
  await lab.api().create(NETWORK_POLICIES, { ...head, spec })
}

if (import.meta.main) await runScenario(explain)
