import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Cidr, parseCidr } from '../../../network/model/address.ts'
import type { Fabric } from '../../../network/model/cluster.ts'
import { MAX_NODES } from '../../../playground/layout.ts'
import { DEFAULT_SHAPE, type Shape } from '../../../playground/options.ts'
import { type UpOptions, up } from '../../../playground/up.ts'
import { loadSettings } from '../../../settings/load.ts'
import { EXIT } from '../../exit-codes.ts'
import { outputLook } from '../../look.ts'
import { wholeNumber } from '../../numbers.ts'
import { heardOrNot, type PlayOptions, say, withRunDir } from './shared.ts'

interface Options extends PlayOptions {
  readonly nodes: number
  readonly underlay: '4' | '6'
  readonly encapsulation: Shape['encapsulation']
  readonly fabric: Fabric['way']
  readonly blocks?: string
  readonly physical?: readonly Cidr[]
  readonly config?: string
  readonly once?: boolean
  readonly keep?: boolean
}

const BLOCK_BITS: readonly string[] = ['3', '4', '5', '6', '7', '8']

/** `weft play up`, what `weft play` does without a command. */
export function registerPlayUp(play: Command): void {
  withRunDir(play.command('up', { isDefault: true }))
    .description('bring a playground up, show it, measure who reaches whom; or measure the one that is up')
    .option('--nodes <count>', 'how many nodes', wholeNumber(1, MAX_NODES), DEFAULT_SHAPE.nodes)
    .addOption(
      new Option('--underlay <family>', 'family of the addresses that tunnels run between')
        .choices(['4', '6'])
        .default('4'),
    )
    .addOption(
      new Option('--encapsulation <type>', 'how packets travel between nodes')
        .choices(['vxlan', 'geneve', 'gre'])
        .default('vxlan'),
    )
    .addOption(
      new Option(
        '--fabric <way>',
        'how packets of pods reach other nodes: in tunnels, by the kernels’ own routes, or by what BGP told',
      )
        .choices(['tunnel', 'direct', 'bgp'])
        .default('tunnel'),
    )
    .addOption(
      new Option(
        '--blocks <bits>',
        'host bits of nodes’ ranges, of which they get more as their pods become more',
      ).choices(BLOCK_BITS),
    )
    .addOption(
      new Option(
        '--physical <networks>',
        'a second wire with these networks, parted by a comma: bridge br1 on every node, for pods with fixed addresses',
      ).argParser(networksIn),
    )
    .option(
      '--config <file>',
      'settings of the agents and the controller, as docs/settings.md has them; read when these start',
    )
    .option('--once', 'remove everything after the measurement, also when something fails')
    .option('--keep', 'leave what there is when something fails, to look at it')
    .option('--json', 'print a summary as the last line instead of picture and table')
    .option('--yes', 'install missing packages without asking (npm run play)')
    .action(run)
}

async function run(options: Options): Promise<void> {
  const { runDir, once = false, keep = false, json = false } = options
  const shape: Shape = {
    nodes: options.nodes,
    underlay: options.underlay === '6' ? 6 : 4,
    encapsulation: options.encapsulation,
    ...(options.fabric !== 'tunnel' ? { fabric: options.fabric } : {}),
    ...(options.blocks === undefined ? {} : { blocks: Number(options.blocks) }),
    ...(options.physical === undefined ? {} : { physical: options.physical }),
    ...(options.config === undefined ? {} : { config: settingsFile(options.config) }),
  }
  const wanted: UpOptions = {
    runDir,
    shape,
    once,
    keep,
    ...(json ? {} : { say }),
    look: outputLook(),
  }
  const summary = await heardOrNot(() => up(wanted))
  if (json) say(JSON.stringify(summary))
  process.exitCode = summary.wrong === 0 ? EXIT.ok : EXIT.failed
}

/** Where the file is, for programs that run elsewhere. Throws for one that they could not read. */
function settingsFile(path: string): string {
  const file = resolve(path)
  loadSettings(file)
  return file
}

function networksIn(text: string): readonly Cidr[] {
  return text.split(',').map((one) => {
    const network = parseCidr(one.trim())
    if (network === undefined) throw new InvalidArgumentError('Give networks such as 172.18.0.0/16.')
    return network
  })
}
