/**
 * The controllers of workloads: Deployments, ReplicaSets, StatefulSets, and the endpoint slices of services.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import { Copies } from './copies.ts'
import { reconcileDeployment } from './deployment/reconcile.ts'
import { reconcileEndpoints } from './endpoints/reconcile.ts'
import { eventTeller } from './events.ts'
import { reconcileReplicaSet } from './replicaset/reconcile.ts'
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
} from './resources.ts'
import { reconcileStatefulSet } from './statefulset/reconcile.ts'
import { turnsAfter } from './triggers.ts'
import { KeyedWorker } from './worker.ts'
import type { Reconcile, World } from './world.ts'

/** What controllers say of themselves. */
export interface ControllerLog {
  debug(fields: object, text: string): void
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
  const tell = eventTeller({ api, component: 'workload-controller', now, signal })
  const copies: Copies = new Copies({
    api,
    resources: [SERVICES, DEPLOYMENTS, STATEFUL_SETS, CONTROLLER_REVISIONS, REPLICA_SETS, ENDPOINT_SLICES, PODS],
    signal,
    onChange: (change) => {
      for (const { kind, namespace, name } of turnsAfter(change, (resource, there) => copies.all(resource, there))) {
        worker.add(`${kind}/${namespace}/${name}`)
      }
    },
    onError: (error, { plural }, retryIn) => log.warn({ code: codeOf(error), retryIn }, `${plural} cannot be read`),
  })
  const world: World = { api, copies, tell, now, signal }
  const worker = new KeyedWorker({
    work: async (key) => {
      const [kind = '', namespace = '', name = ''] = key.split('/')
      return RECONCILERS[kind]?.(world, namespace, name)
    },
    onError: (error, key, retryIn) => report(log, error, key, retryIn),
    parallel: 4,
    signal,
  })
  await copies.synced()
  worker.open()
  await worker.done()
  await copies.done()
}

const RECONCILERS: Readonly<Record<string, Reconcile>> = {
  Deployment: reconcileDeployment,
  ReplicaSet: reconcileReplicaSet,
  StatefulSet: reconcileStatefulSet,
  Service: reconcileEndpoints,
}

/** That somebody else wrote in between is the way of things. */
export function report(log: ControllerLog, error: unknown, about: string, retryIn: number): void {
  const code = codeOf(error)
  if (!(error instanceof KubeError)) log.error({ err: error, about, retryIn }, 'a defect of the controller')
  else if (code === 'KUBE_CONFLICT') log.debug({ code, about, retryIn }, 'changed meanwhile')
  else log.warn({ code, about, retryIn }, error.message)
}

/** The stable code of a failure. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof KubeError ? error.code : undefined
}
