import { formatIpv4, formatIpv6 } from '../../flow/address-text.ts'
import type { Action, Nat } from '../../flow/flow.ts'
import { NICIRA, NXAST, OFPAT } from './action-codes.ts'
import { CT_COMMIT, CT_FORCE, NAT_FLAG, NAT_RANGE, NO_TABLE } from './encode-ct.ts'
import { malformed, unknownAction } from './errors.ts'
import { decodeHeader } from './oxm.ts'
import { Reader } from './reader.ts'

/** Reads Nicira's ct action behind its subtype; `decodeNested` reads what is not nat. */
export function decodeCt(r: Reader, decodeNested: (nested: Reader) => Action[]): Action {
  const flags = r.u16('ct')
  const zone = decodeZone(r)
  const table = r.u8('ct')
  r.skip(3)
  if (r.u16('ct') !== 0) throw unknownAction('ct with an application helper')
  const { nat, rest } = splitNat(r)
  const exec = rest.left === 0 ? [] : decodeNested(rest)
  return {
    op: 'ct',
    commit: (flags & CT_COMMIT) !== 0,
    force: (flags & CT_FORCE) !== 0,
    zone,
    ...(table === NO_TABLE ? {} : { table }),
    ...(nat === undefined ? {} : { nat }),
    exec,
  }
}

function decodeZone(r: Reader): Exclude<Extract<Action, { op: 'ct' }>['zone'], undefined> {
  const immediate = new Reader(r.bytes, r.at, r.end).u32('ct') === 0
  if (immediate) {
    r.skip(4)
    return r.u16('ct')
  }
  const field = decodeHeader(r)
  const packed = r.u16('ct')
  return { field, offset: packed >>> 6, bits: (packed & 0x3f) + 1 }
}

/** nat may stand anywhere among the nested actions; everything else is exec. */
function splitNat(r: Reader): { readonly nat?: Nat; readonly rest: Reader } {
  const kept: Uint8Array[] = []
  let nat: Nat | undefined
  while (r.left > 0) {
    const header = new Reader(r.bytes, r.at, r.end)
    const type = header.u16('nested action')
    const length = header.u16('nested action')
    if (length < 8 || length % 8 !== 0) throw malformed('nested action length')
    const isNat = type === OFPAT.experimenter && length >= 16 && header.u32() === NICIRA && header.u16() === NXAST.nat
    if (isNat) nat = decodeNat(r.sub(length, 'nat'))
    else kept.push(r.take(length, 'nested action'))
  }
  const rest = new Reader(kept.length === 0 ? NOTHING : Buffer.concat(kept))
  return nat === undefined ? { rest } : { nat, rest }
}

const NOTHING = new Uint8Array(0)

function decodeNat(r: Reader): Nat {
  r.skip(12)
  const flags = r.u16('nat')
  const range = r.u16('nat')
  const has = (bit: number): boolean => (range & bit) !== 0
  const port = (bit: number): number | undefined => (has(bit) ? r.u16('nat port') : undefined)
  const address = (v4: number, v6: number): string | undefined =>
    has(v4) ? formatIpv4(r.take(4, 'nat address'), 0) : has(v6) ? formatIpv6(r.take(16, 'nat address'), 0) : undefined
  const min = address(NAT_RANGE.ipv4Min, NAT_RANGE.ipv6Min)
  const max = address(NAT_RANGE.ipv4Max, NAT_RANGE.ipv6Max)
  const portMin = port(NAT_RANGE.portMin)
  const portMax = port(NAT_RANGE.portMax)
  const named = (['persistent', 'hash', 'random'] as const).filter((flag) => (flags & NAT_FLAG[flag]) !== 0)
  return {
    ...((flags & NAT_FLAG.src) !== 0 ? { direction: 'src' } : (flags & NAT_FLAG.dst) !== 0 ? { direction: 'dst' } : {}),
    ...(min === undefined ? {} : { address: max === undefined ? { min } : { min, max } }),
    ...(portMin === undefined
      ? {}
      : { port: portMax === undefined ? { min: portMin } : { min: portMin, max: portMax } }),
    ...(named.length === 0 ? {} : { flags: named }),
  }
}
