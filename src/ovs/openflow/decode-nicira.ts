import { fieldCodec } from '../../flow/field-value.ts'
import type { Action, Subfield } from '../../flow/flow.ts'
import { NXAC2, NXAST } from './action-codes.ts'
import { decodeCt } from './decode-ct.ts'
import { malformed, unknownAction } from './errors.ts'
import { decodeHeader, decodeValue } from './oxm.ts'
import { namedPort, PORT, wideNumber } from './ports.ts'
import type { Reader } from './reader.ts'

/** Reads one of Nicira's actions, from its subtype on; `decodeNested` reads the actions inside it. */
export function decodeNicira(r: Reader, decodeNested: (nested: Reader) => Action[]): Action {
  const subtype = r.u16('subtype')
  const decode = DECODERS[subtype]
  if (decode === undefined) throw unknownAction(`Nicira action ${subtype}`)
  return decode(r, decodeNested)
}

type Decode = (r: Reader, decodeNested: (nested: Reader) => Action[]) => Action

const DECODERS: Readonly<Record<number, Decode>> = {
  [NXAST.reg_move]: decodeMove,
  [NXAST.reg_load]: decodeLoad,
  [NXAST.reg_load2]: (r) => ({ op: 'set', ...decodeValue(r) }),
  [NXAST.note]: (r) => ({ op: 'note', data: r.hex(r.left) }),
  [NXAST.resubmit_table]: (r) => decodeResubmit(r, false),
  [NXAST.resubmit_table_ct]: (r) => decodeResubmit(r, true),
  [NXAST.output_reg]: (r) => {
    const bits = r.u16()
    return { op: 'output_reg', from: subfield(bits, decodeHeader(r)) }
  },
  [NXAST.output_reg2]: (r) => {
    const bits = r.u16()
    r.skip(2)
    return { op: 'output_reg', from: subfield(bits, decodeHeader(r)) }
  },
  [NXAST.dec_ttl]: () => ({ op: 'dec_ttl' }),
  [NXAST.controller]: decodeController,
  [NXAST.controller2]: decodeController2,
  [NXAST.conjunction]: (r) => ({ op: 'conjunction', clause: r.u8() + 1, of: r.u8(), id: r.u32() }),
  [NXAST.ct]: decodeCt,
  [NXAST.clone]: (r, decodeNested) => {
    r.skip(6)
    return { op: 'clone', actions: decodeNested(r) }
  },
  [NXAST.ct_clear]: () => ({ op: 'ct_clear' }),
  [NXAST.output_trunc]: (r) => ({ op: 'output', port: namedPort(wideNumber(r.u16())), maxLength: r.u32() }),
  [NXAST.check_pkt_larger]: (r) => {
    const [size, offset] = [r.u16(), r.u16()]
    return { op: 'check_pkt_larger', size, to: { field: decodeHeader(r), offset, bits: 1 } }
  },
}

/** Offset and width as older actions pack them: ten bits and six. */
export function subfield(packed: number, field: Subfield['field']): Subfield {
  return { field, offset: packed >>> 6, bits: (packed & 0x3f) + 1 }
}

function decodeMove(r: Reader): Action {
  const bits = r.u16()
  const [fromOffset, toOffset] = [r.u16(), r.u16()]
  const from: Subfield = { field: decodeHeader(r), offset: fromOffset, bits }
  return { op: 'move', from, to: { field: decodeHeader(r), offset: toOffset, bits } }
}

function decodeLoad(r: Reader): Action {
  const packed = r.u16()
  const { field, offset, bits } = subfield(packed, decodeHeader(r))
  const codec = fieldCodec(field)
  if (offset + bits > codec.bits) throw malformed('reg_load width')
  const ones = (1n << BigInt(bits)) - 1n
  const value = (r.u64() & ones) << BigInt(offset)
  const mask = ones << BigInt(offset)
  return { op: 'set', field, value, mask }
}

function decodeResubmit(r: Reader, ct: boolean): Action {
  const port = r.u16()
  const table = r.u8()
  if (port !== (PORT.in_port & 0xffff)) throw unknownAction('resubmit with another input port')
  return ct ? { op: 'resubmit', table, ct } : { op: 'resubmit', table }
}

function decodeController(r: Reader): Action {
  const maxLength = r.u16()
  if (r.u16() !== 0) throw unknownAction('controller action for another controller')
  return { op: 'controller', maxLength, userdata: '' }
}

function decodeController2(r: Reader): Action {
  let [maxLength, userdata, meter]: [number, string, number | undefined] = [0xffff, '', undefined]
  r.skip(6)
  while (r.left > 0) {
    const type = r.u16('controller property')
    const length = r.u16('controller property')
    if (length < 4) throw malformed('controller property length')
    const body = r.sub(length - 4, 'controller property length')
    r.skip(Math.min(r.left, (8 - (length & 7)) & 7))
    if (type === NXAC2.max_len) maxLength = body.u16()
    else if (type === NXAC2.userdata) userdata = body.hex(body.left)
    else if (type === NXAC2.meter_id) meter = body.u32()
    else if (type !== NXAC2.reason && !(type === NXAC2.controller_id && body.u16() === 0)) {
      throw unknownAction('controller action with pause or another controller')
    }
  }
  return { op: 'controller', maxLength, userdata, ...(meter === undefined ? {} : { meter }) }
}
