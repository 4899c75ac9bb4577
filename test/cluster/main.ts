/**
 * A Kubernetes of two nodes on this machine, from the programs in the folder that KUBEBUILDER_ASSETS names:
 * `bun test/cluster/main.ts [--dir <folder>] <command>`; without a command it says which there are. `up --kube-proxy` has one
 * on every node.
 * @module
 */
import { existsSync } from 'node:fs'
import { findProcesses } from '../../src/playground/processes.ts'
import { ASSETS } from '../kube/control-plane.ts'
import type { Outcome } from '../lab/command.ts'
import { installByHand } from './by-hand.ts'
import { Cluster } from './cluster.ts'
import { inNode } from './node-host.ts'
import { DEFAULT_FOLDER, type Places, placesOf } from './places.ts'
import { rebootNode } from './reboot.ts'
import { missing } from './requirements.ts'
import { ctr } from './runtime.ts'
import { versionsOf } from './versions.ts'
import { installByManifest } from './weft.ts'

const USAGE =
  'up | down | status | weft | install | kubectl … | reboot <number> | node <number> <program> … | ctr <number> …'

const args = process.argv.slice(2)
const folder = args[0] === '--dir' ? (args.splice(0, 2)[1] ?? DEFAULT_FOLDER) : DEFAULT_FOLDER
const reason = missing(ASSETS)
if (ASSETS === undefined || reason !== undefined) fail(reason ?? '')
else process.exitCode = await main(placesOf(folder, ASSETS), args)

async function main(places: Places, [command, ...rest]: readonly string[]): Promise<number> {
  const cluster = new Cluster(places)
  switch (command) {
    case 'up':
      for (const line of await versionsOf(places.assets)) console.log(line)
      await Cluster.up(places, (line) => console.log(`· ${line}`), { kubeProxy: rest.includes('--kube-proxy') })
      return print(await cluster.kubectl(['get', 'nodes', '-o', 'wide']))
    case 'down':
      await cluster.down()
      return 0
    case 'status':
      return status(cluster)
    case 'weft':
      await installByHand(cluster)
      return print(await cluster.kubectl(['get', 'nodes']))
    case 'install':
      await installByManifest(cluster)
      return print(await cluster.kubectl(['get', 'nodes,pods', '-A']))
    case 'kubectl':
      return hand(cluster.kubectlCommand(rest))
    case 'reboot':
      await rebootNode(cluster, cluster.node(Number(rest[0])))
      return 0
    case 'node':
      return hand([...inNode(places, cluster.node(Number(rest[0]))), ...rest.slice(1)])
    case 'ctr':
      return print(await ctr(places, cluster.node(Number(rest[0])), ...rest.slice(1)))
    default:
      return fail(USAGE)
  }
}

async function status(cluster: Cluster): Promise<number> {
  const { layout } = cluster.places
  if (!existsSync(layout.stateFile)) return fail(`there is no rig in ${layout.runDir}`)
  for (const { role, pid } of findProcesses(layout.runDir)) console.log(`${String(pid).padStart(8)}  ${role}`)
  return print(await cluster.kubectl(['get', 'nodes,pods', '-A', '-o', 'wide']))
}

/** Runs a program that has this one's terminal. */
async function hand(argv: readonly string[]): Promise<number> {
  return Bun.spawn([...argv], { stdio: ['inherit', 'inherit', 'inherit'] }).exited
}

function print({ code, stdout, stderr }: Outcome): number {
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  return code
}

function fail(why: string): number {
  console.error(why)
  process.exitCode = 2
  return 2
}
