import type { Command } from 'commander'
import { registerPlayDaemons } from './play/daemon.ts'
import { registerPlayDown } from './play/down.ts'
import { registerPlayExec } from './play/exec.ts'
import { registerPlayNamespace } from './play/namespace.ts'
import { registerPlayPod } from './play/pod.ts'
import { registerPlayServe } from './play/serve.ts'
import { registerPlayStatus } from './play/status.ts'
import { registerPlaySupervise } from './play/supervise.ts'
import { registerPlayTable } from './play/table.ts'
import { registerPlayUp } from './play/up.ts'

/** `weft play`: a cluster of network namespaces on this machine. */
export function registerPlay(program: Command): void {
  const play = program
    .command('play')
    .summary('a cluster on this machine, to try things out')
    .description(
      'Brings up nodes as network namespaces, each with an Open vSwitch of its own, with the real agent, controller and ' +
        'CNI plugin; shows who reaches whom, measured with real packets beside what was expected. Without a command: up.',
    )
    .enablePositionalOptions()
  const commands = [registerPlayUp, registerPlayDown, registerPlayStatus, registerPlayTable]
  const hidden = [registerPlayDaemons, registerPlayServe, registerPlaySupervise]
  for (const register of [...commands, registerPlayExec, registerPlayPod, registerPlayNamespace, ...hidden]) {
    register(play)
  }
  play.addHelpText('after', () => upOptions(play))
}

/** Without a command it is `up`, whose options hold then. */
function upOptions(play: Command): string {
  const up = play.commands.find((one) => one.name() === 'up')
  if (up === undefined) return EXAMPLES
  const help = up.createHelp()
  const options = help.visibleOptions(up).filter(({ long }) => long !== '--help')
  const width = Math.max(...options.map((option) => help.optionTerm(option).length))
  help.prepareContext({})
  const lines = options.map((option) =>
    help.formatItem(help.optionTerm(option), width, help.optionDescription(option), help),
  )
  return `\nOptions without a command (those of up):\n${lines.join('\n')}\n${EXAMPLES}`
}

const EXAMPLES = `
Examples:
  weft play                  three nodes, seven pods, in the background
  weft play --nodes 2 --encapsulation geneve --underlay 6
  weft play --once --json    measure and remove; the last line is a summary
  weft play table            measure again
  weft play exec shop/web -- ping -c 1 198.18.77.1
  weft play down             remove everything`
