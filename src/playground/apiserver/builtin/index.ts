/**
 * The server's own resources: how they are called, what they look like, what is filled in and what is refused.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import { BUILTIN_TABLES } from '../table/builtin.ts'
import { KINDS, type KindNames } from './kinds.ts'
import { prepareOf } from './prepare/index.ts'
import { schemaOfKind } from './schema.ts'

export { type Field, type FieldType, fieldType, MESSAGES, type Message } from './messages/index.ts'
export { messageOfSchema, type Schema, schemaOfKind, schemaOfMessage } from './schema.ts'

const REPLICAS = { spec: 'spec.replicas', status: 'status.replicas', selector: 'status.selector' }

/** Everything that is served without a CustomResourceDefinition. */
export function builtinResources(): readonly ServedResource[] {
  return KINDS.map(resourceOf)
}

function resourceOf(names: KindNames): ServedResource {
  const table = BUILTIN_TABLES.get(names.plural)
  return {
    ...names,
    schema: schemaOfKind(names.kind),
    ...(names.subresources.includes('scale') ? { scale: REPLICAS } : {}),
    ...(table === undefined ? {} : { table }),
    prepare: prepareOf(names),
  }
}
