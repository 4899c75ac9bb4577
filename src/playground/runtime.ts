/**
 * A container runtime, as far as networking sees one: makes a sandbox's namespace and calls the CNI plugin.
 * @module
 */
import { join } from 'node:path'
import { type Ip, parseIp } from '../network/model/address.ts'
import { PlaygroundError } from './errors.ts'
import { addNamespace, removeNamespace } from './lab/namespaces.ts'
import { type Layout, netnsPath, nodeLayout, podNetns } from './layout.ts'
import { companionFolder } from './self.ts'
import { removeSandbox, type Sandbox, writeSandbox } from './state.ts'

const CNI_VERSION = '1.0.0'
const IFNAME = 'eth0'
const PLUGIN = 'weft-cni'
/** CNI's well-known code for "try again later". */
const TRY_AGAIN = 11
const TRY_AGAIN_PATIENCE = 10_000
/** Longer than the plugin's own patience. */
const PATIENCE = 150_000

/** A pod as the API server hands it to its node. */
export interface PodToRun {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
}

/** Makes a pod's sandbox and attaches it. Returns its addresses. Undoes what it did when the plugin says no. */
export async function runPod(layout: Layout, pod: PodToRun): Promise<readonly Ip[]> {
  const netns = podNetns(layout, pod.namespace, pod.name)
  const sandbox: Sandbox = { ...pod, containerId: `${layout.prefix}-${pod.uid}`, netns }
  addNamespace(layout, netns)
  writeSandbox(layout, sandbox)
  try {
    const result = await addPatiently(layout, sandbox)
    writeSandbox(layout, { ...sandbox, result })
    return addressesOf(result)
  } catch (error) {
    await stopPod(layout, sandbox).catch(() => undefined)
    throw error
  }
}

/** Detaches a pod and removes its sandbox. The sandbox's record stays when the plugin fails, for another try. */
export async function stopPod(layout: Layout, sandbox: Sandbox): Promise<void> {
  await callPlugin(layout, 'DEL', sandbox)
  removeNamespace(layout, sandbox.netns)
  removeSandbox(layout, sandbox)
}

/** Addresses in a CNI result of version 1.0.0. */
export function addressesOf(result: unknown): readonly Ip[] {
  const ips = typeof result === 'object' && result !== null && 'ips' in result ? result.ips : []
  if (!Array.isArray(ips)) return []
  return ips.flatMap((entry: { readonly address?: unknown }) => {
    const parsed = parseIp(String(entry?.address ?? '').replace(/\/\d+$/, ''))
    return parsed === undefined ? [] : [parsed]
  })
}

/** An ADD, repeated while the plugin says that it should be tried again later, as kubelet does. */
async function addPatiently(layout: Layout, sandbox: Sandbox): Promise<unknown> {
  const end = performance.now() + TRY_AGAIN_PATIENCE
  for (;;) {
    try {
      return await callPlugin(layout, 'ADD', sandbox)
    } catch (error) {
      const cause = error instanceof PlaygroundError ? error.cause : undefined
      if (cause !== TRY_AGAIN || performance.now() > end) throw error
      await Bun.sleep(100)
    }
  }
}

async function callPlugin(layout: Layout, verb: 'ADD' | 'DEL', sandbox: Sandbox): Promise<unknown> {
  const config = {
    cniVersion: CNI_VERSION,
    name: 'weft',
    type: 'weft',
    prevResult: verb === 'DEL' ? sandbox.result : undefined,
  }
  const child = Bun.spawn([join(companionFolder(), PLUGIN)], {
    env: environment(layout, verb, sandbox),
    stdin: new TextEncoder().encode(JSON.stringify(config)),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: PATIENCE,
  })
  const [output, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const code = await child.exited
  const answer = parseJson(output)
  if (code === 0) return answer
  const pod = `${sandbox.namespace}/${sandbox.name}`
  const why = errorText(answer) ?? (complaint.trim() || `exit code ${code}`)
  const remedy = `\`weft play status\` says what runs; the agent's log is ${join(layout.logDir, `${sandbox.node}-agent.log`)}`
  throw new PlaygroundError('PLAY_CNI', `CNI ${verb} of ${pod} on ${sandbox.node} failed: ${why}`, remedy, {
    cause: errorCode(answer),
  })
}

function environment(
  layout: Layout,
  verb: string,
  { namespace, name, uid, node, containerId, netns }: Sandbox,
): Record<string, string> {
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: namespace,
    K8S_POD_NAME: name,
    K8S_POD_INFRA_CONTAINER_ID: containerId,
    K8S_POD_UID: uid,
  }
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netnsPath(netns),
    CNI_IFNAME: IFNAME,
    CNI_PATH: companionFolder(),
    CNI_ARGS: Object.entries(args)
      .map(([key, value]) => `${key}=${value}`)
      .join(';'),
    WEFT_CNI_SOCKET: nodeLayout(layout, Number(node.replace(/^node/, ''))).cniSocket,
  }
}

function errorCode(answer: unknown): number | undefined {
  return typeof answer === 'object' && answer !== null && 'code' in answer ? Number(answer.code) : undefined
}

/** A CNI error in one line. */
function errorText(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('msg' in answer)) return undefined
  const details = 'details' in answer && answer.details ? `: ${answer.details}` : ''
  return `${answer.msg}${details}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
