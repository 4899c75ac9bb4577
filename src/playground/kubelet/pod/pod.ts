/**
 * A pod as far as a node needs to know it, decoded from the API's object.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { fields, list, text, textMap, texts, time, whole } from '../read.ts'
import { decodeProbe, type Probe } from './probe.ts'

/** A pod. */
export interface Pod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** When it must have ended, in milliseconds since 1970: set once its deletion was asked for. */
  readonly deadline: number | undefined
  readonly hostNetwork: boolean
  readonly hostname: string
  readonly subdomain: string | undefined
  readonly dnsPolicy: string
  readonly dnsConfig: DnsConfig
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[]
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never'
  /** Seconds between being asked to end and being killed. */
  readonly grace: number
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
  readonly readinessGates: readonly string[]
  readonly serviceAccount: string
  /** The status as it is stored. */
  readonly status: Readonly<Record<string, unknown>>
}

/** A container of a pod. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir: string
  readonly env: readonly EnvEntry[]
  readonly envFrom: readonly EnvSource[]
  readonly ports: readonly ContainerPort[]
  readonly startup: Probe | undefined
  readonly liveness: Probe | undefined
  readonly readiness: Probe | undefined
  /** What is done before it is asked to end: the API's object. */
  readonly preStop: Readonly<Record<string, unknown>> | undefined
}

export interface ContainerPort {
  readonly name: string | undefined
  readonly port: number
  readonly protocol: string
}

/** A variable; `from` is the API's `valueFrom`. */
export interface EnvEntry {
  readonly name: string
  readonly value: string
  readonly from: Readonly<Record<string, unknown>> | undefined
}

/** Variables out of all of an object. */
export interface EnvSource {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  readonly prefix: string
  readonly optional: boolean
}

/** What a pod says of its own about name resolution. */
export interface DnsConfig {
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly { readonly name: string; readonly value: string | undefined }[]
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const UID = /^[A-Za-z0-9-]{1,64}$/
const DEFAULT_GRACE = 30

/** Decodes a pod; undefined for what cannot be one: its names become names of files. */
export function decodePod(object: KubeObject): Pod | undefined {
  const { namespace, name, uid } = object.metadata
  const spec = fields(object['spec'])
  const [initContainers, containers] = [containersOf(spec['initContainers']), containersOf(spec['containers'])]
  const names = [...initContainers, ...containers].map((each) => each.name)
  if (!LABEL.test(namespace ?? '') || !NAME.test(name) || !UID.test(uid ?? '')) return undefined
  if (containers.length === 0 || names.some((each) => !LABEL.test(each)) || new Set(names).size < names.length) {
    return undefined
  }
  return {
    namespace: namespace ?? '',
    name,
    uid: uid ?? '',
    node: text(spec['nodeName']) ?? '',
    labels: textMap(object.metadata.labels),
    annotations: textMap(object.metadata.annotations),
    deadline: time(object.metadata.deletionTimestamp),
    hostNetwork: spec['hostNetwork'] === true,
    hostname: (text(spec['hostname']) ?? name).slice(0, 63),
    subdomain: text(spec['subdomain']),
    dnsPolicy: text(spec['dnsPolicy']) ?? 'ClusterFirst',
    dnsConfig: dnsConfigOf(fields(spec['dnsConfig'])),
    hostAliases: list(spec['hostAliases']).map((each) => ({
      ip: text(fields(each)['ip']) ?? '',
      hostnames: texts(fields(each)['hostnames']),
    })),
    restartPolicy: restartPolicyOf(spec['restartPolicy']),
    grace: whole(spec['terminationGracePeriodSeconds'], DEFAULT_GRACE),
    initContainers,
    containers,
    readinessGates: list(spec['readinessGates']).flatMap((gate) => text(fields(gate)['conditionType']) ?? []),
    serviceAccount: text(spec['serviceAccountName']) ?? 'default',
    status: fields(object['status']),
  }
}

function containersOf(value: unknown): readonly Container[] {
  return list(value).map((each) => containerOf(fields(each)))
}

function containerOf(object: Readonly<Record<string, unknown>>): Container {
  const preStop = fields(object['lifecycle'])['preStop']
  return {
    name: text(object['name']) ?? '',
    image: text(object['image']) ?? '',
    command: texts(object['command']),
    args: texts(object['args']),
    workingDir: text(object['workingDir']) ?? '/',
    env: list(object['env']).flatMap((each) => envOf(fields(each))),
    envFrom: list(object['envFrom']).flatMap((each) => envSourceOf(fields(each))),
    ports: list(object['ports']).flatMap((each) => portOf(fields(each))),
    startup: decodeProbe(object['startupProbe'], 'startup'),
    liveness: decodeProbe(object['livenessProbe'], 'liveness'),
    readiness: decodeProbe(object['readinessProbe'], 'readiness'),
    preStop: preStop === undefined ? undefined : fields(preStop),
  }
}

function envOf(entry: Readonly<Record<string, unknown>>): readonly EnvEntry[] {
  const name = text(entry['name']) ?? ''
  if (!/^[^=\0]+$/.test(name)) return []
  const from = entry['valueFrom'] === undefined ? undefined : fields(entry['valueFrom'])
  return [{ name, value: text(entry['value']) ?? '', from }]
}

function envSourceOf(entry: Readonly<Record<string, unknown>>): readonly EnvSource[] {
  const kind = entry['secretRef'] === undefined ? 'ConfigMap' : 'Secret'
  const ref = fields(entry['secretRef'] ?? entry['configMapRef'])
  const name = text(ref['name'])
  if (name === undefined) return []
  return [{ kind, name, prefix: text(entry['prefix']) ?? '', optional: ref['optional'] === true }]
}

function portOf(entry: Readonly<Record<string, unknown>>): readonly ContainerPort[] {
  const port = whole(entry['containerPort'], 0, 1, 65535)
  if (port === 0) return []
  return [{ name: text(entry['name']), port, protocol: text(entry['protocol']) ?? 'TCP' }]
}

function dnsConfigOf(config: Readonly<Record<string, unknown>>): DnsConfig {
  return {
    nameservers: texts(config['nameservers']),
    searches: texts(config['searches']),
    options: list(config['options']).flatMap((each) => {
      const name = text(fields(each)['name'])
      return name === undefined ? [] : [{ name, value: text(fields(each)['value']) }]
    }),
  }
}

function restartPolicyOf(value: unknown): Pod['restartPolicy'] {
  return value === 'Never' || value === 'OnFailure' ? value : 'Always'
}
