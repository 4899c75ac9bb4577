/**
 * What the command line's exit codes mean. They are part of its interface: scripts build on them.
 * @module
 */

/** Exit codes. */
export const EXIT = {
  /** Done, or the answer is yes. */
  ok: 0,
  /** Something went wrong, or the answer is no: a refused request, a difference, a wrong cell. */
  failed: 1,
  /** The command line makes no sense, or a file that it names (settings, kubeconfig) does not. Nothing was done. */
  usage: 2,
  /** Something the command needs does not answer: the registry, an agent, the controller, Open vSwitch, the playground. */
  unreachable: 3,
  /** Open vSwitch would do something else with a packet than the plan says, or the flows than the objects say. */
  disagrees: 4,
  /** `weft policy preview`: something will change. */
  changes: 5,
  /** `weft play exec`: there is no such program. */
  noProgram: 127,
  /** Ended by SIGINT before it was done. */
  interrupted: 130,
  /** Ended by SIGTERM before it was done. */
  terminated: 143,
} as const

/** The exit codes as `weft --help` explains them. */
export const EXIT_CODES_HELP = `Exit codes:
  0  done, or the answer is yes
  1  it failed, or the answer is no (refused, different, unreachable pod)
  2  the command line makes no sense, or a settings file or kubeconfig that it
     names does not; nothing was done
  3  something that is needed does not answer (registry, agent, controller,
     Open vSwitch, playground)
  4  trace --check: Open vSwitch would do something else than the plan;
     explain: the flows do something else than the objects say
  5  policy preview, bgp plan: something will change, or should
  127  play exec only: there is no such program
  130, 143  ended by SIGINT or SIGTERM before it was done`

/** Every error code that does not mean {@link EXIT.failed}. */
export const EXIT_BY_CODE: ReadonlyMap<string, number> = new Map([
  ...[
    'CLI_USAGE',
    'PLAY_USAGE',
    'INSIGHT_USAGE',
    'SETTINGS_INVALID',
    'SETTINGS_UNREADABLE',
    'KUBE_CONFIG',
    'ETCD_CONFIG',
    'FLANNEL_CONFIG',
    'MESH_CONFIG',
    'OVN_BAD_REQUEST',
    'OVSDB_BAD_REMOTE',
    'OVSDB_BAD_TLS',
    'UNDERLAY_USAGE',
    'UNDERLAY_CONFIG',
  ].map((code) => [code, EXIT.usage] as const),
  ...[
    'CLI_NOT_RUNNING',
    'PLAY_NOT_RUNNING',
    'PLAY_TIMEOUT',
    'HOST_TIMEOUT',
    'TENANT_BUSY',
    'TENANT_TIMEOUT',
    'TENANT_REQUEST_STAYS',
    'INSIGHT_AGENT_NOT_RUNNING',
    'INSIGHT_AGENT_UNREACHABLE',
    'INSIGHT_REGISTRY_UNREACHABLE',
    'REGISTRY_UNAVAILABLE',
    'KUBE_UNAVAILABLE',
    'OVSDB_CLOSED',
    'OVSDB_DISCONNECTED',
    'OVSDB_TIMEOUT',
    'OVSDB_UNREACHABLE',
    'OVSDB_NOT_LEADER',
    'OVN_UNREACHABLE',
    'OVN_NOT_FOLLOWED',
    'OPENFLOW_DISCONNECTED',
    'OPENFLOW_NO_SOCKET',
    'UNIXCTL_UNREACHABLE',
    // The system's, of sockets. A missing file (ENOENT) says nothing of who answers.
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
  ].map((code) => [code, EXIT.unreachable] as const),
  ['PLAY_NO_PROGRAM', EXIT.noProgram],
  ['TENANT_INTERRUPTED', EXIT.interrupted],
])

/** The exit code for an error by its stable code. */
export function exitCodeOf(error: unknown): number {
  return EXIT_BY_CODE.get(codeOf(error) ?? '') ?? EXIT.failed
}

/** The stable code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
