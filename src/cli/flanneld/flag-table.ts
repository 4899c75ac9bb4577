/**
 * The flags of flannel's daemon, klog's and this program's own included. Facts: flannel 0.28, Documentation/configuration.md.
 * @module
 */

/** What a flag takes. Only a `switch` can stand without a value, and then takes none from the next word. */
export type Takes =
  | { readonly kind: 'switch' }
  | { readonly kind: 'text' }
  | { readonly kind: 'form'; readonly pattern: RegExp; readonly expected: string }

/** A flag. An `idle` one is accepted and says nothing to Weft, for the reason given. */
export type Flag = Takes & { readonly idle?: string; readonly isRepeatable?: true; readonly isOurs?: true }

const SWITCH = { kind: 'switch' } as const
const TEXT = { kind: 'text' } as const
const NUMBER = { kind: 'form', pattern: /^\d{1,5}$/, expected: 'a number' } as const
const ADDRESS = { kind: 'form', pattern: /^(|[\da-fA-F:.]{2,45})$/, expected: 'an address' } as const
const LOG = 'the log goes to standard error as a whole'

/** Name → flag. */
export const FLAGS = {
  'etcd-endpoints': TEXT,
  'etcd-prefix': TEXT,
  'etcd-keyfile': TEXT,
  'etcd-certfile': TEXT,
  'etcd-cafile': TEXT,
  'etcd-username': TEXT,
  'etcd-password': TEXT,
  'etcd-password-file': { ...TEXT, isOurs: true },
  'etcd-api': { kind: 'form', pattern: /^(auto|v2|v3)$/, expected: 'auto, v2 or v3', isOurs: true },
  iface: { ...TEXT, isRepeatable: true },
  'iface-regex': { ...TEXT, isRepeatable: true },
  'iface-can-reach': ADDRESS,
  'subnet-file': TEXT,
  'public-ip': ADDRESS,
  'public-ipv6': ADDRESS,
  'subnet-lease-renew-margin': NUMBER,
  'ip-masq': SWITCH,
  'ip-masq-fully-random-disable': SWITCH,
  'kube-subnet-mgr': SWITCH,
  'kube-api-url': TEXT,
  'kubeconfig-file': TEXT,
  'kube-annotation-prefix': TEXT,
  'net-config-path': TEXT,
  'set-node-network-unavailable': SWITCH,
  'healthz-ip': ADDRESS,
  'healthz-port': NUMBER,
  'iptables-resync': NUMBER,
  'iptables-forward-rules': SWITCH,
  'ip-blackhole-route': SWITCH,
  guard: { ...SWITCH, isOurs: true },
  'tunnel-sources': { ...TEXT, isRepeatable: true, isOurs: true },
  version: SWITCH,
  help: SWITCH,
  v: NUMBER,
  logtostderr: { ...SWITCH, idle: LOG },
  alsologtostderr: { ...SWITCH, idle: LOG },
  stderrthreshold: { ...TEXT, idle: LOG },
  log_dir: { ...TEXT, idle: LOG },
  log_file: { ...TEXT, idle: LOG },
  log_file_max_size: { ...TEXT, idle: LOG },
  log_backtrace_at: { ...TEXT, idle: LOG },
  skip_headers: { ...SWITCH, idle: LOG },
  skip_log_headers: { ...SWITCH, idle: LOG },
  add_dir_header: { ...SWITCH, idle: LOG },
  one_output: { ...SWITCH, idle: LOG },
  vmodule: { ...TEXT, idle: 'there are no files of Go here' },
  'charon-executable-path': { ...TEXT, idle: 'there is no IPsec here' },
  'charon-vici-uri': { ...TEXT, idle: 'there is no IPsec here' },
} as const satisfies Readonly<Record<string, Flag>>

/** The name of a flag. */
export type FlagName = keyof typeof FLAGS

/** One-letter forms. */
export const SHORT: Readonly<Record<string, FlagName>> = { h: 'help' }
