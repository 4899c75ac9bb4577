/**
 * The flags of k8s-ovs 0.1.0, glog's and kubectl's included, and what each takes.
 * @module
 */

/** What a flag takes. Only a `switch` can stand without a value, and then takes none from the next word. */
export type Takes =
  | { readonly kind: 'switch' }
  | { readonly kind: 'text' }
  | { readonly kind: 'form'; readonly pattern: RegExp; readonly expected: string }

/** What becomes of a flag: `meant` has an effect, `idle` is accepted and says nothing to Weft, `refused` cannot be followed. */
export type Fate =
  | { readonly fate: 'meant' }
  | { readonly fate: 'idle'; readonly why: string }
  | { readonly fate: 'refused'; readonly why: string; readonly remedy: string }

export type Flag = Takes & Fate

const SWITCH = { kind: 'switch' } as const
const TEXT = { kind: 'text' } as const
const MEANT = { fate: 'meant' } as const
const IDENTITY = {
  fate: 'refused',
  why: 'says who we are to the API server outside of a kubeconfig',
  remedy: 'write it into a kubeconfig and give --kubeconfig',
} as const
const KUBECTL = { fate: 'idle', why: 'it is about single requests of kubectl' } as const
const LOG = { fate: 'idle', why: 'the log goes to standard error as a whole' } as const

/** Name → flag. */
export const FLAGS = {
  'etcd-endpoints': { ...TEXT, ...MEANT },
  'etcd-prefix': { ...TEXT, ...MEANT },
  'etcd-keyfile': { ...TEXT, ...MEANT },
  'etcd-certfile': { ...TEXT, ...MEANT },
  'etcd-cafile': { ...TEXT, ...MEANT },
  'etcd-username': { ...TEXT, ...MEANT },
  'etcd-password': { ...TEXT, ...MEANT },
  'etcd-password-file': { ...TEXT, ...MEANT },
  'etcd-api': { kind: 'form', pattern: /^(auto|v2|v3)$/, expected: 'auto, v2 or v3', ...MEANT },
  network: { ...TEXT, ...MEANT },
  hostname: { ...TEXT, ...MEANT },
  /** Weft's own: its settings, for what k8s-ovs has no flag. */
  config: { ...TEXT, ...MEANT },
  version: { ...SWITCH, ...MEANT },
  help: { ...SWITCH, ...MEANT },
  'docker-endpoints': { ...TEXT, fate: 'idle', why: 'Docker is not asked: runtimes say what Weft needs' },

  v: { kind: 'form', pattern: /^\d{1,3}$/, expected: 'a number', ...MEANT },
  logtostderr: { ...SWITCH, ...LOG },
  alsologtostderr: { ...SWITCH, ...LOG },
  stderrthreshold: {
    kind: 'form',
    pattern: /^(INFO|WARNING|ERROR|FATAL|[0-3])$/i,
    expected: 'INFO, WARNING, ERROR or FATAL',
    ...LOG,
  },
  log_dir: { ...TEXT, ...LOG },
  log_backtrace_at: { kind: 'form', pattern: /^(|:0|[^:]+:\d+)$/, expected: 'file:line', ...LOG },
  vmodule: {
    kind: 'form',
    pattern: /^([^=,\s]+=\d{1,3}(,[^=,\s]+=\d{1,3})*)?$/,
    expected: 'pattern=number, several of them parted by commas',
    fate: 'idle',
    why: 'there are no files of Go here',
  },

  kubeconfig: { ...TEXT, ...MEANT },
  context: { ...TEXT, ...MEANT },
  server: { ...TEXT, ...MEANT },
  cluster: { ...TEXT, ...IDENTITY },
  user: { ...TEXT, ...IDENTITY },
  token: { ...TEXT, ...IDENTITY },
  username: { ...TEXT, ...IDENTITY },
  password: { ...TEXT, ...IDENTITY },
  'certificate-authority': { ...TEXT, ...IDENTITY },
  'client-certificate': { ...TEXT, ...IDENTITY },
  'client-key': { ...TEXT, ...IDENTITY },
  'insecure-skip-tls-verify': { ...SWITCH, ...IDENTITY },
  namespace: { ...TEXT, ...KUBECTL },
  'request-timeout': { ...TEXT, ...KUBECTL },
  'api-version': { ...TEXT, ...KUBECTL },
  'match-server-version': { ...SWITCH, ...KUBECTL },
} as const satisfies Readonly<Record<string, Flag>>

/** The name of a flag. */
export type FlagName = keyof typeof FLAGS

/** kubectl's one-letter forms. */
export const SHORT: Readonly<Record<string, FlagName>> = { s: 'server', n: 'namespace', h: 'help' }
