/**
 * CustomResourceDefinitions and what they define. Conversion is not in it: asked for, it is refused. Of CEL the language
 * is, and Kubernetes' own libraries are not.
 * @module
 */
import { schemaOfKind } from '../builtin/index.ts'
import type { ServedResource } from '../contract.ts'
import { NAME } from '../table/columns.ts'
import { preparedDefinition } from './definition.ts'

export { resourcesOf } from './custom-resource.ts'

/** CustomResourceDefinitions themselves. */
export const crdResource: ServedResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
  singular: 'customresourcedefinition',
  listKind: 'CustomResourceDefinitionList',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  subresources: ['status'],
  schema: schemaOfKind('CustomResourceDefinition'),
  table: {
    columns: [NAME, { name: 'Created At', type: 'date', description: 'When it was created.' }],
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  },
  prepare: (object, before) => preparedDefinition(crdResource, object, before),
}
