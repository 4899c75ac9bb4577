import type { Command } from 'commander'
import { takeFlannelDown } from '../../flanneld/down.ts'
import { FLANNELD_DEFAULTS } from '../flanneld/flags.ts'
import { printTakenDown } from '../taken-down.ts'

interface Down {
  readonly subnetFile: string
  readonly json?: boolean
}

/** `weft flannel`: what flanneld made on this machine. */
export function registerFlannel(program: Command): void {
  const flannel = program
    .command('flannel')
    .summary('this machine’s part of a flannel network')
    .description('What Weft under the name `flanneld` made on this machine.')
  flannel
    .command('down')
    .description(
      'Takes away what flanneld made here, and nothing else: links, routes, rules of packet filters, subnet.env. Containers lose ' +
        'the others. The lease stays where it is kept.',
    )
    .option('--subnet-file <file>', 'as flanneld has it', FLANNELD_DEFAULTS.subnetFile)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(down)
}

const EXAMPLES = `
Examples:
  systemctl disable --now flanneld
  weft flannel down`

async function down({ subnetFile, json }: Down): Promise<void> {
  printTakenDown(await takeFlannelDown(subnetFile), json === true, {
    something: 'what flanneld made on this machine is taken away',
    nothing: 'nothing to take down: flanneld left nothing here',
  })
}
