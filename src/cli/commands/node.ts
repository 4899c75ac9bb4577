import type { Command } from 'commander'
import { type Cleaned, type CleanPlaces, cleanNode } from '../../agent/clean/clean.ts'
import { AGENT_DEFAULTS } from '../../agent/options.ts'
import { sleep } from '../../registry/backoff.ts'
import { EXIT } from '../exit-codes.ts'
import { configured, withSettings } from '../settings.ts'
import { endSignal } from '../signals.ts'

interface Options extends CleanPlaces {
  readonly dryRun?: boolean
  readonly stay?: boolean
  readonly json?: boolean
}

/** `weft node`: this machine, without an agent. */
export function registerNode(program: Command): void {
  const node = program.command('node').summary('take Weft off this machine').description('What is done on one machine.')
  withSettings(node.command('clean'))
    .description(
      'Removes what agents made on this machine: the CNI configuration and plugin, the bridge and rows of ours in Open ' +
        'vSwitch, links, routes, nftables tables and the rules that have pods accepted; NICs that are in pods come home. Pods that still stand ' +
        'here lose their network. What is not ours stays. It can be run again at any time.',
    )
    .option('--dry-run', 'only tell what is there')
    .option('--stay', 'do not end afterwards: for a pod that shows that its node is clean')
    .option('--json', 'print JSON')
    .option('--ovsdb <path>', 'socket of ovsdb-server', AGENT_DEFAULTS.ovsdb)
    .option('--run-dir <path>', 'folder of the agent’s sockets', AGENT_DEFAULTS.runDir)
    .option('--state-dir <path>', 'folder of what outlives the agent', AGENT_DEFAULTS.stateDir)
    .option('--cni-bin-dir <path>', 'folder of CNI plugins', '/opt/cni/bin')
    .option('--cni-config-dir <path>', 'folder of CNI configurations', '/etc/cni/net.d')
    .option('--cni-config-name <file>', 'the configuration’s file, if it has a name of its own')
    .addHelpText('after', HELP)
    .action(configured('agent', clean))
}

const HELP = `
Exit codes: 0 nothing of ours is left (with --dry-run: told), 1 something
could not be removed (with --dry-run: looked at).

Examples:
  weft node clean --dry-run
  weft node clean`

async function clean({ dryRun = false, stay, json, ...places }: Options): Promise<void> {
  const found = await cleanNode(places, dryRun)
  if (json === true) console.log(JSON.stringify(found))
  else for (const line of linesOf(found, dryRun)) console.log(line)
  if (found.some(({ problem }) => problem !== undefined)) process.exitCode = EXIT.failed
  else if (stay === true) await ended(endSignal())
}

function linesOf(found: readonly Cleaned[], isDryRun: boolean): readonly string[] {
  if (found.length === 0) return ['nothing of ours is here']
  const [done, not] = isDryRun ? ['there is', 'cannot tell'] : ['removed:', 'cannot remove']
  return found.map(({ what, problem }) => (problem === undefined ? `${done} ${what}` : `${not} ${what}: ${problem}`))
}

/** A signal to come keeps no program alive. */
async function ended(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(3_600_000, signal)
}
