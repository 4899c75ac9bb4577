import type { Command } from 'commander'
import { lookAtPolicies, type PolicyLooks } from '../../insight/policies/policies.ts'
import { printPolicies } from '../../insight/policies/print.ts'
import { marked } from '../../text/words.ts'
import { type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'
import { objectName } from '../numbers.ts'

interface Options extends InsightOptions {
  readonly namespace?: string
}

/** `weft policy list`: every policy, whom it selects, what its rules counted, and whether it is in force. */
export function addPolicyList(policy: Command): void {
  withInsightOptions(
    policy
      .command('list')
      .description(
        'Lists the policies of every kind, those that count first in front: how many pods each selects, what its rules ' +
          'do and how many packets they decided about, and whether it is in force. What an object says and nobody ' +
          'understands is told, and is closed.',
      )
      .option('-n, --namespace <name>', 'only policies of this namespace', objectName),
  )
    .addHelpText('after', HELP)
    .action(runList)
}

const HELP = `
Examples:
  weft policy list
  weft policy list -n bank --json`

async function runList(options: Options): Promise<void> {
  const { view } = await lookAt(options)
  const looks = within(lookAtPolicies(view), options.namespace)
  if (options.json === true) printJson(looks)
  else {
    const silent = view.silent.flatMap(({ cause, remedy }) => marked(`${cause} → ${remedy}`, outputLook()))
    printLines([...printPolicies(looks, outputLook()), ...silent])
  }
}

function within({ policies, unreadable }: PolicyLooks, namespace: string | undefined): PolicyLooks {
  if (namespace === undefined) return { policies, unreadable }
  return {
    policies: policies.filter((policy) => policy.namespace === namespace),
    unreadable: unreadable.filter((line) => line.includes(` ${namespace}/`)),
  }
}
