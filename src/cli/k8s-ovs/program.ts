/**
 * Weft under the name `k8s-ovs`: that program's flags, its answers, and what it did.
 * @module
 */
import { VERSION } from '../../version.ts'
import { CliError, describeError } from '../errors.ts'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import { FLAGS, type Flag } from './flag-table.ts'
import { K8S_OVS_DEFAULTS, type K8sOvsRun, parseK8sOvs } from './flags.ts'

/** Runs a command line without the program's name. Never throws; resolves to the exit code. */
export async function runK8sOvs(words: readonly string[]): Promise<number> {
  try {
    const command = parseK8sOvs(words, process.env)
    // Both go where k8s-ovs and Go's flag package write them.
    if (command.does === 'version') process.stderr.write(`${VERSION}\n`)
    else if (command.does === 'help') process.stderr.write(HELP)
    else await run(command)
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    process.stderr.write(`k8s-ovs: ${describeError(error, (text) => text)}\n`)
    return exitCodeOf(error)
  }
}

async function run(_: K8sOvsRun): Promise<void> {
  throw new CliError(
    'CLI_NOT_RUNNING',
    'this build has no registry in etcd yet',
    'run weft agent and weft controller with --kubeconfig',
  )
}

const HELP = [
  'Usage: k8s-ovs [flags]',
  '',
  'Weft as k8s-ovs: the agent of this node, and the controller of the cluster where it is elected. The configuration',
  `is in etcd, at ${K8S_OVS_DEFAULTS.prefix}/config. Flags take one dash or two.`,
  '',
  ...Object.entries<Flag>(FLAGS).flatMap(([name, flag]) => {
    if (flag.fate === 'refused') return []
    const about = flag.fate === 'idle' ? ' (accepted; changes nothing)' : ''
    return [`  --${name}${flag.kind === 'switch' ? '' : ' VALUE'}${about}`]
  }),
  '',
  'The environment names the Kubernetes API server: KUBECONFIG, or KUBERNETES_MASTER=host:port. K8S_OVS_ETCD_PASSWORD holds a',
  'password that no list of processes shows.',
  '',
].join('\n')
