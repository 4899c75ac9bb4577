/**
 * From the bytes of a question to those of its answer.
 * @module
 */

import { decodeHeader, decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { RCODES } from '../../dns/message.ts'
import { answer, EDNS_SIZE, reply } from './answer.ts'
import type { ClusterZone } from './zone.ts'

/** What a client without EDNS can receive by UDP. */
const PLAIN_SIZE = 512

/** The answer's bytes; undefined for what is no question: answers (they would go round for ever) and scraps. */
export function respond(zone: ClusterZone, bytes: Uint8Array, transport: 'udp' | 'tcp'): Uint8Array | undefined {
  const header = decodeHeader(bytes)
  if (header === undefined || header.isResponse) return undefined
  const nothing = { questions: [], answers: [], authorities: [], additionals: [] }
  const query = decodeMessage(bytes)
  if (query === undefined) return encodeMessage(reply({ ...header, ...nothing }, RCODES.FORMERR))
  const size = Math.max(PLAIN_SIZE, Math.min(query.edns?.size ?? PLAIN_SIZE, EDNS_SIZE))
  return encodeMessage(answer(zone, query), transport === 'udp' ? size : 0xffff)
}
