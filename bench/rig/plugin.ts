/**
 * Calls a CNI plugin as a container runtime does: fork, exec, environment, configuration on stdin. Ours and the peer's
 * are called by the same code, in the node's network namespace each.
 * @module
 */
import { withNetns } from '../../src/linux/netns.ts'

/** A plugin on a node. */
export interface Plugin {
  readonly name: string
  readonly path: string
  /** The node's network namespace, an open descriptor. */
  readonly node: number
  readonly config: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string>>
}

/** A pod's sandbox: its namespace is there, nothing in it yet. */
export interface Sandbox {
  readonly id: string
  readonly netns: string
  readonly namespace: string
}

/** A call that went well. */
export interface Called {
  /** From before the fork until the process was reaped, in milliseconds. */
  readonly ms: number
  readonly result: unknown
}

/** Calls a plugin and waits on the spot. Throws what the plugin complains about. */
export function callSync(plugin: Plugin, verb: string, sandbox: Sandbox, prevResult?: unknown): Called {
  const { stdin, env } = input(plugin, verb, sandbox, prevResult)
  return withNetns(plugin.node, () => {
    const started = performance.now()
    const { exitCode, stdout } = Bun.spawnSync([plugin.path], { env, stdin, stdout: 'pipe', stderr: 'pipe' })
    const ms = performance.now() - started
    return { ms, result: outcome(plugin, verb, exitCode, stdout.toString()) }
  })
}

/** Calls a plugin without holding up others. */
export async function call(plugin: Plugin, verb: string, sandbox: Sandbox, prevResult?: unknown): Promise<Called> {
  const { stdin, env } = input(plugin, verb, sandbox, prevResult)
  const started = performance.now()
  const { child } = withNetns(plugin.node, () => ({
    child: Bun.spawn([plugin.path], { env, stdin, stdout: 'pipe', stderr: 'ignore' }),
  }))
  const output = await new Response(child.stdout).text()
  const code = await child.exited
  return { ms: performance.now() - started, result: outcome(plugin, verb, code, output) }
}

/** Does `work` for each item, so many at a time; returns the milliseconds that all took together. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<number> {
  const queue = items.values()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item)
    }),
  )
  return performance.now() - started
}

function input({ config, environment }: Plugin, verb: string, { id, netns, namespace }: Sandbox, prevResult: unknown) {
  const args = ['IgnoreUnknown=1', `K8S_POD_NAMESPACE=${namespace}`, `K8S_POD_NAME=${id}`, `K8S_POD_UID=uid-${id}`]
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_COMMAND: verb,
    CNI_CONTAINERID: id,
    CNI_NETNS: `/run/netns/${netns}`,
    CNI_IFNAME: 'eth0',
    CNI_ARGS: args.join(';'),
    ...environment,
  }
  return { env, stdin: new TextEncoder().encode(JSON.stringify({ ...config, prevResult })) }
}

function outcome({ name }: Plugin, verb: string, code: number | null, output: string): unknown {
  if (code !== 0) throw new Error(`${name} ${verb} failed with ${code}: ${output.replace(/\s+/g, ' ').trim()}`)
  return output.trim() === '' ? undefined : JSON.parse(output)
}
