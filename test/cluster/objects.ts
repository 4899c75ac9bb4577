/**
 * Objects that tests put on a rig.
 * @module
 */
import { APP_IMAGE } from './image.ts'

/** Where a pod goes and what it runs. */
export interface PodSpec {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  /** The node; the scheduler's choice when there is none. */
  readonly node?: string
  readonly command?: readonly string[]
  /** More of its container: `securityContext`, `volumeMounts`. */
  readonly container?: object
  /** More of its spec: `hostNetwork`, `volumes`. */
  readonly spec?: object
}

/** Says its own name to whoever asks on port 8080, at `/`, and the client's address at `/cgi-bin/client`. */
export const SERVE: readonly string[] = [
  'sh',
  '-c',
  `mkdir -p /www/cgi-bin && hostname > /www/index.html &&
printf '#!/bin/sh\\necho; echo "$(hostname) $REMOTE_ADDR"\\n' > /www/cgi-bin/client && chmod 755 /www/cgi-bin/client &&
echo "$(hostname) serves" && exec httpd -f -p 8080 -h /www`,
]

/** A pod that serves unless it is told to do something else. It needs no time to end. */
export function pod(spec: PodSpec): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: metadataOf(spec), spec: podSpec(spec) }
}

/** A deployment of so many of them. */
export function deployment(spec: PodSpec, replicas: number): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(spec),
    spec: { replicas, selector: { matchLabels: labelsOf(spec) }, template: templateOf(spec) },
  }
}

/** One on each node. */
export function daemonSet(spec: PodSpec): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadataOf(spec),
    spec: { selector: { matchLabels: labelsOf(spec) }, template: templateOf(spec) },
  }
}

/** A service in front of pods of the same name. */
export function service(spec: Pick<PodSpec, 'name' | 'namespace' | 'labels'>, more: object = {}): object {
  const ports = [{ port: 80, targetPort: 8080 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(spec),
    spec: { selector: labelsOf(spec), ports, ...more },
  }
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

function templateOf(spec: PodSpec): object {
  return { metadata: { labels: labelsOf(spec) }, spec: podSpec(spec) }
}

function podSpec({ node, command = SERVE, container = {}, spec = {} }: PodSpec): object {
  return {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    ...(node === undefined ? {} : { nodeName: node }),
    containers: [{ name: 'main', image: APP_IMAGE, imagePullPolicy: 'Never', command, ...container }],
    ...spec,
  }
}

function metadataOf(spec: Pick<PodSpec, 'name' | 'namespace' | 'labels'>): object {
  return { name: spec.name, namespace: spec.namespace ?? 'default', labels: labelsOf(spec) }
}

function labelsOf({ name, labels = {} }: Pick<PodSpec, 'name' | 'labels'>): Readonly<Record<string, string>> {
  return { app: name, ...labels }
}
