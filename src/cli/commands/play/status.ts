import type { Command } from 'commander'
import { inspect, type PlayStatus } from '../../../playground/inspect.ts'
import { layoutOf } from '../../../playground/layout.ts'
import { shapeWords } from '../../../playground/options.ts'
import { requireRoot } from '../../../playground/preflight.ts'
import { typedCommand } from '../../../playground/self.ts'
import { table } from '../../../text/table.ts'
import { wrap } from '../../../text/words.ts'
import { EXIT } from '../../exit-codes.ts'
import { outputLook } from '../../look.ts'
import { type PlayOptions, say, withRunDir } from './shared.ts'

/** `weft play status`: what runs. */
export function registerPlayStatus(play: Command): void {
  withRunDir(play.command('status'))
    .description('show what of a playground runs; exit 0 when all of it does, 3 when there is none')
    .option('--json', 'print JSON')
    .action(async ({ runDir, json = false }: PlayOptions) => {
      requireRoot()
      const status = await inspect(layoutOf(runDir))
      say(json ? JSON.stringify(status) : inWords(status))
      process.exitCode = status.up ? (status.missing.length === 0 ? EXIT.ok : EXIT.failed) : EXIT.unreachable
    })
}

function inWords(status: PlayStatus): string {
  if (status.shape === undefined) return `No playground is up in ${status.runDir}.`
  const head = `${shapeWords(status.shape)}, ${status.datapath} datapath, in ${status.runDir}`
  const look = outputLook()
  const processes = status.processes.map(({ role, pid }) => [role, String(pid)])
  const pods = status.pods.map(({ pod, node, addresses, netns }) => [pod, node, addresses.join(' '), netns])
  const trouble = status.missing.map((role) => `missing: ${role}`)
  return [
    ...wrap(head, look.width),
    '',
    ...table([{ head: 'PROCESS' }, { head: 'PID', align: 'right' }], processes, look),
    '',
    ...table(
      ['POD', 'NODE', 'ADDRESSES', 'NAMESPACE'].map((each) => ({ head: each })),
      pods,
      look,
    ),
    ...(status.up ? [] : ['', `It came up only half-way: ${typedCommand('weft play down', status.runDir)}`]),
    ...trouble,
  ].join('\n')
}
