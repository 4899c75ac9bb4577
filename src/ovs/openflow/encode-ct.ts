import { parseIpv4, parseIpv6 } from '../../flow/address-text.ts'
import type { Action, Nat } from '../../flow/flow.ts'
import { NICIRA, NXAST, OFPAT } from './action-codes.ts'
import { OpenFlowError } from './errors.ts'
import { encodeHeader } from './oxm.ts'
import type { Writer } from './writer.ts'

export const CT_COMMIT = 1
export const CT_FORCE = 2
export const NO_TABLE = 0xff

/** Bits of the nat action's flags. */
export const NAT_FLAG = { src: 1, dst: 2, persistent: 4, hash: 8, random: 16 } as const
/** Which parts of a range follow in the nat action, in this order. */
export const NAT_RANGE = { ipv4Min: 1, ipv4Max: 2, ipv6Min: 4, ipv6Max: 8, portMin: 16, portMax: 32 } as const

/** Writes Nicira's ct action; `encodeExec` writes the actions inside exec(). */
export function encodeCt(
  w: Writer,
  action: Extract<Action, { op: 'ct' }>,
  encodeExec: (actions: readonly Action[]) => void,
): void {
  const start = w.length
  const { commit, force, zone, table, nat, exec } = action
  const flags = (commit === true || force === true ? CT_COMMIT : 0) | (force === true ? CT_FORCE : 0)
  w.u16(OFPAT.experimenter).u16(0).u32(NICIRA).u16(NXAST.ct).u16(flags)
  if (typeof zone === 'object') {
    encodeHeader(w, zone.field)
    w.u16((zone.offset << 6) | (zone.bits - 1))
  } else w.u32(0).u16(zone ?? 0)
  w.u8(table ?? NO_TABLE).zeros(5)
  if (nat !== undefined) encodeNat(w, nat)
  if (exec !== undefined) encodeExec(exec)
  w.setU16(start + 2, w.length - start)
}

function encodeNat(w: Writer, nat: Nat): void {
  const start = w.length
  const v6 = nat.address?.min.includes(':') === true
  let flags = nat.direction === undefined ? 0 : NAT_FLAG[nat.direction]
  for (const flag of nat.flags ?? []) flags |= NAT_FLAG[flag]
  w.u16(OFPAT.experimenter).u16(0).u32(NICIRA).u16(NXAST.nat).zeros(2).u16(flags).u16(rangeOf(nat, v6))
  if (nat.address !== undefined) {
    encodeAddress(w, nat.address.min, v6)
    if (nat.address.max !== undefined) encodeAddress(w, nat.address.max, v6)
  }
  if (nat.port !== undefined) {
    w.u16(nat.port.min)
    if (nat.port.max !== undefined) w.u16(nat.port.max)
  }
  w.align8(start)
  w.setU16(start + 2, w.length - start)
}

function rangeOf({ address, port }: Nat, v6: boolean): number {
  let range = 0
  if (address !== undefined) range |= v6 ? NAT_RANGE.ipv6Min : NAT_RANGE.ipv4Min
  if (address?.max !== undefined) range |= v6 ? NAT_RANGE.ipv6Max : NAT_RANGE.ipv4Max
  if (port !== undefined) range |= NAT_RANGE.portMin
  if (port?.max !== undefined) range |= NAT_RANGE.portMax
  return range
}

function encodeAddress(w: Writer, text: string, v6: boolean): void {
  const size = v6 ? 16 : 4
  w.reserve(size)
  const read = v6 ? parseIpv6 : parseIpv4
  if (!read(text, w.bytes, w.length)) {
    throw new OpenFlowError(
      'OPENFLOW_ADDRESS_INVALID',
      `nat: '${text.slice(0, 60)}' is no IPv${v6 ? 6 : 4} address`,
      'give both ends of the range in the same family',
    )
  }
  w.length += size
}
