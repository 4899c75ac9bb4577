/**
 * Prepares a run of a container: its environment, its view of the machine, its program.
 * @module
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { CONFIG_MAPS, SECRETS } from '../../../kube/resources.ts'
import type { Ip } from '../../../network/model/address.ts'
import { ECHO_PORT, netnsPath } from '../../layout.ts'
import type { Context } from '../context.ts'
import { argumentsOf, environmentOf, type LookUp } from '../pod/environment.ts'
import type { Container, Pod } from '../pod/pod.ts'
import { hostsFile, resolvConf } from '../pod/resolver.ts'
import { companion, companionRoot } from '../programs.ts'
import { fields, textMap } from '../read.ts'
import { serveArguments } from '../server/serve.ts'
import { type ContainerFolder, startRun } from './runs.ts'

/** Where a pod's containers run. */
export interface Surroundings {
  readonly podIps: readonly Ip[]
  readonly hostIps: readonly Ip[]
  /** The name of the network namespace. */
  readonly netns: string
}

/** Starts the prepared run. */
export type Begin = (folder: ContainerFolder, attempt: number, streak: number) => void

/** Reads what a container's configuration refers to. Throws ConfigError, KubeError. */
export async function prepareRun(
  context: Context,
  pod: Pod,
  container: Container,
  surroundings: Surroundings,
): Promise<Begin> {
  const { layout, names } = context
  const env = await environmentOf(pod, container, surroundings, lookUpIn(context, pod.namespace))
  const own = argumentsOf(container, env)
  const name = pod.hostNetwork ? hostname() : pod.hostname
  const etc = {
    'resolv.conf': resolvConf(pod, names, machineResolvConf()),
    hosts: hostsFile(pod, surroundings.podIps, names.domain),
    hostname: `${name}\n`,
  }
  const spec = {
    argv: own.length > 0 ? own : serverOf(pod, container),
    env,
    view: { hostname: name, workingDir: container.workingDir, hidden: layout.runDir, kept: companionRoot() },
    netns: netnsPath(surroundings.netns),
  }
  return (folder, attempt, streak) => startRun(layout, folder, attempt, { ...spec, streak }, etc)
}

/** The playground's own server, on the container's ports. */
function serverOf(pod: Pod, { ports }: Container): readonly string[] {
  const of = (protocol: string): readonly number[] =>
    ports.filter((each) => each.protocol === protocol).map(({ port }) => port)
  const [tcp, udp] = [of('TCP'), of('UDP')]
  // In the node's own network somebody else answers on the table's port.
  const extra = pod.hostNetwork ? {} : { extra: ECHO_PORT }
  const none = tcp.length + udp.length === 0
  const options = { name: `${pod.namespace}/${pod.name}`, node: pod.node, tcp: none ? [ECHO_PORT] : tcp, udp, ...extra }
  return companion('serve', ...serveArguments(options))
}

function lookUpIn({ api }: Context, namespace: string): LookUp {
  return async (kind, name) => {
    const object = await api.get(kind === 'Secret' ? SECRETS : CONFIG_MAPS, { name, namespace })
    if (object === undefined) return undefined
    const data = textMap(fields(object)['data'])
    if (kind === 'ConfigMap') return data
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  }
}

function machineResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    return ''
  }
}
