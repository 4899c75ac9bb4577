/**
 * Entry of the server started from the source tree; the executable has `weft play serve`.
 * @module
 */
import { parseServe, serve } from './serve.ts'

const ending = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => ending.abort())
await serve(parseServe(process.argv.slice(2)), ending.signal)
