/**
 * Formats in their smallest form, for tests of the core alone.
 * @module
 */
import { apiVersionOf, type KubeObject } from '../../../kube/object.ts'
import { ApiError, type ServedResource, type Subresource } from '../contract.ts'
import type { Formats } from '../formats.ts'
import { isFields } from '../objects/shape.ts'

/** A resource of the simplest kind. */
export function plainResource(
  group: string,
  version: string,
  kind: string,
  options: {
    readonly namespaced?: boolean
    readonly subresources?: readonly Subresource[]
    readonly plural?: string
    readonly scale?: ServedResource['scale']
  } = {},
): ServedResource {
  const { namespaced = true, subresources = [], plural = `${kind.toLowerCase()}s`, scale } = options
  return {
    group,
    version,
    plural,
    kind,
    namespaced,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: [],
    categories: [],
    subresources,
    ...(scale === undefined ? {} : { scale }),
    prepare: (object) => object,
  }
}

const REPLICAS = { spec: '.spec.replicas', status: '.status.replicas', selector: '.spec.selector' }

const RESOURCES: readonly ServedResource[] = [
  plainResource('', 'v1', 'Namespace', { namespaced: false, subresources: ['status', 'finalize'] }),
  plainResource('', 'v1', 'Node', { namespaced: false, subresources: ['status'] }),
  plainResource('', 'v1', 'Pod', { subresources: ['status', 'log', 'exec', 'attach', 'binding', 'eviction'] }),
  plainResource('', 'v1', 'Service', { subresources: ['status'] }),
  plainResource('', 'v1', 'ConfigMap'),
  plainResource('', 'v1', 'Event'),
  plainResource('', 'v1', 'ServiceAccount'),
  plainResource('apps', 'v1', 'Deployment', { subresources: ['status', 'scale'], scale: REPLICAS }),
  plainResource('apps', 'v1', 'ReplicaSet', { subresources: ['status', 'scale'], scale: REPLICAS }),
]

interface Definition {
  readonly group: string
  readonly names: { readonly kind: string; readonly plural: string }
  readonly scope: string
  readonly versions: readonly { readonly name: string }[]
}

/** Stand-ins: merge patches alone, no tables, no protobuf, discovery in its oldest form. */
export const standIns: Formats = {
  builtinResources: () => RESOURCES,
  crdResource: plainResource('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', {
    namespaced: false,
    subresources: ['status'],
  }),
  resourcesOf: (crd) => {
    const { group, names, scope, versions } = crd['spec'] as Definition
    const options = { namespaced: scope === 'Namespaced', plural: names.plural }
    return versions.map(({ name }) => plainResource(group, name, names.kind, options))
  },
  applyPatch: (type, object, patch) => {
    if (type === 'merge' || type === 'strategic') return merge(object, patch)
    throw new ApiError(415, 'UnsupportedMediaType', 'not in the stand-in')
  },
  decodeProtobuf: (): KubeObject => {
    throw new ApiError(415, 'UnsupportedMediaType', 'not in the stand-in')
  },
  toTable: (_resource, objects, { listMeta }) => ({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta,
    columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }],
    rows: objects.map(({ metadata }) => ({
      cells: [metadata.name],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata },
    })),
  }),
  discovery: (path, _accept, resources) => {
    const body = discovered(path, resources)
    return body === undefined ? undefined : { contentType: 'application/json', body: JSON.stringify(body) }
  },
  openapi: () => undefined,
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const merged: Record<string, unknown> = isFields(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = merge(merged[name], value)
  }
  return merged
}

/** Discovery in its oldest form. */
function discovered(path: string, resources: readonly ServedResource[]): unknown {
  if (path === '/version') return { major: '1', minor: '32', gitVersion: 'v1.32.0' }
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(resources) }
  const [, root, ...rest] = path.split('/')
  const groupVersion = root === 'apis' && rest.length === 2 ? rest.join('/') : path === '/api/v1' ? 'v1' : undefined
  if (groupVersion === undefined) return undefined
  const served = resources.filter((resource) => apiVersionOf(resource) === groupVersion)
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: served.flatMap(described) }
}

function groupsOf(resources: readonly ServedResource[]): readonly unknown[] {
  const groups = new Set(resources.map(({ group }) => group).filter((group) => group !== ''))
  return [...groups].map((name) => {
    const versions = [{ groupVersion: `${name}/v1`, version: 'v1' }]
    return { name, versions, preferredVersion: versions[0] }
  })
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

function described({ plural, singular, kind, namespaced, subresources }: ServedResource): readonly unknown[] {
  const parts = subresources.map((part) => ({
    name: `${plural}/${part}`,
    singularName: '',
    namespaced,
    kind,
    verbs: VERBS,
  }))
  return [{ name: plural, singularName: singular, namespaced, kind, verbs: VERBS }, ...parts]
}
