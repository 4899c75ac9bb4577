/**
 * The command line of flanneld, as Go's flag package reads it: one dash or two, the value behind `=` or in the next word;
 * and its environment, `FLANNELD_` and the flag in capitals. Pure.
 * @module
 */
import type { EtcdSettings } from '../../etcd/config.ts'
import { type Cidr, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import { nearest } from '../../settings/nearest.ts'
import { usage } from '../errors.ts'
import { PASSWORD_VARIABLE } from '../etcd-options.ts'
import { FLAGS, type Flag, type FlagName, SHORT } from './flag-table.ts'

/** What flanneld is to do. */
export type FlanneldCommand =
  | { readonly does: 'version' }
  | { readonly does: 'help' }
  /** The process that forwards for the back end `udp`; not for people. */
  | { readonly does: 'forward'; readonly socket: string }
  | FlanneldWish

/** How the daemon is to run. */
export interface FlanneldWish {
  readonly does: 'run'
  readonly leases: EtcdWish | KubeWish
  readonly subnetFile: string
  readonly iface: readonly string[]
  readonly ifaceRegex: readonly string[]
  readonly ifaceCanReach?: string
  readonly publicIp?: Ip
  readonly publicIpv6?: Ip
  readonly ipMasq: boolean
  readonly fullyRandom: boolean
  readonly forwardRules: boolean
  readonly blackhole: boolean
  readonly guard: boolean
  readonly tunnelSources: readonly Cidr[]
  /** Seconds. */
  readonly filterInterval: number
  readonly health?: { readonly address: string; readonly port: number }
  readonly logLevel: 'info' | 'debug' | 'trace'
  /** What was accepted and changes nothing, a sentence each. */
  readonly idle: readonly string[]
}

/** Leases in etcd. */
export interface EtcdWish extends EtcdSettings {
  readonly kind: 'etcd'
  /** A file with the password, where that is not given otherwise. */
  readonly passwordFile?: string
  readonly api: 'auto' | 'v2' | 'v3'
  readonly prefix: string
  /** Minutes. */
  readonly renewMargin: number
}

/** Leases in Kubernetes. */
export interface KubeWish {
  readonly kind: 'kubernetes'
  readonly server?: string
  readonly kubeconfig?: string
  readonly annotationPrefix: string
  readonly configPath: string
  readonly setCondition: boolean
}

/** What holds without a flag. */
export const FLANNELD_DEFAULTS = {
  endpoints: 'http://127.0.0.1:4001,http://127.0.0.1:2379',
  prefix: '/coreos.com/network',
  subnetFile: '/run/flannel/subnet.env',
  renewMargin: 60,
  annotationPrefix: 'flannel.alpha.coreos.com',
  configPath: '/etc/kube-flannel/net-conf.json',
  healthAddress: '0.0.0.0',
  filterInterval: 5,
} as const

/** The word before the socket of the process that forwards. */
export const FORWARD_WORD = '--forward-udp-for'

type Environment = Readonly<Record<string, string | undefined>>

/** Reads a command line without the program's name. A flag wins over the environment. Throws CLI_USAGE. */
export function parseFlanneld(words: readonly string[], env: Environment): FlanneldCommand {
  const [first, socket, ...more] = words
  if (first === FORWARD_WORD && socket !== undefined && more.length === 0) return { does: 'forward', socket }
  const given = new Given(readFlags(words), env)
  if (given.isOn('version', false)) return { does: 'version' }
  if (given.isOn('help', false)) return { does: 'help' }
  const publicIp = given.address('public-ip', 4)
  const publicIpv6 = given.address('public-ipv6', 6)
  const ifaceCanReach = given.text('iface-can-reach')
  const port = given.number('healthz-port', 0, 0, 65_535)
  return {
    does: 'run',
    leases: given.isOn('kube-subnet-mgr', false) ? kubeWish(given) : etcdWish(given, env),
    subnetFile: given.text('subnet-file') ?? FLANNELD_DEFAULTS.subnetFile,
    iface: given.list('iface'),
    ifaceRegex: given.list('iface-regex'),
    ...(ifaceCanReach === undefined ? {} : { ifaceCanReach }),
    ...(publicIp === undefined ? {} : { publicIp }),
    ...(publicIpv6 === undefined ? {} : { publicIpv6 }),
    ipMasq: given.isOn('ip-masq', false),
    fullyRandom: !given.isOn('ip-masq-fully-random-disable', false),
    forwardRules: given.isOn('iptables-forward-rules', true),
    blackhole: given.isOn('ip-blackhole-route', false),
    guard: given.isOn('guard', true),
    tunnelSources: given.networks('tunnel-sources'),
    filterInterval: given.number('iptables-resync', FLANNELD_DEFAULTS.filterInterval, 1, 86_400),
    ...(port === 0 ? {} : { health: { address: given.text('healthz-ip') ?? FLANNELD_DEFAULTS.healthAddress, port } }),
    logLevel: levelOf(given.number('v', 0, 0, 99_999)),
    idle: given.idle(),
  }
}

/** klog's verbosity: from 4 on it explains, from 6 on it shows everything. */
function levelOf(verbosity: number): FlanneldWish['logLevel'] {
  return verbosity >= 6 ? 'trace' : verbosity >= 4 ? 'debug' : 'info'
}

function etcdWish(given: Given, env: Environment): EtcdWish {
  const username = given.text('etcd-username')
  const password = given.text('etcd-password') ?? (username && (env[PASSWORD_VARIABLE] || undefined))
  const passwordFile = given.text('etcd-password-file')
  const [caFile, certFile, keyFile] = (['etcd-cafile', 'etcd-certfile', 'etcd-keyfile'] as const).map((name) =>
    given.text(name),
  )
  const api = given.text('etcd-api')
  return {
    kind: 'etcd',
    endpoints: given.text('etcd-endpoints') ?? FLANNELD_DEFAULTS.endpoints,
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined || passwordFile !== undefined ? {} : { password }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    api: api === 'v2' || api === 'v3' ? api : 'auto',
    prefix: prefixOf(given.text('etcd-prefix') ?? FLANNELD_DEFAULTS.prefix),
    renewMargin: given.number('subnet-lease-renew-margin', FLANNELD_DEFAULTS.renewMargin, 1, 1439),
  }
}

function kubeWish(given: Given): KubeWish {
  const server = given.text('kube-api-url')
  const kubeconfig = given.text('kubeconfig-file')
  return {
    kind: 'kubernetes',
    ...(server === undefined ? {} : { server }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    annotationPrefix: given.text('kube-annotation-prefix') ?? FLANNELD_DEFAULTS.annotationPrefix,
    configPath: given.text('net-config-path') ?? FLANNELD_DEFAULTS.configPath,
    setCondition: given.isOn('set-node-network-unavailable', true),
  }
}

/** One slash in front, none at the end. */
function prefixOf(text: string): string {
  const prefix = `/${text.replace(/^\/+|\/+$/g, '')}`
  if (prefix.length > 1) return prefix
  throw usage('--etcd-prefix names no folder', `write it like ${FLANNELD_DEFAULTS.prefix}`)
}

/** Flags, and behind them the environment. An empty value says nothing. */
class Given {
  readonly #flags: ReadonlyMap<FlagName, readonly string[]>
  readonly #env: Environment

  constructor(flags: ReadonlyMap<FlagName, readonly string[]>, env: Environment) {
    this.#flags = flags
    this.#env = env
  }

  text(name: FlagName): string | undefined {
    const last = this.#flags.get(name)?.at(-1) ?? this.#inEnvironment(name)
    return last || undefined
  }

  list(name: FlagName): readonly string[] {
    const variable = this.#inEnvironment(name)
    const values = this.#flags.get(name) ?? (variable === undefined ? [] : variable.split(','))
    return values.map((value) => value.trim()).filter((value) => value !== '')
  }

  isOn(name: FlagName, otherwise: boolean): boolean {
    const text = this.text(name)
    return text === undefined ? otherwise : text === 'true'
  }

  number(name: FlagName, otherwise: number, least: number, most: number): number {
    const text = this.text(name)
    const value = text === undefined ? otherwise : Number(text)
    if (value >= least && value <= most) return value
    throw usage(`--${name} takes ${least} to ${most}`, `correct the value of --${name}`)
  }

  address(name: FlagName, family: 4 | 6): Ip | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const address = parseIp(text)
    if (address !== undefined && address.includes(':') === (family === 6)) return address
    throw usage(`--${name} takes an IPv${family} address`, `correct the value of --${name}`)
  }

  networks(name: FlagName): readonly Cidr[] {
    return this.list(name)
      .flatMap((text) => text.split(','))
      .map((text) => {
        const network = parseCidr(text.trim())
        if (network !== undefined) return network
        throw usage(`--${name} takes networks`, `write --${name}=192.0.2.0/24, or one address as 192.0.2.7/32`)
      })
  }

  idle(): readonly string[] {
    return [...this.#flags.keys()].flatMap((name) => {
      const flag: Flag = FLAGS[name]
      return flag.idle === undefined ? [] : [`--${name} changes nothing: ${flag.idle}`]
    })
  }

  #inEnvironment(name: FlagName): string | undefined {
    const variable = `FLANNELD_${name.toUpperCase().replaceAll('-', '_')}`
    const text = this.#env[variable]
    return text === undefined || text === '' ? undefined : checkedValue(variable, FLAGS[name], text)
  }
}

function readFlags(words: readonly string[]): ReadonlyMap<FlagName, readonly string[]> {
  const given = new Map<FlagName, readonly string[]>()
  const left = [...words]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, written, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? []
    // A word may be a password whose flag was forgotten: it is not repeated.
    if (written === undefined) {
      throw usage(
        'flanneld takes flags only, and there is a word that begins none',
        'a value follows its flag: --iface=eth0',
      )
    }
    const name = flagNamed(written)
    const flag: Flag = FLAGS[name]
    const text = inline ?? (flag.kind === 'switch' ? 'true' : left.shift())
    const value = checkedValue(`--${name}`, flag, text)
    given.set(name, flag.isRepeatable === true ? [...(given.get(name) ?? []), value] : [value])
  }
  return given
}

function flagNamed(written: string): FlagName {
  const name = SHORT[written] ?? written
  if (isFlag(name)) return name
  const meant = nearest(written, Object.keys(FLAGS))
  const remedy = meant === undefined ? '`flanneld --help` lists the flags' : `did you mean --${meant}?`
  throw usage(`flanneld has no flag --${written.slice(0, 80)}`, remedy)
}

function checkedValue(label: string, flag: Flag, text: string | undefined): string {
  if (text === undefined) throw usage(`${label} needs a value`, `write ${label}=VALUE`)
  if (flag.kind === 'switch') return switchOf(label, text)
  if (flag.kind === 'text' || flag.pattern.test(text)) return text
  throw usage(`${label} takes ${flag.expected}`, `correct the value of ${label}`)
}

/** The words that Go's strconv.ParseBool knows. */
function switchOf(label: string, text: string): string {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return 'true'
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return 'false'
  throw usage(`${label} takes true or false`, `write ${label} or ${label}=false`)
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name)
}
