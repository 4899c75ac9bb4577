/**
 * The document of one group and version.
 * @module
 */
import { type KubeObject, pathOf } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { Components } from './components.ts'
import { collectionOperations, objectOperations } from './operations.ts'

/** Paths and schemas of resources that share their group and version. */
export function describe(resources: readonly ServedResource[]): Readonly<Record<string, unknown>> {
  const components = new Components()
  const paths = resources.flatMap((resource) => pathsOf(resource, components.ofResource(resource)))
  return {
    openapi: '3.0.0',
    info: { title: 'Weft playground', version: 'v1.32.0+weft' },
    paths: Object.fromEntries(paths),
    components: { schemas: components.schemas() },
  }
}

type Path = readonly [path: string, operations: Readonly<Record<string, unknown>>]

function pathsOf(resource: ServedResource, schema: Readonly<Record<string, unknown>>): readonly Path[] {
  const collection = resource.namespaced ? pathOf(resource, PLACE.namespace) : pathOf(resource)
  const everywhere = pathOf(resource)
  const object = `${collection}/{name}`
  const paths: Path[] = [
    [unescaped(collection), collectionOperations(resource, schema)],
    [unescaped(object), objectOperations(resource, schema)],
  ]
  if (!resource.namespaced) return paths
  const { get } = collectionOperations(resource, schema)
  return [...paths, [everywhere, { get }]]
}

const PLACE: Required<Pick<KubeObject['metadata'], 'namespace'>> = { namespace: '{namespace}' }

function unescaped(path: string): string {
  return path.replaceAll('%7B', '{').replaceAll('%7D', '}')
}
