/**
 * Aggregated discovery: everything below `/api` or `/apis` in one document.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import type { Document } from '../formats.ts'
import type { Group } from './groups.ts'
import { partsOf, verbsOf } from './verbs.ts'

const VERSIONS = ['v2', 'v2beta1'] as const

/** A version of the document. */
export type Aggregation = (typeof VERSIONS)[number]

/** The first version in `accept` that we have, in the client's order; undefined when it asks for none. */
export function aggregation(accept: string): Aggregation | undefined {
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim())
    if (type === 'application/json' && parameters.length === 0) return undefined
    const given = new Map(parameters.map((parameter) => parameter.split('=', 2)).map(([name, value]) => [name, value]))
    const isList = given.get('g') === 'apidiscovery.k8s.io' && given.get('as') === 'APIGroupDiscoveryList'
    const version = VERSIONS.find((known) => known === given.get('v'))
    if (type === 'application/json' && isList && version !== undefined) return version
  }
  return undefined
}

/** The document, under the content type by which clients tell it from the plain lists. */
export function aggregated(version: Aggregation, groups: readonly Group[]): Document {
  return {
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    body: JSON.stringify({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map(({ name, versions }) => ({
        metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
        versions: versions.map((served) => ({
          version: served.version,
          resources: served.resources.map(resourceOf),
          freshness: 'Current',
        })),
      })),
    }),
  }
}

function resourceOf(resource: ServedResource): Readonly<Record<string, unknown>> {
  const { group, version, plural, singular, kind, namespaced, shortNames, categories } = resource
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(resource),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    subresources: partsOf(resource).map(({ name, kind: part, groupVersion = [group, version], verbs }) => ({
      subresource: name,
      responseKind: { group: groupVersion[0], version: groupVersion[1], kind: part },
      verbs,
    })),
  }
}
