import type { Command } from 'commander'
import { weftBindings } from '../../compat/bindings.ts'
import { runController } from '../../controller/controller.ts'
import { runFirstCluster } from '../../controller/first-cluster.ts'
import { runHostSubnets } from '../../controller/host-subnets.ts'
import { kubeEvents } from '../../controller/kube-events.ts'
import { type NodeReportOptions, runNodeReports } from '../../controller/node-reports.ts'
import type { KubeApi } from '../../kube/api.ts'
import { EventRecorder } from '../../kube/events.ts'
import { type ClusterWish, clusterWish } from '../../settings/cluster.ts'
import type { Settings } from '../../settings/table.ts'
import { type DaemonPlaceOptions, openForDaemon, withDaemonPlaceOptions } from '../address.ts'
import { daemonLog } from '../log.ts'
import { managerOfThis, signsOfLife, tellOfEnd } from '../service-manager.ts'
import { configured, withSettings } from '../settings.ts'
import { endSignal } from '../signals.ts'

/** `weft controller`: the cluster's controller as a daemon. */
export function registerController(program: Command): void {
  const command = program
    .command('controller')
    .summary('give nodes their ranges and namespaces their VNIs (one per cluster)')
    .description(
      'Gives every node its address ranges and every namespace its virtual network, and answers tenants’ requests to ' +
        'join, isolate and become global. Run one per cluster; it can be killed and started at any time.',
    )
  withSettings(withDaemonPlaceOptions(command)).action(configured('controller', run))
}

async function run(choice: DaemonPlaceOptions, settings: Settings): Promise<void> {
  const log = daemonLog('controller', settings['log.level'])
  const { registry, api, kubernetes, unreadable } = openForDaemon(choice, {
    isController: true,
    onInvalid: (problem) => log.warn({}, problem),
  })
  const signal = endSignal()
  const manager = managerOfThis(log)
  if (manager !== undefined) tellOfEnd(manager, signal)
  using _living = manager && signsOfLife(manager)
  log.info({}, 'starting')
  const onReady = (): void => manager?.ready()
  const events = kubernetes === undefined ? {} : { events: eventsOn(kubernetes) }
  const controller = runController({ registry, signal, random: Math.random, log, unreadable, onReady, ...events })
  // The view of others' words goes where others look; what agents say is where they may write.
  const beside = api === undefined ? [] : besides({ api, registry, signal, log }, clusterWish(settings))
  await Promise.all([controller, ...beside])
}

function besides(parts: NodeReportOptions, wish: ClusterWish): readonly Promise<void>[] {
  const events = recorderOn(parts.api)
  return [runHostSubnets(parts), runNodeReports(parts), runFirstCluster({ ...parts, wish, events })]
}

function eventsOn(api: KubeApi) {
  return kubeEvents(api, weftBindings, recorderOn(api))
}

function recorderOn(api: KubeApi): EventRecorder {
  return new EventRecorder(api, { component: 'weft-controller' })
}
