import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { AGENT_DEFAULTS, type AgentOptions } from '../../agent/options.ts'
import type { Settings } from '../../settings/table.ts'
import { type DaemonPlaceOptions, openForDaemon, withDaemonPlaceOptions } from '../address.ts'
import { attachmentOptions } from '../attachment-options.ts'
import { serveAgent } from '../daemons.ts'
import { splitEtcdOptions } from '../etcd-options.ts'
import { followSettings } from '../follow-settings.ts'
import { daemonLog } from '../log.ts'
import { wholeNumber } from '../numbers.ts'
import { splitOvnOptions } from '../ovn-options.ts'
import { managerOfThis } from '../service-manager.ts'
import { configured, withSettings } from '../settings.ts'
import { endSignal } from '../signals.ts'

/** `weft agent`: the node's agent as a daemon. */
export function registerAgent(program: Command): void {
  withSettings(withDaemonPlaceOptions(program.command('agent')))
    .summary('attach this node’s pods (one per node)')
    .description(
      'Serves CNI requests of this node, keeps its Open vSwitch bridge as the plan wants it, and reports. It can be killed ' +
        'and started at any time: forwarding goes on, and what it had leased is read back from OVSDB.',
    )
    .option('--node <name>', 'this node’s name in the registry (default: the machine’s host name, in lower case)')
    .option('--ovsdb <path>', 'socket of ovsdb-server', AGENT_DEFAULTS.ovsdb)
    .option('--ovs-run-dir <path>', 'folder of the bridges’ OpenFlow sockets', AGENT_DEFAULTS.ovsRunDir)
    .option('--run-dir <path>', 'folder for the agent’s own sockets', AGENT_DEFAULTS.runDir)
    .option('--state-dir <path>', 'folder for what must outlive a restart of the machine', AGENT_DEFAULTS.stateDir)
    .addOption(
      new Option('--datapath <kind>', 'the kernel’s datapath, or the userspace one')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .addOption(seconds('--address-rest <seconds>', 'how long a freed address rests', AGENT_DEFAULTS.addressRest, 0))
    .addOption(
      seconds('--resync <seconds>', 'how often the switch is compared with the plan', AGENT_DEFAULTS.resync, 5),
    )
    .option(
      '--resolv-conf <path>',
      'names the DNS servers that are asked for DNS names in policies',
      AGENT_DEFAULTS.resolvConf,
    )
    .addOption(
      new Option('--uplink-mbit <rate>', 'share the uplink fairly between pods: its rate in Mbit/s').argParser(
        wholeNumber(1, 10_000_000),
      ),
    )
    .option(
      '--cluster-network <definition>',
      'the attachment definition that pods’ first interface is of (without: the overlay)',
    )
    .option('--external', 'this host is outside the cluster: it reaches pods and has none (see weft host)')
    .option(
      '--cni-bin-dir <path>',
      'the runtime’s folder of plugins: install ours there, call portmap if it is there (without: only look in /opt/cni/bin)',
    )
    .option('--cni-config-dir <path>', 'write the CNI configuration into this folder once pods can be attached')
    .option('--cni-config-name <file>', 'that configuration’s file', AGENT_DEFAULTS.cniConfigName)
    .action(configured('agent', run))
}

function seconds(flags: string, description: string, value: number, least: number): Option {
  return new Option(flags, description).default(value).argParser(wholeNumber(least, 86_400))
}

/** What the command line and the settings say. */
type Given = Omit<AgentOptions, 'node' | 'attachments'> & {
  readonly node?: string
  readonly clusterNetwork?: string
} & DaemonPlaceOptions

async function run(
  { registry, kubeconfig, context, server, clusterNetwork, ...given }: Given,
  settings: Settings,
  file?: string,
): Promise<void> {
  const { etcd, others: rest } = splitEtcdOptions(given)
  const { ovn, others } = splitOvnOptions(rest)
  const node = others.node ?? hostname().toLowerCase()
  const options: AgentOptions = { ...others, node, attachments: attachmentOptions(settings, clusterNetwork) }
  const log = daemonLog('agent', settings['log.level'])
  const choice = {
    ...(registry === undefined ? {} : { registry }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(server === undefined ? {} : { server }),
    ...etcd,
    ...ovn,
  }
  const onInvalid = (problem: string): void => log.warn(problem)
  const onSettled = (sentence: string): void => log.info(sentence)
  const opened = openForDaemon(choice, { onInvalid, onSettled, lastGood: join(options.stateDir, 'last-good.json') })
  const manager = managerOfThis(log)
  const managed = manager === undefined ? {} : { manager }
  const signal = endSignal()
  if (file !== undefined) void followSettings({ program: 'agent', file, settings, log, signal })
  await serveAgent({ options, opened, ...managed, log, signal })
}
