/**
 * The server's formats, put together.
 * @module
 */
import { builtinResources } from './builtin/index.ts'
import { crdResource, resourcesOf } from './crd/index.ts'
import { discovery } from './discovery/index.ts'
import type { Formats } from './formats.ts'
import { openapi } from './openapi/index.ts'
import { applyPatch } from './patch/index.ts'
import { decodeProtobuf } from './protobuf/index.ts'
import { toTable } from './table/index.ts'

/** Everything that the core leaves to its neighbours. */
export const formats: Formats = {
  builtinResources,
  crdResource,
  resourcesOf,
  applyPatch,
  decodeProtobuf,
  toTable,
  discovery,
  openapi,
}
