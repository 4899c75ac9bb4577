/**
 * The frame that asks whether a tunnel carries. Pure; every frame that comes back is anybody's.
 *
 * Ethernet with {@link PROBE_ETHERTYPE}, then eight random bytes, then zeros up to the size that is asked about. The other
 * switch sends it back as it came, but for whom it is to (src/network/fragments/probes.ts).
 * @module
 */
import { parseMac } from '../../linux/index.ts'
import { PROBE, PROBE_ETHERTYPE } from '../../network/pipeline/stages.ts'
import { BROADCAST, HEADER, half } from '../wire/ethernet.ts'

/** Ethernet's least. */
const LEAST = 60
const NONCE = 8

/** A frame that nobody answers: it has the switch look for the way. */
export function warmingFrame(): Uint8Array {
  const frame = questionFrame(0n)
  frame.set(parseMac(BROADCAST), 0)
  return frame
}

/** A question; `bytes` as of a pod's packet, without the Ethernet header. Default: as small as can be. */
export function questionFrame(nonce: bigint, bytes = 0): Uint8Array {
  const frame = new Uint8Array(Math.max(LEAST, HEADER + bytes))
  frame.set(parseMac(PROBE.question), 0)
  frame.set(parseMac(PROBE.sender), 6)
  const view = new DataView(frame.buffer)
  view.setUint16(12, PROBE_ETHERTYPE)
  view.setBigUint64(HEADER, nonce)
  return frame
}

/** The eight bytes of the question that a frame answers; undefined when it answers none. */
export function answeredNonce(frame: Uint8Array): bigint | undefined {
  const isAnswer = half(frame, 12) === PROBE_ETHERTYPE && ANSWER.every((byte, i) => frame[i] === byte)
  if (!isAnswer || frame.length < HEADER + NONCE) return undefined
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getBigUint64(HEADER)
}

const ANSWER = parseMac(PROBE.answer)
