/**
 * Defaults of containers.
 * @module
 */
import { arrayAt, type Fields, fieldsAt } from '../../objects/shape.ts'
import { changed, changedItems, filled, filledZeros } from './fill.ts'

/** A container as Kubernetes completes it, in a pod or in a template of one. */
export function completedContainer(container: Fields): Fields {
  const named = filled(container, {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(container['image']),
  })
  const listening = changedItems(named, 'ports', (port) => filled(port, { protocol: 'TCP' }))
  const withEnv = changedItems(listening, 'env', (variable) =>
    changed(variable, 'valueFrom', (source) => changed(source, 'fieldRef', completedFieldRef)),
  )
  const probed = PROBES.reduce((each, probe) => changed(each, probe, completedProbe), withEnv)
  return changed(probed, 'lifecycle', (lifecycle) =>
    HOOKS.reduce((each, hook) => changed(each, hook, completedHandler), lifecycle),
  )
}

/** What only a pod's own containers get: requests as large as their limits, ports of the node. */
export function completedPodContainer(container: Fields, isOnHostNetwork: boolean): Fields {
  const { limits } = fieldsAt(container, 'resources')
  const limited =
    limits === undefined
      ? container
      : changed(container, 'resources', (resources) => ({
          ...resources,
          requests: { ...fieldsAt(limits), ...fieldsAt(resources, 'requests') },
        }))
  if (!isOnHostNetwork) return limited
  return changedItems(limited, 'ports', (port) => filledZeros(port, { hostPort: port['containerPort'] }))
}

/** A reference to a field of the pod. */
export function completedFieldRef(reference: Fields): Fields {
  return filled(reference, { apiVersion: 'v1' })
}

/** Names of the probes of a container. */
export const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const
/** Names of what is done at both ends of a container's life. */
export const HOOKS = ['postStart', 'preStop'] as const

function completedProbe(probe: Fields): Fields {
  const numbers = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
  return changed(completedHandler(filledZeros(probe, numbers)), 'grpc', (grpc) => ({ service: '', ...grpc }))
}

function completedHandler(handler: Fields): Fields {
  return changed(handler, 'httpGet', (request) => filled(request, { path: '/', scheme: 'HTTP' }))
}

/** `latest` is fetched every time; so is an image without a tag, which means the same. */
function pullPolicy(image: unknown): string {
  if (typeof image !== 'string' || image === '' || image.includes('@')) return 'IfNotPresent'
  const [, tag = 'latest'] = image.slice(image.lastIndexOf('/') + 1).split(':')
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

/** All containers of a pod's spec changed: those that run first, too. */
export function changedContainers(spec: Fields, change: (container: Fields) => Fields): Fields {
  return changedItems(changedItems(spec, 'containers', change), 'initContainers', change)
}

/** The names of a list's items. */
export function namesOf(value: unknown, list: string): readonly unknown[] {
  return arrayAt(value, list).map((item) => fieldsAt(item)['name'])
}
