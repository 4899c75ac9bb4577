/**
 * A node that loses its power and comes back: of everything in its memory nothing is left, of its disk everything,
 * Open vSwitch's database with the ports of its pods included.
 * @module
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inodeOf, namespaceInodes, removeNamespace } from '../../src/playground/lab/namespaces.ts'
import { startSwitch, UPLINK_BRIDGE, vsctl } from '../../src/playground/lab/switch.ts'
import { plugInNode } from '../../src/playground/lab/underlay.ts'
import { findProcesses, processesInside, until } from '../../src/playground/processes.ts'
import { output } from '../lab/command.ts'
import { processesIn, removeGroup } from './cgroups.ts'
import type { Cluster } from './cluster.ts'
import { kubeProxyRole, startKubeProxy } from './kube-proxy.ts'
import { startKubelet } from './kubelet.ts'
import { startHost } from './node-host.ts'
import type { NodePlace, Places } from './places.ts'
import { waitFor } from './programs.ts'
import { startRuntime } from './runtime.ts'

const PATIENCE = 20_000
/** What Open vSwitch has on a disk. */
const ON_DISK = /^conf\.db$|^\.conf\.db/

/** Kills everything of a node, forgets what was in memory, and starts it again. Throws when something lives on. */
export async function rebootNode({ places }: Cluster, node: NodePlace): Promise<void> {
  const { layout } = places
  const hasProxy = findProcesses(layout.runDir).some(({ role }) => role === kubeProxyRole(node))
  // The bridge of the uplink is the rig's: it is made at every start.
  await vsctl(node, 'del-br', UPLINK_BRIDGE)
  if (!(await until(() => isDead(places, node), PATIENCE))) throw new Error(`${node.name} does not die`)
  if (!(await until(() => removeGroup(node.cgroup), PATIENCE))) throw new Error(`cgroups of ${node.name} are in use`)
  removeNamespace(layout, node.netns)
  await output(['ip', '-n', layout.underlayNetns, 'link', 'delete', node.name])
  rmSync(join(node.changes, 'own/run'), { recursive: true, force: true })
  mkdirSync(join(node.changes, 'own/run'))
  for (const name of readdirSync(node.ovsDir)) if (!ON_DISK.test(name)) rmSync(join(node.ovsDir, name), { force: true })
  plugInNode(layout, node)
  await startSwitch(layout, node, 'netdev')
  await startHost(places, node)
  await startRuntime(places, node)
  await startKubelet(places, node)
  if (hasProxy) await startKubeProxy(places, node)
}

/** Waits until the API server has heard of the reboot, and all of the node's pods run again. */
export async function podsAreBack(rig: Cluster, { name }: NodePlace): Promise<void> {
  const isBack = async (): Promise<boolean> => {
    const ofNode = ['--field-selector', `spec.nodeName=${name}`]
    const { stdout } = await rig.kubectl(['get', 'pods', '-A', '--no-headers', ...ofNode])
    return stdout
      .trim()
      .split('\n')
      .every((line) => / 1\/1 +Running /.test(line))
  }
  // Nobody has told the API server yet that its pods are gone.
  await waitFor('the reboot is noticed', async () => !(await isBack()))
  await waitFor('its pods run again', isBack)
}

/** Kills what there is of a node; false when there was something. */
function isDead({ layout }: Places, node: NodePlace): boolean {
  const programs = findProcesses(layout.runDir).filter(({ role }) => role.startsWith(`${node.name}-`))
  const inside = processesInside(namespaceInodes([node.netns]), inodeOf)
  const pids = new Set([...programs, ...inside].map(({ pid }) => pid).concat(processesIn(node.cgroup)))
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
  return pids.size === 0
}
