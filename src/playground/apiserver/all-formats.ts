/**
 * The server's formats, put together.
 * @module
 */
import { builtinResources } from './builtin/index.ts'
import { discovery } from './discovery/index.ts'
import type { Formats } from './formats.ts'
import { openapi } from './openapi/index.ts'
import { applyPatch } from './patch/index.ts'
import { toTable } from './table/index.ts'
import { standIns } from './testing/stand-ins.ts'

/** Everything that the core leaves to its neighbours. */
export const formats: Formats = {
  ...standIns,
  builtinResources,
  applyPatch,
  toTable,
  discovery,
  openapi,
}
