import type { Command } from 'commander'
import { execInside } from '../../../playground/exec.ts'
import { type PlayOptions, runningPlayground, withRunDir } from './shared.ts'

/** `weft play exec`: runs a program in a pod's, a node's or the outside host's network. */
export function registerPlayExec(play: Command): void {
  withRunDir(play.command('exec'))
    .description('run a program inside the network of a pod, a node or the host outside')
    .argument('<place>', 'namespace/pod, node1, …, or outside')
    .argument('<command...>', 'the program and its arguments, after --')
    .passThroughOptions()
    .addHelpText('after', EXAMPLES)
    .action(async (place: string, argv: readonly string[], options: PlayOptions) => {
      const { layout, state } = runningPlayground(options)
      // Commander leaves the dashes in what it passes through.
      process.exitCode = await execInside(layout, state, place, argv[0] === '--' ? argv.slice(1) : argv)
    })
}

const EXAMPLES = `
The OVS tools find the node's own switch. The exit code is the program's.

Examples:
  weft play exec shop/web -- ip addr
  weft play exec node1 -- ovs-vsctl show
  weft play exec outside -- ping -c 1 198.18.77.11`
