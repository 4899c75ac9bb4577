/**
 * A container's environment and arguments, with references resolved. Pure but for `lookUp`.
 * @module
 */
import type { Ip } from '../../../network/model/address.ts'
import { fields, text } from '../read.ts'
import type { Container, EnvEntry, Pod } from './pod.ts'

/** What a pod can be told of itself. */
export interface PodFacts {
  readonly podIps: readonly Ip[]
  readonly hostIps: readonly Ip[]
}

/** The texts in a ConfigMap or a Secret of the pod's namespace; undefined when there is none. */
export type LookUp = (
  kind: 'ConfigMap' | 'Secret',
  name: string,
) => Promise<Readonly<Record<string, string>> | undefined>

/** A container whose configuration names what is not there. */
export class ConfigError extends Error {}

const DEFAULTS = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' }

/** The environment of a container. Throws ConfigError. */
export async function environmentOf(
  pod: Pod,
  container: Container,
  facts: PodFacts,
  lookUp: LookUp,
): Promise<Readonly<Record<string, string>>> {
  const env: Record<string, string> = { ...DEFAULTS, HOSTNAME: pod.hostname }
  for (const { kind, name, prefix, optional } of container.envFrom) {
    const values = await lookUp(kind, name)
    if (values === undefined && !optional) throw new ConfigError(`there is no ${kind} ${pod.namespace}/${name}`)
    for (const [key, value] of Object.entries(values ?? {})) env[prefix + key] = value
  }
  for (const entry of container.env) {
    const value = entry.from === undefined ? expand(entry.value, env) : await valueFrom(pod, entry, facts, lookUp)
    if (value !== undefined) env[entry.name] = value
  }
  return env
}

/** The program and its arguments; empty where the container names none. */
export function argumentsOf({ command, args }: Container, env: Readonly<Record<string, string>>): readonly string[] {
  return command.length === 0 && args.length === 0 ? [] : [...command, ...args].map((each) => expand(each, env))
}

/** Replaces `$(NAME)`; `$$` stands for a dollar sign, and what is not known is left as it is. */
export function expand(value: string, env: Readonly<Record<string, string>>): string {
  return value.replace(/\$\$|\$\(([^()]+)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$'
    return Object.hasOwn(env, name) ? (env[name] ?? '') : whole
  })
}

async function valueFrom(pod: Pod, { from }: EnvEntry, facts: PodFacts, lookUp: LookUp): Promise<string | undefined> {
  const source = fields(from)
  const path = text(fields(source['fieldRef'])['fieldPath'])
  if (path !== undefined) return fieldOf(pod, path, facts)
  const kind = source['secretKeyRef'] === undefined ? 'ConfigMap' : 'Secret'
  const ref = fields(source['secretKeyRef'] ?? source['configMapKeyRef'])
  const [name, key] = [text(ref['name']), text(ref['key'])]
  if (name === undefined || key === undefined) return undefined
  const value = (await lookUp(kind, name))?.[key]
  if (value === undefined && ref['optional'] !== true) {
    throw new ConfigError(`there is no key ${key} in a ${kind} ${pod.namespace}/${name}`)
  }
  return value
}

function fieldOf(pod: Pod, path: string, { podIps, hostIps }: PodFacts): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? []
  if (map !== undefined && key !== undefined) return (map === 'labels' ? pod.labels : pod.annotations)[key] ?? ''
  const known: Readonly<Record<string, string>> = {
    'metadata.name': pod.name,
    'metadata.namespace': pod.namespace,
    'metadata.uid': pod.uid,
    'spec.nodeName': pod.node,
    'spec.serviceAccountName': pod.serviceAccount,
    'status.podIP': podIps[0] ?? '',
    'status.podIPs': podIps.join(','),
    'status.hostIP': hostIps[0] ?? '',
    'status.hostIPs': hostIps.join(','),
  }
  const value = Object.hasOwn(known, path) ? known[path] : undefined
  if (value === undefined) throw new ConfigError(`the field ${path} cannot be a variable here`)
  return value
}
