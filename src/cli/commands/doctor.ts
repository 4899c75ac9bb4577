import { type Command, Option } from 'commander'
import { AGENT_DEFAULTS } from '../../agent/options.ts'
import { examine } from '../../insight/doctor/check.ts'
import { CHECKS } from '../../insight/doctor/checks/index.ts'
import { expectedOf } from '../../insight/doctor/expected.ts'
import { observeHost } from '../../insight/doctor/observe/observe.ts'
import { printReport } from '../../insight/doctor/print.ts'
import { placeIn } from '../../place/place.ts'
import { switchBeside } from '../../playground/layout.ts'
import { type PlaceOptions, placeNamed, withPlaceOptions } from '../address.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'

interface Options extends PlaceOptions {
  readonly runDir: string
  readonly ovsdb?: string
  readonly ovsRunDir?: string
  readonly cniConfigDir: string
  readonly cniBinDir: string
  readonly datapath: 'system' | 'netdev'
  readonly json?: boolean
}

/** `weft doctor`: whether this host is fit for the network. */
export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary('check this host, before and after installation')
    .description(
      'Looks at this host and at nothing else: Open vSwitch, kernel, links, routes, filters, and who else works on them. ' +
        'It changes nothing. With an agent here it knows the cluster; without one, name a registry, or it judges less.',
    )
    .option('--run-dir <folder>', 'the agent’s folder', AGENT_DEFAULTS.runDir)
    .option('--ovsdb <path>', `socket of ovsdb-server ${BESIDE} ${AGENT_DEFAULTS.ovsdb})`)
    .option('--ovs-run-dir <path>', `folder of ovs-vswitchd’s control socket ${BESIDE} ${AGENT_DEFAULTS.ovsRunDir})`)
    .option('--cni-config-dir <folder>', 'where container runtimes look for configurations', '/etc/cni/net.d')
    .option('--cni-bin-dir <folder>', 'where container runtimes look for plugins', '/opt/cni/bin')
    .addOption(
      new Option('--datapath <kind>', 'the datapath that is meant, where no agent says it')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .option('--json', 'print JSON')
  withPlaceOptions(command, 'what the agent’s folder says, if anything').addHelpText('after', HELP).action(run)
}

const BESIDE = '(default: that of the playground’s node whose agent is asked, else'

const HELP = `
Exit codes: 0 nothing failed (there may be warnings), 1 a check failed.

Examples:
  weft doctor
  weft doctor --datapath netdev
  weft doctor --json | jq '.checks[] | select(.state != "ok")'`

async function run(options: Options): Promise<void> {
  const { runDir, cniConfigDir: cniConfDir, cniBinDir, datapath } = options
  const { ovsdb = AGENT_DEFAULTS.ovsdb, ovsRunDir = AGENT_DEFAULTS.ovsRunDir } = { ...switchBeside(runDir), ...options }
  const registry = placeNamed(options) ?? placeIn(runDir)
  const [expected, facts] = await Promise.all([
    expectedOf({ agent: `${runDir}/agent.sock`, registry, datapath }),
    observeHost({ ovsdb, ovsRunDir, cniConfDir, cniBinDir, root: '/' }),
  ])
  const rows = examine(CHECKS, facts, expected)
  const failed = rows.some(({ state }) => state === 'fail')
  if (options.json === true) printJson({ fit: !failed, checks: rows })
  else printLines(printReport(rows, outputLook()))
  process.exitCode = failed ? EXIT.failed : EXIT.ok
}
