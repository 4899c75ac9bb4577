/**
 * Entry of a supervisor started from the source tree; the executable has `weft play supervise`.
 * @module
 */
import { supervise } from './supervise.ts'

await supervise(process.argv[2] ?? '')
