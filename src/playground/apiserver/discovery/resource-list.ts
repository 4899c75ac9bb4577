/**
 * The resources of one version, in the form of before aggregation.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import type { GroupVersion } from './groups.ts'
import { partsOf, verbsOf } from './verbs.ts'

/** An `APIResourceList`. */
export function resourceList(group: string, { version, resources }: GroupVersion): Readonly<Record<string, unknown>> {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: resources.flatMap((resource) => [whole(resource), ...parts(resource)]),
  }
}

function whole(resource: ServedResource): Readonly<Record<string, unknown>> {
  const { plural, singular, namespaced, kind, shortNames, categories } = resource
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(resource),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  }
}

function parts(resource: ServedResource): readonly Readonly<Record<string, unknown>>[] {
  return partsOf(resource).map(({ name, kind, groupVersion, verbs }) => ({
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(groupVersion === undefined ? {} : { group: groupVersion[0], version: groupVersion[1] }),
    kind,
    verbs,
  }))
}
