/**
 * Calls CNI plugins as container runtimes do: an executable, an environment, a configuration on standard input.
 * @module
 */
import { join } from 'node:path'
import { fields, text } from '../read.ts'
import type { NetworkConf } from './conf.ts'

/** Where a node's plugins and configuration are. */
export interface CniRuntime {
  readonly binDir: string
  readonly confFile: string
  /** Over the usual environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds after which a plugin is killed; longer than its own patience. */
  readonly patience?: number
}

/** What a plugin is called for. */
export interface Attachment {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly containerId: string
  /** Path of the network namespace. */
  readonly netns: string
}

/** A plugin that said no, or nothing. `code` is CNI's: 11 asks to try again later. */
export class CniError extends Error {
  readonly code: number | undefined

  constructor(message: string, code?: number) {
    super(message)
    this.name = 'CniError'
    this.code = code
  }
}

export const TRY_AGAIN = 11
const IFNAME = 'eth0'
const PATIENCE = 150_000
const LAST_WORDS = 500

/** ADD through all plugins. Returns the last one's result. Throws CniError. */
export async function cniAdd(
  runtime: CniRuntime,
  conf: NetworkConf,
  attachment: Attachment,
  signal?: AbortSignal,
): Promise<unknown> {
  let result: unknown
  for (const plugin of conf.plugins) {
    result = await call(runtime, conf, plugin, 'ADD', { ...environment(attachment), result, signal })
  }
  return result
}

/** DEL through all plugins, the last one first. Throws CniError. */
export async function cniDel(
  runtime: CniRuntime,
  conf: NetworkConf,
  attachment: Attachment,
  result: unknown,
): Promise<void> {
  for (const plugin of conf.plugins.toReversed()) {
    await call(runtime, conf, plugin, 'DEL', { ...environment(attachment), result })
  }
}

/** Whether the network can take pods. Throws CniError with why not. */
export async function cniStatus(runtime: CniRuntime, conf: NetworkConf): Promise<void> {
  // The verb exists since 1.1.0; older configurations are not asked.
  if (conf.cniVersion.localeCompare('1.1.0', 'en', { numeric: true }) < 0) return
  for (const plugin of conf.plugins) await call(runtime, conf, plugin, 'STATUS', { env: {}, result: undefined })
}

interface Call {
  readonly env: Readonly<Record<string, string>>
  readonly result: unknown
  readonly signal?: AbortSignal | undefined
}

async function call(
  runtime: CniRuntime,
  { cniVersion, name }: NetworkConf,
  plugin: Readonly<Record<string, unknown>>,
  verb: 'ADD' | 'DEL' | 'STATUS',
  { env, result, signal }: Call,
): Promise<unknown> {
  const type = text(plugin['type']) ?? ''
  const input = { ...plugin, cniVersion, name, ...(result === undefined ? {} : { prevResult: result }) }
  const child = Bun.spawn([join(runtime.binDir, type)], {
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      CNI_COMMAND: verb,
      CNI_PATH: runtime.binDir,
      ...env,
      ...runtime.env,
    },
    stdin: new TextEncoder().encode(JSON.stringify(input)),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: runtime.patience ?? PATIENCE,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  })
  const said = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const code = await child.exited
  // What a killed plugin started may hold its output for ever.
  const [output, complaint] = await Promise.race([said, Bun.sleep(LAST_WORDS).then(() => ['', ''] as const)])
  const answer = fields(parse(output))
  if (code === 0) return answer
  const details = text(answer['details']) ? `: ${answer['details']}` : ''
  const error = text(answer['msg']) === undefined ? undefined : `${answer['msg']}${details}`
  const silent =
    child.signalCode === null ? `exit code ${code}` : `no answer within ${(runtime.patience ?? PATIENCE) / 1000} s`
  const why = error ?? (complaint.trim().slice(0, 1000) || silent)
  throw new CniError(`${type} ${verb}: ${why}`, typeof answer['code'] === 'number' ? answer['code'] : undefined)
}

function environment({ namespace, name, uid, containerId, netns }: Attachment): Pick<Call, 'env'> {
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: namespace,
    K8S_POD_NAME: name,
    K8S_POD_INFRA_CONTAINER_ID: containerId,
    K8S_POD_UID: uid,
  }
  return {
    env: {
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns,
      CNI_IFNAME: IFNAME,
      CNI_ARGS: Object.entries(args)
        .map(([key, value]) => `${key}=${value}`)
        .join(';'),
    },
  }
}

function parse(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    return undefined
  }
}
