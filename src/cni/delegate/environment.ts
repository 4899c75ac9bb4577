import type { CniVerb } from '../version.ts'

/** What a plugin's program is called with besides its configuration. */
export interface ProgramCall {
  readonly verb: CniVerb
  /** The program's name. */
  readonly type: string
  /** Folders with plugins: where it is looked up, and where it looks up others. */
  readonly path: readonly string[]
  readonly containerId?: string
  /** Path of the network namespace; absent: it is gone. */
  readonly netns?: string
  readonly ifname?: string
  /** CNI_ARGS. */
  readonly args?: string
}

/** What programs get of our own environment: where tools are, and the trace that a call is part of. Nothing secret. */
const PASSED = ['PATH', 'HOME', 'TRACEPARENT', 'TRACESTATE', 'BAGGAGE'] as const
const TOOLS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The environment of a plugin's program, with `extra` variables for it; variables that do not apply are set to nothing, as libcni has it. */
export function environmentOf(
  call: ProgramCall,
  own: NodeJS.ProcessEnv,
  extra: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const passed = PASSED.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]]))
  return {
    PATH: TOOLS,
    ...Object.fromEntries(passed),
    ...extra,
    CNI_COMMAND: call.verb,
    CNI_CONTAINERID: call.containerId ?? '',
    CNI_NETNS: call.netns ?? '',
    CNI_IFNAME: call.ifname ?? '',
    CNI_ARGS: call.args ?? '',
    CNI_PATH: call.path.join(':'),
  }
}
