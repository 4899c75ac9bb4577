/**
 * Packet filters of others on a node: iptables as Docker sets it, and one that drops whatever we do.
 */
import { equal, ok } from 'node:assert/strict'
import { ping } from '../../src/linux/index.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { output } from '../lab/command.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const foreignFilters: Scenario = {
  name: 'foreign-filters',
  lab: { nodes: 1 },
  steps: [
    {
      title: 'pods reach the outside on a host whose FORWARD drops',
      run: docker,
      skip: () => (Bun.which('iptables') === null ? 'iptables is not installed' : undefined),
    },
    { title: 'a drop that wins is told by weft status and weft doctor, until it is gone', run: anotherDrop },
  ],
}

function reachesOutside(lab: Lab): Promise<boolean> {
  const target = { address: outsideAddress(4), nsFd: lab.fd(lab.netns('shop/web')), timeoutMs: 500 }
  return ping(target).then(({ reached }) => reached)
}

function onNode(lab: Lab, ...argv: readonly string[]): Promise<string> {
  return output(['ip', 'netns', 'exec', lab.node(1).netns, ...argv])
}

/** An agent looks at everything when it starts, as it does every minute. */
async function lookAgain(lab: Lab): Promise<void> {
  lab.restart('node1-agent')
  await eventually('the agent is ready', () =>
    lab
      .agent(1)
      .status()
      .then(
        ({ ready }) => ready,
        () => false,
      ),
  )
}

async function docker({ lab, say }: StepContext): Promise<void> {
  equal(await reachesOutside(lab), true)
  await onNode(lab, 'iptables', '-P', 'FORWARD', 'DROP')
  await onNode(lab, 'iptables', '-N', 'DOCKER-USER')
  await onNode(lab, 'iptables', '-A', 'FORWARD', '-j', 'DOCKER-USER')
  equal(await reachesOutside(lab), false)
  await lookAgain(lab)
  await eventually('pods are accepted', () => reachesOutside(lab))
  const { stdout } = await lab.weft('status', '--run-dir', lab.layout.runDir)
  equal(stdout.includes('drops'), false, stdout)
  say((await onNode(lab, 'iptables', '-S')).trimEnd())
}

async function anotherDrop({ lab, say }: StepContext): Promise<void> {
  await onNode(
    lab,
    'nft',
    'add table inet site; add chain inet site f { type filter hook forward priority 5; policy drop; }',
  )
  await lookAgain(lab)
  const status = () => lab.weft('status', '--run-dir', lab.layout.runDir)
  await eventually('weft status tells', async () =>
    (await status()).stdout.replace(/\s+/g, ' ').includes('inet site f'),
  )
  equal((await status()).code, 1)
  const { agentDir, ovsdbSocket, ovsDir } = lab.node(1)
  const where = ['--run-dir', agentDir, '--ovsdb', ovsdbSocket, '--ovs-run-dir', ovsDir]
  const told = await lab.inside(lab.node(1).netns, ...lab.command('doctor', ...where))
  ok(/forward-drops +fail/.test(told.stdout), told.stdout)
  say(told.stdout.trimEnd())
  await onNode(lab, 'nft', 'delete table inet site')
  await lookAgain(lab)
  await eventually('all is well again', async () => (await status()).code === 0)
}

if (import.meta.main) await runScenario(foreignFilters)
