/**
 * Tables: what `kubectl get` prints. Pure.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Column, ServedResource } from '../contract.ts'
import type { TableOptions } from '../formats.ts'
import { ageOf } from './age.ts'
import { AGE, NAME } from './columns.ts'

export { columnsOf, type PrinterColumn } from './printer-columns.ts'

/** A `meta.k8s.io/v1` Table with a row for each object. */
export function toTable(
  resource: ServedResource,
  objects: readonly KubeObject[],
  { now, includeObject, listMeta }: TableOptions,
): Readonly<Record<string, unknown>> {
  const { columns, cells } = resource.table ?? NAME_AND_AGE
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta,
    columnDefinitions: columns.map(definitionOf),
    rows: objects.map((object) => ({ cells: cells(object, now), object: shown(object, includeObject) })),
  }
}

const NAME_AND_AGE: NonNullable<ServedResource['table']> = {
  columns: [NAME, AGE],
  cells: ({ metadata }, now) => [metadata.name, ageOf(metadata.creationTimestamp, now)],
}

/** Clients expect all of these, empty or not. */
function definitionOf({ name, type, format = '', description = '', priority = 0 }: Column): Column {
  return { name, type, format, description, priority }
}

function shown(object: KubeObject, include: TableOptions['includeObject']): unknown {
  if (include === 'None') return null
  if (include === 'Object') return object
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
}
