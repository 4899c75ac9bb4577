import type { Command } from 'commander'
import { clusterWish } from '../../settings/cluster.ts'
import type { Settings } from '../../settings/table.ts'
import { type DaemonPlaceOptions, openForDaemon, withDaemonPlaceOptions } from '../address.ts'
import { attachmentOptions } from '../attachment-options.ts'
import { serveController } from '../daemons.ts'
import { followSettings } from '../follow-settings.ts'
import { daemonLog } from '../log.ts'
import { cloudOpener } from '../openstack.ts'
import { managerOfThis } from '../service-manager.ts'
import { configured, withSettings } from '../settings.ts'
import { endSignal } from '../signals.ts'

interface Options extends DaemonPlaceOptions {
  readonly runDir: string
  readonly election: boolean
  readonly clusterNetwork?: string
  readonly openstackCloud?: string
  readonly openstackCloudsFile?: string
}

/** `weft controller`: the cluster's controller as a daemon. */
export function registerController(program: Command): void {
  const command = program
    .command('controller')
    .summary('give nodes their ranges and namespaces their VNIs')
    .description(
      'Gives every node its address ranges and every namespace its virtual network, and answers tenants’ requests to ' +
        'join, isolate and become global. Several may run: they elect one by a Lease, and the others wait for their turn. ' +
        'It can be killed and started at any time.',
    )
  withSettings(withDaemonPlaceOptions(command))
    .option('--run-dir <path>', 'folder for the socket that weft health asks', '/run/weft')
    .option('--cluster-network <definition>', 'the attachment definition that agents take for pods’ first interface')
    .option('--openstack-cloud <name>', 'which cloud of clouds.yaml is to have nodes’ ports')
    .option('--openstack-clouds-file <path>', 'clouds.yaml, with the credentials')
    .option('--no-election', 'be the only one, and start at once')
    .action(configured('controller', run))
}

async function run(
  { runDir, election, clusterNetwork, openstackCloud, openstackCloudsFile, ...choice }: Options,
  settings: Settings,
  file?: string,
): Promise<void> {
  const log = daemonLog('controller', settings['log.level'])
  const opened = openForDaemon(choice, {
    isController: true,
    onInvalid: (problem) => log.warn({}, problem),
    onSettled: (sentence) => log.info({}, sentence),
  })
  const manager = managerOfThis(log)
  const managed = manager === undefined ? {} : { manager }
  const signal = endSignal()
  if (file !== undefined) void followSettings({ program: 'controller', file, settings, log, signal })
  const wish = clusterWish(settings)
  const attachments = attachmentOptions(settings, clusterNetwork)
  const openStack = cloudOpener({ cloud: openstackCloud, file: openstackCloudsFile, log })
  await serveController({ opened, ...managed, runDir, election, wish, attachments, openStack, log, signal })
}
