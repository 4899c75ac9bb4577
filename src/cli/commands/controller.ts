import type { Command } from 'commander'
import { runController } from '../../controller/controller.ts'
import { REGISTRY_HELP, registryFor } from '../address.ts'
import { daemonLog } from '../log.ts'
import { endSignal } from '../signals.ts'

/** `weft controller`: the cluster's controller as a daemon. */
export function registerController(program: Command): void {
  program
    .command('controller')
    .summary('give nodes their ranges and namespaces their VNIs (one per cluster)')
    .description(
      'Gives every node its address ranges and every namespace its virtual network, and answers tenants’ requests to ' +
        'join, isolate and become global. Run one per cluster; it can be killed and started at any time.',
    )
    .option('--registry <address>', REGISTRY_HELP)
    .action(async ({ registry }: { readonly registry?: string }) => {
      const log = daemonLog('controller')
      log.info({}, 'starting')
      await runController({
        registry: registryFor(registry === undefined ? {} : { registry }),
        signal: endSignal(),
        random: Math.random,
        log,
      })
    })
}
