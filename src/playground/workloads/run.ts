/**
 * The controllers of workloads: Deployments, ReplicaSets, StatefulSets, and the endpoint slices of services.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import { EventRecorder } from '../../kube/events.ts'
import { WorkQueue } from '../../kube/queue.ts'
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../kube/resources.ts'
import { Copies } from './copies.ts'
import { reconcileDeployment } from './deployment/reconcile.ts'
import { reconcileEndpoints } from './endpoints/reconcile.ts'
import { reconcileReplicaSet } from './replicaset/reconcile.ts'
import { reconcileStatefulSet } from './statefulset/reconcile.ts'
import { turnsAfter } from './triggers.ts'
import type { Reconcile, Tell, World } from './world.ts'

/** What controllers say of themselves. */
export interface ControllerLog {
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** A controller's surroundings. */
export interface ControllerOptions {
  readonly api: KubeApi
  readonly signal: AbortSignal
  readonly log: ControllerLog
  /** Milliseconds since 1970; Date.now when absent. */
  readonly now?: () => number
}

/**
 * Works until `signal` aborts; never rejects. Nothing is written before every resource was read once; an API that does
 * not answer is asked again, ever less often. One such process at a time: two would each make what is missing.
 */
export async function runWorkloads({ api, signal, log, now = Date.now }: ControllerOptions): Promise<void> {
  // Keys wait until everything was read once.
  let ask: (key: string) => void = (key) => early.add(key)
  const early = new Set<string>()
  const copies: Copies = new Copies({
    api,
    resources: [SERVICES, DEPLOYMENTS, STATEFUL_SETS, CONTROLLER_REVISIONS, REPLICA_SETS, ENDPOINT_SLICES, PODS],
    signal,
    onChange: (change) => {
      for (const { kind, namespace, name } of turnsAfter(change, (resource, there) => copies.all(resource, there))) {
        ask(`${kind}/${namespace}/${name}`)
      }
    },
    onError: (error, { plural }, retryIn) => log.warn({ code: codeOf(error), retryIn }, `${plural} cannot be read`),
  })
  const world: World = { api, copies, tell: teller(api, 'workload-controller', now), now, signal }
  await copies.synced()
  const queue = new WorkQueue({
    work: (key) => work(world, key),
    onError: (key, error, retryIn) => report(log, error, key, retryIn),
    signal,
  })
  for (const key of early) queue.add(key)
  ask = (key) => queue.add(key)
  await queue.done
  await copies.done()
}

/** Tells by events, without waiting for them. */
export function teller(api: KubeApi, component: string, now: () => number): Tell {
  const recorder = new EventRecorder(api, { component, now })
  return (about, type, reason, message) => recorder.record(about, { type, reason, message })
}

/** That somebody else wrote in between is the way of things: look again soon. */
async function work(world: World, key: string): Promise<number | undefined> {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  try {
    return await RECONCILERS[kind]?.(world, namespace, name)
  } catch (error) {
    if (codeOf(error) === 'KUBE_CONFLICT') return SOON
    throw error
  }
}

const SOON = 20

const RECONCILERS: Readonly<Record<string, Reconcile>> = {
  Deployment: reconcileDeployment,
  ReplicaSet: reconcileReplicaSet,
  StatefulSet: reconcileStatefulSet,
  Service: reconcileEndpoints,
}

/** Tells of a failure that is tried again. */
export function report(log: ControllerLog, error: unknown, about: string, retryIn: number): void {
  const code = codeOf(error)
  if (!(error instanceof KubeError)) log.error({ err: error, about, retryIn }, 'a defect of the controller')
  else log.warn({ code, about, retryIn }, error.message)
}

/** The stable code of a failure. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof KubeError ? error.code : undefined
}
