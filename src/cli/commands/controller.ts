import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ControllerDaemon } from '../../controller/daemon.ts'
import { serveHealth } from '../../controller/health.ts'
import { identityOf } from '../../kube/election/options.ts'
import { clusterWish } from '../../settings/cluster.ts'
import type { Settings } from '../../settings/table.ts'
import { type DaemonPlaceOptions, openForDaemon, withDaemonPlaceOptions } from '../address.ts'
import { daemonLog } from '../log.ts'
import { managerOfThis, signsOfLife, tellOfEnd } from '../service-manager.ts'
import { configured, withSettings } from '../settings.ts'
import { endSignal } from '../signals.ts'

interface Options extends DaemonPlaceOptions {
  readonly runDir: string
  readonly election: boolean
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
    .option('--no-election', 'be the only one, and start at once')
    .action(configured('controller', run))
}

async function run({ runDir, election, ...choice }: Options, settings: Settings): Promise<void> {
  const log = daemonLog('controller', settings['log.level'])
  const opened = openForDaemon(choice, { isController: true, onInvalid: (problem) => log.warn({}, problem) })
  const signal = endSignal()
  const manager = managerOfThis(log)
  if (manager !== undefined) tellOfEnd(manager, signal)
  using _living = manager && signsOfLife(manager)
  const identity = election && opened.kubernetes !== undefined ? { identity: identityOf(hostname()) } : {}
  const daemon = new ControllerDaemon({ ...opened, ...identity, wish: clusterWish(settings), log, signal })
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const health = await serveHealth(join(runDir, 'controller.sock'), () => daemon.health())
  log.info({}, 'starting')
  // Its manager waits for a program that does its part, be it to lead or to wait for its turn.
  const telling = setInterval(() => daemon.health().ready && manager?.ready(), READY_INTERVAL_MS)
  try {
    await daemon.run()
  } finally {
    clearInterval(telling)
    await health.stop()
    opened.close()
  }
}

const READY_INTERVAL_MS = 500
