/**
 * A request in the words of whoever allows or forbids it: roles are granted by group, resource and verb.
 * @module
 */

/** The verbs of roles that our calls need. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** What the API server asks its authorizer about one request. */
export interface KubeCall {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** Lower-case plural, as in a role. */
  readonly resource: string
  readonly subresource?: string
  readonly verb: Verb
  /** Absent: all namespaces, or there are none. */
  readonly namespace?: string
  /** Absent for a creation, whose name is in the body, and for a collection, unless its field selector names one. */
  readonly name?: string
}

/** Is told of every request before it is sent, the repeated ones too. Must not throw. */
export type OnCall = (call: KubeCall) => void

/** What a request is made of, as far as it matters here. */
export interface RequestLine {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
}

/**
 * What the API server makes of a request (k8s.io/apiserver, `RequestInfoFactory`). Undefined for a path that is no
 * resource's: version and discovery, which every account may read.
 */
export function callOf({ method, path, query = {} }: RequestLine): KubeCall | undefined {
  const place = /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(.+)$/.exec(path)
  if (place === null) return undefined
  const [, group = '', version = '', rest = ''] = place
  const { namespace, parts } = scopeOf(rest.split('/').map(decodeURIComponent))
  const [resource = '', inPath, subresource] = parts
  const isOne = inPath !== undefined
  const name = inPath ?? (method === 'GET' ? nameIn(query['fieldSelector']) : undefined)
  return {
    group,
    version,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    verb: method === 'GET' ? readVerb(isOne, query) : isOne || method !== 'DELETE' ? VERBS[method] : 'deletecollection',
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  }
}

const VERBS = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const

function readVerb(isOne: boolean, query: NonNullable<RequestLine['query']>): Verb {
  if (query['watch'] === 'true') return 'watch'
  return isOne ? 'get' : 'list'
}

/** A namespace is what things are in, or a thing itself. */
function scopeOf([first, second, ...rest]: readonly string[]) {
  const isScope = first === 'namespaces' && second !== undefined && rest.length > 0 && !OF_NAMESPACES.has(rest[0] ?? '')
  if (isScope) return { namespace: second, parts: rest }
  const parts = [first, second, ...rest].filter((part) => part !== undefined)
  // The server says that a namespace is in itself.
  return { namespace: first === 'namespaces' ? second : undefined, parts }
}

const OF_NAMESPACES = new Set(['status', 'finalize'])

function nameIn(fieldSelector: string | undefined): string | undefined {
  return /(?:^|,)metadata\.name==?([^,=!]+)/.exec(fieldSelector ?? '')?.[1]
}
