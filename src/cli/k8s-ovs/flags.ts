/**
 * The command line of k8s-ovs, as Go's flag package reads it: one dash or two, the value behind `=` or in the next word,
 * glog's flags with and without a value. Pure.
 * @module
 */
import type { EtcdSettings } from '../../etcd/config.ts'
import { nearest } from '../../settings/nearest.ts'
import { type CliError, usage } from '../errors.ts'
import { PASSWORD_VARIABLE } from '../etcd-options.ts'
import { FLAGS, type Flag, type FlagName, SHORT } from './flag-table.ts'

/** How much is logged. */
export type LogLevel = 'info' | 'debug' | 'trace'

/** What k8s-ovs is to do. */
export type K8sOvsCommand = { readonly does: 'version' } | { readonly does: 'help' } | K8sOvsRun

/** How k8s-ovs is to run. */
export interface K8sOvsRun {
  readonly does: 'run'
  readonly etcd: EtcdSettings & {
    /** A file with the password, where that is not given otherwise. */
    readonly passwordFile?: string
  }
  /** Which of etcd's interfaces. */
  readonly api: 'auto' | 'v2' | 'v3'
  readonly layout: { readonly prefix: string; readonly network: string }
  /** The node's name; absent: the machine's. */
  readonly hostname?: string
  readonly kubeconfig?: string
  readonly context?: string
  /** Where the API server is, as `host:port` or a URL. */
  readonly server?: string
  /** A file with Weft's settings. */
  readonly config?: string
  readonly logLevel: LogLevel
  /** What was accepted and changes nothing, a sentence each. */
  readonly idle: readonly string[]
}

/** What holds without a flag. */
export const K8S_OVS_DEFAULTS = {
  endpoints: 'http://127.0.0.1:4001,http://127.0.0.1:2379',
  prefix: '/k8s.ovs.com/ovs/network',
  network: '',
} as const

/**
 * Reads a command line without the program's name. Of a flag given twice the last one counts. An empty value says
 * nothing. Throws CLI_USAGE.
 */
export function parseK8sOvs(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): K8sOvsCommand {
  const given = readFlags(words)
  if (given.get('version') === 'true') return { does: 'version' }
  if (given.get('help') === 'true') return { does: 'help' }
  const text = (name: FlagName): string | undefined => given.get(name) || undefined
  return {
    does: 'run',
    etcd: defined({
      endpoints: text('etcd-endpoints') ?? K8S_OVS_DEFAULTS.endpoints,
      caFile: text('etcd-cafile'),
      certFile: text('etcd-certfile'),
      keyFile: text('etcd-keyfile'),
      username: text('etcd-username'),
      ...passwordIn(text('etcd-password'), text('etcd-password-file'), env[PASSWORD_VARIABLE], text('etcd-username')),
    }),
    api: apiNamed(text('etcd-api')),
    layout: { prefix: text('etcd-prefix') ?? K8S_OVS_DEFAULTS.prefix, network: text('network') ?? '' },
    ...defined({
      config: text('config'),
      hostname: text('hostname')?.toLowerCase(),
      kubeconfig: text('kubeconfig'),
      context: text('context'),
      server: text('server'),
    }),
    logLevel: levelOf(Number(given.get('v') ?? 0)),
    idle: [...given.keys()].flatMap((name) => {
      const flag: Flag = FLAGS[name]
      return flag.fate === 'idle' ? [`--${name} changes nothing: ${flag.why}`] : []
    }),
  }
}

/** A flag wins over a file, and a file over the environment, which says nothing without a user. */
function passwordIn(flag?: string, file?: string, variable?: string, user?: string) {
  if (flag !== undefined || (file === undefined && user === undefined)) return { password: flag }
  return file === undefined ? { password: variable || undefined } : { passwordFile: file }
}

function apiNamed(text: string | undefined): 'auto' | 'v2' | 'v3' {
  return text === 'v2' || text === 'v3' ? text : 'auto'
}

/** glog's verbosity: from 4 on it explains, from 6 on it shows what goes over the wire. */
export function levelOf(verbosity: number): LogLevel {
  return verbosity >= 6 ? 'trace' : verbosity >= 4 ? 'debug' : 'info'
}

function readFlags(words: readonly string[]): ReadonlyMap<FlagName, string> {
  const given = new Map<FlagName, string>()
  const left = [...words]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, written, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (written === undefined) throw stray(word)
    const name = flagNamed(written)
    const flag: Flag = FLAGS[name]
    if (flag.fate === 'refused') throw usage(`--${name} cannot be followed: it ${flag.why}`, flag.remedy)
    const text = inline ?? (flag.kind === 'switch' ? 'true' : left.shift())
    given.set(name, checkedValue(name, flag, text))
  }
  return given
}

function flagNamed(written: string): FlagName {
  const name = SHORT[written] ?? written
  if (isFlag(name)) return name
  const meant = nearest(written, Object.keys(FLAGS))
  const remedy = meant === undefined ? '`k8s-ovs --help` lists the flags' : `did you mean --${meant}?`
  return refuse(`k8s-ovs has no flag --${written.slice(0, 80)}`, remedy)
}

function checkedValue(name: FlagName, flag: Flag, text: string | undefined): string {
  if (text === undefined) return refuse(`--${name} needs a value`, `write --${name}=VALUE`)
  if (flag.kind === 'switch') return switchOf(name, text)
  if (flag.kind === 'text' || flag.pattern.test(text)) return text
  return refuse(`--${name} takes ${flag.expected}`, `correct the value of --${name}`)
}

/** The words that Go's strconv.ParseBool knows. */
function switchOf(name: FlagName, text: string): string {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return 'true'
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return 'false'
  return refuse(`--${name} takes true or false`, `write --${name} or --${name}=false`)
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name)
}

/** A word may be a password whose flag was forgotten: it is not repeated. */
function stray(word: string): CliError {
  const what = word === '' || word === '-' || word === '--' ? JSON.stringify(word) : 'a word that begins no flag'
  return usage(`k8s-ovs takes flags only, and there is ${what}`, 'a value follows its flag: --hostname=node1')
}

function refuse(message: string, remedy: string): never {
  throw usage(message, remedy)
}

type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
