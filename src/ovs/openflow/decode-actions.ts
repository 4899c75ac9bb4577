import type { Action, Subfield } from '../../flow/flow.ts'
import { normalizeActions } from '../../flow/normalize-actions.ts'
import { NICIRA, OFPAT, OFPIT } from './action-codes.ts'
import { decodeNicira } from './decode-nicira.ts'
import { malformed, unknownAction } from './errors.ts'
import { decodeHeader, decodeValue } from './oxm.ts'
import { namedPort, PORT } from './ports.ts'
import type { Reader } from './reader.ts'

/** Reads instructions to the reader's end as one canonical list of actions. */
export function decodeInstructions(r: Reader): readonly Action[] {
  const actions: Action[] = []
  let meter: Action | undefined
  let goTo: Action | undefined
  while (r.left > 0) {
    const { type, body } = readTlv(r, 'instruction', 8)
    if (type === OFPIT.goto_table) goTo = { op: 'goto', table: body.u8('goto_table') }
    else if (type === OFPIT.meter) meter = { op: 'meter', meter: body.u32('meter') }
    else if (type === OFPIT.apply_actions) {
      body.skip(4)
      decodeList(body, actions, 0)
    } else throw unknownAction(`instruction ${type}`)
  }
  return normalizeActions([...(meter ? [meter] : []), ...actions, ...(goTo ? [goTo] : [])])
}

/** Reads actions to the reader's end, canonical. Throws `OPENFLOW_UNKNOWN_ACTION` for those outside our language. */
export function decodeActions(r: Reader): readonly Action[] {
  const actions: Action[] = []
  decodeList(r, actions, 0)
  return normalizeActions(actions)
}

/** Actions nest (ct exec); deeper than this is no message that anybody means. */
const MAX_DEPTH = 4

function decodeList(r: Reader, into: Action[], depth: number): void {
  if (depth > MAX_DEPTH) throw malformed('actions nested too deeply')
  while (r.left > 0) {
    const { type, body } = readTlv(r, 'action', 8)
    into.push(type === OFPAT.experimenter ? decodeExperimenter(body, depth) : decodeStandard(type, body))
  }
}

function readTlv(r: Reader, what: string, minimum: number): { type: number; body: Reader } {
  const type = r.u16(what)
  const length = r.u16(what)
  if (length < minimum || length % 8 !== 0) throw malformed(`${what} length`)
  return { type, body: r.sub(length - 4, `${what} length`) }
}

function decodeExperimenter(body: Reader, depth: number): Action {
  const vendor = body.u32('experimenter')
  if (vendor !== NICIRA) throw unknownAction(`action of experimenter 0x${vendor.toString(16)}`)
  return decodeNicira(body, (nested) => {
    const actions: Action[] = []
    decodeList(nested, actions, depth + 1)
    return actions
  })
}

function decodeStandard(type: number, r: Reader): Action {
  switch (type) {
    case OFPAT.output:
      return decodeOutput(r)
    case OFPAT.group:
      return { op: 'group', group: r.u32() }
    case OFPAT.meter:
      return { op: 'meter', meter: r.u32() }
    case OFPAT.push_vlan:
      return { op: 'push_vlan', ethertype: r.u16() }
    case OFPAT.pop_vlan:
      return { op: 'pop_vlan' }
    case OFPAT.dec_nw_ttl:
      return { op: 'dec_ttl' }
    case OFPAT.set_field:
      return { op: 'set', ...decodeValue(r) }
    case OFPAT.copy_field:
      return decodeCopy(r)
    default:
      throw unknownAction(`action ${type}`)
  }
}

function decodeOutput(r: Reader): Action {
  const port = r.u32('output')
  const maxLength = r.u16('output')
  if (port === PORT.controller) return { op: 'controller', maxLength, userdata: '' }
  return { op: 'output', port: namedPort(port) }
}

function decodeCopy(r: Reader): Action {
  const bits = r.u16('copy_field')
  const [fromOffset, toOffset] = [r.u16('copy_field'), r.u16('copy_field')]
  r.skip(2)
  const from: Subfield = { field: decodeHeader(r), offset: fromOffset, bits }
  return { op: 'move', from, to: { field: decodeHeader(r), offset: toOffset, bits } }
}
