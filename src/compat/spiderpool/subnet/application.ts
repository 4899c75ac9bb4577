/**
 * Applications whose pods ask for pools of SpiderSubnets: what manages pods at the top.
 * @module
 */
import type { ObjectName } from '../../../kube/api.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../../../kube/object.ts'
import { DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS } from '../../../kube/resources.ts'
import { at } from '../../fields.ts'
import { controllerIn } from '../../kubernetes/owner.ts'
import { CRON_JOBS, JOBS } from '../../kubernetes/top-owner.ts'
import { type SubnetRequest, subnetRequestIn } from './wish.ts'

/** An application. */
export interface Application {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** How many pods it is to have at a time. Absent: nobody can tell. */
  readonly pods?: number
  readonly request: SubnetRequest
}

/** Where an application says how its pods are to be, and how many. */
interface ApplicationKind {
  readonly resource: Resource
  /** The path of what has `template`. */
  readonly path: readonly string[]
  pods(object: KubeObject): number
  /** Those of such a kind count themselves. */
  readonly above?: string
}

/** What makes pods of itself. */
export const APPLICATION_KINDS: readonly ApplicationKind[] = [
  { resource: DEPLOYMENTS, path: ['spec'], pods: replicas },
  { resource: REPLICA_SETS, path: ['spec'], pods: replicas, above: 'Deployment' },
  { resource: STATEFUL_SETS, path: ['spec'], pods: replicas },
  {
    resource: DAEMON_SETS,
    path: ['spec'],
    pods: (object) => wholeAt(object, 'status', 'desiredNumberScheduled') ?? 0,
  },
  { resource: JOBS, path: ['spec'], pods: (object) => atOnce(at(object, 'spec')), above: 'CronJob' },
  {
    resource: CRON_JOBS,
    path: ['spec', 'jobTemplate', 'spec'],
    pods: (object) => atOnce(at(object, 'spec', 'jobTemplate', 'spec')),
  },
]

/** The application in an object; undefined for one that asks for nothing, or that another one speaks for. */
export function applicationIn({ path, pods, above }: ApplicationKind, object: KubeObject): Application | undefined {
  const { apiVersion, kind, metadata } = object
  const annotations = at(object, ...path, 'template', 'metadata', 'annotations')
  const request = subnetRequestIn(Object(annotations))
  if (request === undefined || (above !== undefined && controllerIn(object)?.kind === above)) return undefined
  const { namespace = '', name, uid = '' } = metadata
  return { apiVersion, kind, namespace, name, uid, pods: pods(object), request }
}

/** Whether pods of such a controller are looked after by the application above; else they speak for themselves. */
export function isKnownKind(apiVersion: string): boolean {
  return ['apps/', 'batch/'].some((group) => apiVersion.startsWith(group)) || !apiVersion.includes('/')
}

/** An application as Spiderpool writes it: `apps_v1:Deployment:default:demo`. */
export function applicationKey({
  apiVersion,
  kind,
  namespace,
  name,
}: Pick<Application, 'apiVersion' | 'kind' | 'namespace' | 'name'>): string {
  return `${apiVersion.replace('/', '_')}:${kind}:${namespace}:${name}`
}

/** Where the object of an application is that a key names, of the kinds that make pods of themselves. */
export function placeOf(key: string): { readonly kind: ApplicationKind; readonly at: ObjectName } | undefined {
  const [groupVersion, kindName, namespace = '', ...name] = key.split(':')
  const kind = APPLICATION_KINDS.find(
    ({ resource }) => resource.kind === kindName && apiVersionOf(resource).replace('/', '_') === groupVersion,
  )
  return kind && { kind, at: { namespace, name: name.join(':') } }
}

function replicas(object: KubeObject): number {
  return wholeAt(object, 'spec', 'replicas') ?? 1
}

/** Of a Job's pods. */
function atOnce(spec: unknown): number {
  const parallelism = wholeAt(spec, 'parallelism') ?? 1
  return Math.min(parallelism, wholeAt(spec, 'completions') ?? parallelism)
}

function wholeAt(object: unknown, ...path: readonly string[]): number | undefined {
  const value = at(object, ...path)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
