/**
 * The agent needs no more than the container of `deploy/weft.yaml` gives it: with these capabilities and without a way to
 * gain others, pods are attached, reached and detached.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { AgentStatus } from '../../src/agent/control/facts.ts'
import { eventually } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const capabilities: Scenario = {
  name: 'capabilities',
  lab: { nodes: 1 },
  steps: [
    { title: 'an agent with the container’s capabilities is ready', run: ready },
    { title: 'pods come, are reached and go, and nothing differs', run: pods },
    {
      title: 'without the right to enter namespaces it is not ready, and says so',
      run: less,
    },
  ],
}

const ROLE = 'node1-agent'

/** What the DaemonSet's container may do, as `net_admin`. */
function granted(): readonly string[] {
  const text = readFileSync(join(import.meta.dir, '../../deploy/weft.yaml'), 'utf8')
  const [agent] = parseAllDocuments(text).filter((document) => document.get('kind') === 'DaemonSet')
  const context = agent?.toJS().spec.template.spec.containers[0].securityContext
  equal(context.privileged, false)
  equal(context.allowPrivilegeEscalation, false)
  equal(context.capabilities.drop.join(), 'ALL')
  return context.capabilities.add.map((name: string) => name.toLowerCase())
}

/** Starts the agent again with these capabilities and no others. */
async function restrict({ lab }: StepContext, names: readonly string[]): Promise<void> {
  const command = lab.commandOf(ROLE).filter((_, index, all) => index >= all.findIndex((word) => word.endsWith('bun')))
  lab.kill(ROLE)
  const limit = `-all,${names.map((name) => `+${name}`).join()}`
  lab.start(ROLE, ['setpriv', '--no-new-privs', `--bounding-set=${limit}`, `--inh-caps=${limit}`, ...command])
}

/** What an agent says once it answers. */
async function statusOf({ lab }: StepContext, holds: (status: AgentStatus) => boolean): Promise<void> {
  const ask = () =>
    lab
      .agent(1)
      .status()
      .catch(() => undefined)
  await eventually('the agent answers as it should', async () => {
    const status = await ask()
    return status !== undefined && holds(status)
  })
}

async function ready(context: StepContext): Promise<void> {
  await restrict(context, granted())
  await statusOf(context, (status) => status.ready)
  const status = readFileSync(`/proc/${context.lab.pidOf(ROLE)}/status`, 'utf8')
  const [, effective = ''] = /CapEff:\s+([0-9a-f]+)/.exec(status) ?? []
  ok(BigInt(`0x${effective}`).toString(2).replaceAll('0', '').length === granted().length, status)
}

async function pods({ lab }: StepContext): Promise<void> {
  await lab.change('namespace', 'add', 'new')
  for (const name of ['one', 'two']) await lab.change('pod', 'add', `new/${name}`, '--node', 'node1')
  const { code, stdout } = await lab.inside(lab.netns('new/one'), 'ping', '-c1', '-W5', lab.address('new/two'))
  equal(code, 0, stdout)
  await lab.expectCleanAudit()
  await lab.change('pod', 'delete', 'new/two')
  await lab.expectCleanAudit()
}

async function less(context: StepContext): Promise<void> {
  await restrict(
    context,
    granted().filter((name) => name !== 'sys_admin'),
  )
  await statusOf(
    context,
    ({ ready, problems }) => !ready && problems.some((problem) => problem.includes('not permitted')),
  )
}

if (import.meta.main) await runScenario(capabilities)
