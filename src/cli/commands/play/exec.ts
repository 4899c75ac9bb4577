import type { Command } from 'commander'
import { execInside } from '../../../playground/exec.ts'
import { usage } from '../../errors.ts'
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
      const [program, ...rest] = programIn(argv)
      const { layout, state } = runningPlayground(options)
      process.exitCode = await execInside(layout, state, place, [program, ...rest])
    })
}

/** Commander passes on whatever follows the place, our own options and the dashes too. */
function programIn(argv: readonly string[]): readonly [string, ...string[]] {
  const isDashed = argv[0] === '--'
  const [program = '', ...rest] = isDashed ? argv.slice(1) : argv
  if (program === '') throw usage('no program is named', 'name one after --')
  if (isDashed || !program.startsWith('-')) return [program, ...rest]
  const remedy = 'options of weft go before the place, the program and its own after --'
  throw usage(`${program} stands after the place`, remedy)
}

const EXAMPLES = `
The OVS tools find the node’s own switch. The exit code is the program’s; 127
when there is no such program.

Examples:
  weft play exec shop/web -- ip addr
  weft play exec node1 -- ovs-vsctl show
  weft play exec outside -- ping -c 1 198.18.77.11`
