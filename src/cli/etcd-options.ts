/**
 * The options that name an etcd, and those that say what of it is meant: k8s-ovs's registry, or Calico's. They are k8s-ovs's own, and
 * what it lacks: whose registry it is, which of etcd's interfaces, and a password that no list of processes shows.
 * @module
 */
import { type Command, Option } from 'commander'
import { CALICO_PREFIX } from '../compat/calico/etcd/layout.ts'
import { DEFAULT_PREFIX } from '../compat/k8s-ovs/layout.ts'
import { ETCD_APIS, type EtcdApi } from '../etcd/choose.ts'
import { type EtcdSettings, readSecret } from '../etcd/config.ts'
import { ETCD_LAYOUTS, type EtcdPlace } from '../place/etcd.ts'
import { usage } from './errors.ts'

/** Who we are to an etcd, and who it is to us. */
export interface EtcdAccount {
  readonly etcdCafile?: string
  readonly etcdCertfile?: string
  readonly etcdKeyfile?: string
  readonly etcdUsername?: string
  readonly etcdPasswordFile?: string
}

/** What the options say. */
export interface EtcdOptions extends EtcdAccount {
  readonly etcdEndpoints?: string
  readonly etcdLayout?: (typeof ETCD_LAYOUTS)[number]
  readonly etcdApi?: EtcdApi
  readonly etcdPrefix?: string
  readonly network?: string
  readonly etcdPassword?: string
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
    ...accountOptions(),
    new Option('--etcd-password <text>', 'seen in lists of processes: better one of the former two'),
  ]
  for (const option of options) command.addOption(option.helpGroup(GROUP))
  return command
}

/** The options that say who we are to any etcd. */
export function accountOptions(): readonly Option[] {
  return [
    new Option('--etcd-cafile <file>', 'the authority of the servers’ certificates'),
    new Option('--etcd-certfile <file>', 'our certificate'),
    new Option('--etcd-keyfile <file>', 'its key'),
    new Option('--etcd-username <name>', `who we are; $${PASSWORD_VARIABLE} may hold the password`),
    new Option('--etcd-password-file <file>', 'a file that holds it instead'),
  ]
}

/** How an etcd is reached as they say. A password given otherwise comes first. Throws `ETCD_CONFIG`. */
export function etcdSettings(endpoints: string, options: EtcdAccount, given?: string): EtcdSettings {
  const { etcdCafile: caFile, etcdCertfile: certFile, etcdKeyfile: keyFile, etcdUsername: username } = options
  return { endpoints, caFile, certFile, keyFile, username, password: given ?? passwordIn(options) }
}

function passwordIn({ etcdPasswordFile: file, etcdUsername: username }: EtcdAccount): string | undefined {
  if (file !== undefined) return readSecret(file, 'the password file').replace(/\r?\n$/, '')
  return username === undefined ? undefined : process.env[PASSWORD_VARIABLE]
}

/** The etcd that options name, if they do. Throws CLI_USAGE, and `ETCD_CONFIG` for a file that cannot be read. */
export function etcdPlaceNamed(options: EtcdOptions): EtcdPlace | undefined {
  const { etcdEndpoints: endpoints, etcdApi: api = 'auto', etcdPrefix, network = '', etcdLayout: layout } = options
  if (endpoints === undefined) {
    const stray = Object.keys(options).find((name) => /^etcd|^network$/.test(name))
    if (stray === undefined) return undefined
    throw usage(`--${dashed(stray)} says nothing without --etcd-endpoints`, 'give both')
  }
  const settings = etcdSettings(endpoints, options, typedPassword(options))
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

function typedPassword({ etcdPassword, etcdPasswordFile }: EtcdOptions): string | undefined {
  if (etcdPassword === undefined) return undefined
  if (etcdPasswordFile !== undefined) {
    throw usage('--etcd-password and --etcd-password-file both give a password', 'give one of them')
  }
  process.stderr.write(`weft: --etcd-password can be seen in lists of processes: ${INSTEAD}\n`)
  return etcdPassword
}

const INSTEAD = `better --etcd-password-file, or the environment variable ${PASSWORD_VARIABLE}`

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
