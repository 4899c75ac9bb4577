/**
 * Whose turn it is when an object has changed.
 * @module
 */
import type { KubeObject, Resource } from '../../kube/object.ts'
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../kube/resources.ts'
import type { CopyChange } from './copies.ts'
import { SERVICE_LABEL } from './endpoints/plan.ts'
import { controllerOf } from './owner.ts'
import { labelSelector, selects, serviceSelector } from './selector.ts'
import { at, texts } from './values.ts'

/** An object that a controller is to look at. */
export interface Turn {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Objects of a namespace as they are known now. */
export type Known = (resource: Resource, namespace: string) => readonly KubeObject[]

/** Those that the change of an object concerns: itself, its controllers, who could adopt it, services that select it. */
export function turnsAfter({ resource, object, before }: CopyChange, known: Known): readonly Turn[] {
  const both = before === undefined || before === object ? [object] : [object, before]
  const namespace = object.metadata.namespace ?? ''
  const named = (kind: string, name: string): Turn => ({ kind, namespace, name })
  switch (resource) {
    case DEPLOYMENTS:
    case STATEFUL_SETS:
    case SERVICES:
      return [named(resource.kind, object.metadata.name)]
    case REPLICA_SETS:
      return [named(resource.kind, object.metadata.name), ...both.flatMap((one) => owners(one, [DEPLOYMENTS], known))]
    case CONTROLLER_REVISIONS:
      return both.flatMap((one) => owners(one, [STATEFUL_SETS], known))
    case ENDPOINT_SLICES:
      return both.flatMap((one) => {
        const service = one.metadata.labels?.[SERVICE_LABEL]
        return service === undefined ? [] : [named(SERVICES.kind, service)]
      })
    case PODS:
      return [
        ...both.flatMap((one) => podOwners(one, known)),
        ...known(SERVICES, namespace)
          .filter((service) => both.some((pod) => isBehind(service, pod)))
          .map((service) => named(SERVICES.kind, service.metadata.name)),
      ]
    default:
      return []
  }
}

/** A pod concerns its ReplicaSet and that one's Deployment. */
function podOwners(pod: KubeObject, known: Known): readonly Turn[] {
  const direct = owners(pod, [REPLICA_SETS, STATEFUL_SETS], known)
  const sets = known(REPLICA_SETS, pod.metadata.namespace ?? '')
  const above = direct
    .filter(({ kind }) => kind === REPLICA_SETS.kind)
    .flatMap(({ name }) => sets.filter(({ metadata }) => metadata.name === name))
  return [...direct, ...above.flatMap((set) => owners(set, [DEPLOYMENTS], known))]
}

/** The controller of an object; for one that has none, all who could adopt it. */
function owners(object: KubeObject, kinds: readonly Resource[], known: Known): readonly Turn[] {
  const { namespace = '', labels } = object.metadata
  const controller = controllerOf(object)
  if (controller !== undefined) {
    const isTheirs = kinds.some(({ kind }) => kind === controller.kind)
    return isTheirs ? [{ kind: controller.kind, namespace, name: controller.name }] : []
  }
  return kinds.flatMap((resource) =>
    known(resource, namespace)
      .filter((one) => {
        const selector = labelSelector(at(one, 'spec', 'selector'))
        return selector !== undefined && selects(selector, texts(labels))
      })
      .map(({ metadata }) => ({ kind: resource.kind, namespace, name: metadata.name })),
  )
}

function isBehind(service: KubeObject, pod: KubeObject): boolean {
  const selector = serviceSelector(at(service, 'spec', 'selector'))
  return selector !== undefined && selects(selector, texts(pod.metadata.labels))
}
