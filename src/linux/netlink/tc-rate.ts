/**
 * Rates and bursts as the kernel's packet schedulers count them: bytes per second (in 32 bits, and in 64 beside them
 * where those do not do), and bursts as the time that their bytes take, in ticks of 64 ns.
 *
 * The tables of times per packet size that tc(8) still sends are read by the kernel only to guess the link layer (since
 * 3.9); it is named here instead.
 * @module
 */
import { badArgument } from '../errno.ts'
import type { MessageWriter } from './writer.ts'

/** Nanoseconds in a tick (PSCHED_SHIFT of net/pkt_sched.h; the second number of /proc/net/psched). */
const TICK_NS = 64
const MOST_32 = 0xffffffff
const LINKLAYER_ETHERNET = 1
/** Bytes of struct tc_ratespec. */
export const RATESPEC = 12

/** Whole bytes per second of a rate in bits per second, never more than it. Throws LINUX_ARGUMENT. */
export function bytesPerSecond(bits: number): number {
  const bytes = Math.floor(bits / 8)
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw badArgument(`${bits} bit/s is no rate: at least 8, at most 2^56`)
  return bytes
}

/** The ticks that `bytes` take at a rate in bits per second: how a bucket's size is told. Throws LINUX_ARGUMENT. */
export function burstTicks(bits: number, bytes: number): number {
  const ticks = Math.ceil((bytes * 1e9) / bytesPerSecond(bits) / TICK_NS)
  if (ticks <= MOST_32) return ticks
  throw badArgument(
    `a burst of ${bytes} bytes at ${bits} bit/s lasts longer than ${Math.floor((MOST_32 * TICK_NS) / 1e9)} s`,
  )
}

/** The bytes of a burst told in ticks, as exactly as ticks tell. */
export function burstBytes(bits: number, ticks: number): number {
  return Math.round((ticks * TICK_NS * bytesPerSecond(bits)) / 1e9)
}

/** Writes struct tc_ratespec: cell_log, linklayer, overhead, cell_align, mpu, rate. Zero stands for no rate. */
export function writeRate(writer: MessageWriter, bits: number): MessageWriter {
  const rate = bits === 0 ? 0 : Math.min(bytesPerSecond(bits), MOST_32)
  return writer.byte(0).byte(LINKLAYER_ETHERNET).half(0).half(0).half(0).word(rate)
}

/** The rate for the 64-bit attribute beside struct tc_ratespec; undefined where that tells it all. */
export function rate64(bits: number): bigint | undefined {
  const bytes = bytesPerSecond(bits)
  return bytes < MOST_32 ? undefined : BigInt(bytes)
}

/** Bits per second in the struct tc_ratespec at `offset`, or in the 64-bit attribute where there is one. */
export function readRate(view: DataView, offset: number, wide: bigint | undefined): number {
  return Number(wide ?? BigInt(view.getUint32(offset + 8, true))) * 8
}
