/**
 * Paths of the API.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import type { Resources } from '../resources.ts'
import { badRequest, noSuchPath } from './status.ts'

/** Where a path leads. */
export interface Target {
  readonly resource: ServedResource
  readonly namespace: string
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** The resource at `/api/v1/…` or `/apis/<group>/<version>/…`. Throws a 404 or a 400. */
export function routeOf(path: string, resources: Resources): Target {
  const [root, ...parts] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode)
  const [group, rest] = root === 'api' ? ['', parts] : [parts[0] ?? '', parts.slice(1)]
  const [version = '', ...steps] = rest
  if ((root !== 'api' && root !== 'apis') || (root === 'apis' && group === '')) throw noSuchPath()
  const [first = '', second, third, ...others] = steps
  const isInNamespace = first === 'namespaces' && second !== undefined && third !== undefined
  if (isInNamespace && !OF_NAMESPACES.has(third)) return target(resources, group, version, [third, ...others], second)
  return target(resources, group, version, steps, '')
}

/** Below a namespace's own path these are parts of it and no resources in it. */
const OF_NAMESPACES = new Set(['status', 'finalize'])

function target(
  resources: Resources,
  group: string,
  version: string,
  [plural = '', name, subresource, ...more]: readonly string[],
  namespace: string,
): Target {
  const resource = resources.find(group, version, plural)
  if (resource === undefined || more.length > 0) throw noSuchPath()
  if (!resource.namespaced && namespace !== '') throw noSuchPath()
  if (resource.namespaced && namespace === '' && name !== undefined) throw noSuchPath()
  return { resource, namespace, name, subresource }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badRequest('the path is not well encoded')
  }
}
