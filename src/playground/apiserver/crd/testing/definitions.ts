/**
 * Definitions to try schemas with.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { ServedResource } from '../../contract.ts'
import { crdResource, resourcesOf } from '../index.ts'

/** A definition of Things with one version; `version` adds to it or takes its place. */
export function definition(schema: unknown, version: object = {}, spec: object = {}): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.test.example' },
    spec: {
      group: 'test.example',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...spec,
    },
  }
}

/** Things with this schema. Throws what the definition is refused with. */
export function resourceWith(schema: unknown, version: object = {}): ServedResource {
  const [resource] = resourcesOf(crdResource.prepare(definition(schema, version), undefined))
  if (resource === undefined) throw new Error('it serves no version')
  return resource
}

export function thing(fields: object): KubeObject {
  return { apiVersion: 'test.example/v1', kind: 'Thing', metadata: { name: 'x' }, ...fields }
}
