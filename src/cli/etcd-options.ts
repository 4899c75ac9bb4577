/**
 * The options that name an etcd with k8s-ovs's registry, or with Calico's. They are k8s-ovs's own, and what it lacks: whose
 * registry it is, which of etcd's interfaces, and a password that no list of processes shows.
 * @module
 */
import { type Command, Option } from 'commander'
import { CALICO_PREFIX } from '../compat/calico/etcd/layout.ts'
import { DEFAULT_PREFIX } from '../compat/k8s-ovs/layout.ts'
import { ETCD_APIS, type EtcdApi } from '../etcd/choose.ts'
import { readSecret } from '../etcd/config.ts'
import { ETCD_LAYOUTS, type EtcdPlace } from '../place/etcd.ts'
import { usage } from './errors.ts'

/** What the options say. */
export interface EtcdOptions {
  readonly etcdEndpoints?: string
  readonly etcdLayout?: (typeof ETCD_LAYOUTS)[number]
  readonly etcdApi?: EtcdApi
  readonly etcdPrefix?: string
  readonly network?: string
  readonly etcdCafile?: string
  readonly etcdCertfile?: string
  readonly etcdKeyfile?: string
  readonly etcdUsername?: string
  readonly etcdPassword?: string
  readonly etcdPasswordFile?: string
}

/** Holds a password that no list of processes shows. */
export const PASSWORD_VARIABLE = 'WEFT_ETCD_PASSWORD'
const GROUP = 'k8s-ovs’s registry in etcd, or Calico’s:'

/** Adds the options that {@link etcdPlaceNamed} understands. */
export function withEtcdOptions(command: Command): Command {
  const options = [
    new Option('--etcd-endpoints <list>', 'shared state is in this etcd: http://host:port, parted by commas'),
    new Option('--etcd-layout <whose>', 'who keeps things there (default: k8s-ovs)').choices(ETCD_LAYOUTS),
    new Option('--etcd-api <version>', 'which of its interfaces (default: the one that has the configuration)').choices(
      ETCD_APIS,
    ),
    new Option('--etcd-prefix <path>', `root of all keys (default: ${DEFAULT_PREFIX}, Calico’s: ${CALICO_PREFIX})`),
    new Option('--network <name>', 'the configuration is in this folder of the prefix'),
    new Option('--etcd-cafile <file>', 'the authority of the servers’ certificates'),
    new Option('--etcd-certfile <file>', 'our certificate'),
    new Option('--etcd-keyfile <file>', 'its key'),
    new Option('--etcd-username <name>', 'who we are'),
    new Option('--etcd-password <text>', 'seen in lists of processes: better the next, or $WEFT_ETCD_PASSWORD'),
    new Option('--etcd-password-file <file>', 'a file with the password'),
  ]
  for (const option of options) command.addOption(option.helpGroup(GROUP))
  return command
}

/** The etcd that options name, if they do. Throws CLI_USAGE, and `ETCD_CONFIG` for a file that cannot be read. */
export function etcdPlaceNamed(options: EtcdOptions): EtcdPlace | undefined {
  const { etcdEndpoints: endpoints, etcdApi: api = 'auto', etcdPrefix, network = '', etcdLayout: layout } = options
  if (endpoints === undefined) {
    const stray = Object.keys(options).find((name) => /^etcd|^network$/.test(name))
    if (stray === undefined) return undefined
    throw usage(`--${dashed(stray)} says nothing without --etcd-endpoints`, 'give both')
  }
  const { etcdCafile: caFile, etcdCertfile: certFile, etcdKeyfile: keyFile, etcdUsername: username } = options
  const password = passwordIn(options)
  const settings = { endpoints, caFile, certFile, keyFile, username, password }
  if (layout !== 'calico') return { settings, api, prefix: etcdPrefix ?? DEFAULT_PREFIX, network }
  if (network !== '') throw usage('--network says nothing of what Calico keeps in etcd', 'leave it out')
  if (api === 'v2') throw usage('Calico keeps nothing in etcd’s v2', 'leave out --etcd-api')
  return { layout, settings, prefix: etcdPrefix ?? CALICO_PREFIX }
}

/** These options alone, out of those of a command, and the others. */
export function splitEtcdOptions<O extends object>(
  options: O & EtcdOptions,
): { readonly etcd: EtcdOptions; readonly others: Omit<O, keyof EtcdOptions> } {
  const isEtcd = ([name]: readonly [string, unknown]): boolean => /^etcd[A-Z]|^network$/.test(name)
  const entries = Object.entries(options)
  const others = Object.fromEntries(entries.filter((entry) => !isEtcd(entry)))
  return { etcd: Object.fromEntries(entries.filter(isEtcd)), others: others as Omit<O, keyof EtcdOptions> }
}

function passwordIn({ etcdPassword, etcdPasswordFile, etcdUsername }: EtcdOptions): string | undefined {
  if (etcdPassword !== undefined && etcdPasswordFile !== undefined) {
    throw usage('--etcd-password and --etcd-password-file both give a password', 'give one of them')
  }
  if (etcdPassword !== undefined) {
    process.stderr.write(`weft: --etcd-password can be seen in lists of processes: ${INSTEAD}\n`)
    return etcdPassword
  }
  if (etcdPasswordFile !== undefined) return readSecret(etcdPasswordFile, 'the password file').replace(/\r?\n$/, '')
  return etcdUsername === undefined ? undefined : process.env[PASSWORD_VARIABLE]
}

const INSTEAD = `better --etcd-password-file, or the environment variable ${PASSWORD_VARIABLE}`

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
