import { type Command, Option } from 'commander'
import { runAgent } from '../../agent/agent.ts'
import { AGENT_DEFAULTS, type AgentOptions } from '../../agent/options.ts'
import { openRegistry, type RegistryChoice, withRegistryOptions } from '../address.ts'
import { daemonLog } from '../log.ts'
import { wholeNumber } from '../numbers.ts'
import { agentTeller, managerOfThis, tellOfEnd } from '../service-manager.ts'
import { endSignal } from '../signals.ts'

/** `weft agent`: the node's agent as a daemon. */
export function registerAgent(program: Command): void {
  withRegistryOptions(program.command('agent'))
    .summary('attach this node’s pods (one per node)')
    .description(
      'Serves CNI requests of this node, keeps its Open vSwitch bridge as the plan wants it, and reports. It can be killed ' +
        'and started at any time: forwarding goes on, and what it had leased is read back from OVSDB.',
    )
    .requiredOption('--node <name>', 'this node’s name in the registry')
    .option('--ovsdb <path>', 'socket of ovsdb-server', AGENT_DEFAULTS.ovsdb)
    .option('--ovs-run-dir <path>', 'folder of the bridges’ OpenFlow sockets', AGENT_DEFAULTS.ovsRunDir)
    .option('--run-dir <path>', 'folder for the agent’s own sockets', AGENT_DEFAULTS.runDir)
    .addOption(
      new Option('--datapath <kind>', 'the kernel’s datapath, or the userspace one')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .addOption(seconds('--address-rest <seconds>', 'how long a freed address rests', AGENT_DEFAULTS.addressRest))
    .addOption(seconds('--resync <seconds>', 'how often the switch is compared with the plan', AGENT_DEFAULTS.resync))
    .action(run)
}

function seconds(flags: string, description: string, value: number): Option {
  return new Option(flags, description).default(value).argParser(wholeNumber(0, 86_400))
}

async function run({ registry, kubeconfig, context, ...options }: AgentOptions & RegistryChoice): Promise<void> {
  const log = daemonLog('agent')
  const choice = {
    ...(registry === undefined ? {} : { registry }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  }
  const { registry: shared } = openRegistry(choice, (problem) => log.warn(problem))
  const signal = endSignal()
  const manager = managerOfThis(log)
  if (manager !== undefined) tellOfEnd(manager, signal)
  await runAgent(options, shared, log, signal, manager && agentTeller(manager, () => performance.now()))
}
