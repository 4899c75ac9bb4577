/**
 * Tables of a column or two.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { Column, ServedResource } from '../../contract.ts'
import { arrayAt, fieldsAt, textAt, valueAt } from '../../objects/shape.ts'
import { ageOf } from '../age.ts'
import { AGE, NAME, text } from '../columns.ts'
import { selector } from '../words.ts'

export const NAMESPACES = table([text('Status', 'Whether it is active.')], (object) => [
  textAt(object, 'status', 'phase') ?? '',
])

export const CONFIG_MAPS = table([text('Data', 'How many entries it has.')], (object) => [
  size(object, 'data') + size(object, 'binaryData'),
])

export const SECRETS = table([text('Type', 'What it is for.'), text('Data', 'How many entries it has.')], (object) => [
  textAt(object, 'type') ?? '',
  size(object, 'data'),
])

export const SERVICE_ACCOUNTS = table([text('Secrets', 'How many secrets it has.')], (object) => [
  arrayAt(object, 'secrets').length,
])

export const LEASES = table([text('Holder', 'Who holds it.')], (object) => [
  textAt(object, 'spec', 'holderIdentity') ?? '',
])

export const NETWORK_POLICIES = table([text('Pod-Selector', 'The labels of the pods that it isolates.')], (object) => [
  selector(valueAt(object, 'spec', 'podSelector')),
])

/** The one table whose time is not an age. */
export const DEFINITIONS: NonNullable<ServedResource['table']> = {
  columns: [NAME, { name: 'Created At', type: 'date', description: 'When it was created.' }],
  cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp],
}

function table(
  columns: readonly Column[],
  cells: (object: KubeObject) => readonly unknown[],
): NonNullable<ServedResource['table']> {
  return {
    columns: [NAME, ...columns, AGE],
    cells: (object, now) => [object.metadata.name, ...cells(object), ageOf(object.metadata.creationTimestamp, now)],
  }
}

function size(object: KubeObject, field: string): number {
  return Object.keys(fieldsAt(object, field)).length
}
