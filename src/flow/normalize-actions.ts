import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from './address-text.ts'
import { FlowError } from './errors.ts'
import { fieldCodec } from './field-value.ts'
import type { Action, Nat, OutputPort, Subfield } from './flow.ts'
import { mergeSets, normalizeSet } from './normalize-set.ts'

/** Names of the reserved ports of OpenFlow, by number. */
const RESERVED_PORTS: ReadonlyMap<number, Exclude<OutputPort, number>> = new Map([
  [0xfffffff8, 'in_port'],
  [0xfffffffa, 'normal'],
  [0xfffffffb, 'flood'],
  [0xfffffffc, 'all'],
  [0xfffffffe, 'local'],
])

const CANONICAL = new WeakSet<readonly Action[]>()

/** Actions without arguments at their defaults, values canonical; not to be changed. Throws FlowError. */
export function normalizeActions(actions: readonly Action[]): readonly Action[] {
  if (CANONICAL.has(actions)) return actions
  const canonical: Action[] = []
  for (const [index, action] of actions.entries()) {
    if (action.op === 'goto' && index !== actions.length - 1) {
      throw new FlowError('FLOW_ACTION_INVALID', 'goto is not the last action', 'put it last, or use resubmit')
    }
    const normal = normalizeAction(action)
    if (normal === undefined) continue
    const before = canonical.at(-1)
    const isRepeat = normal.op === 'set' && before?.op === 'set' && normal.field === before.field
    if (isRepeat) canonical[canonical.length - 1] = mergeSets(before, normal)
    else canonical.push(normal)
  }
  CANONICAL.add(canonical)
  return canonical
}

function normalizeAction(action: Action): Action | undefined {
  switch (action.op) {
    case 'output':
      return { ...action, port: canonicalPort(action.port) }
    case 'set':
      return normalizeSet(action)
    case 'output_reg':
      requireSubfield(action.from)
      return action
    case 'move':
      return normalizeMove(action)
    case 'check_pkt_larger':
      if (action.to.bits !== 1) throw invalid('check_pkt_larger stores one bit', 'name a single bit')
      requireSubfield(action.to)
      return action
    case 'resubmit':
      return action.ct === true ? action : { op: 'resubmit', table: action.table }
    case 'controller':
      return { ...action, userdata: canonicalHex(action.userdata) }
    case 'note':
      return { op: 'note', data: padNote(canonicalHex(action.data)) }
    case 'ct':
      return normalizeCt(action)
    case 'clone':
      return normalizeClone(action)
    default:
      return action
  }
}

/** A reserved port by its name, any other by its number. */
export function canonicalPort(port: OutputPort): OutputPort {
  return typeof port === 'number' ? (RESERVED_PORTS.get(port) ?? port) : port
}

function normalizeMove(action: Extract<Action, { op: 'move' }>): Action {
  requireSubfield(action.from)
  requireSubfield(action.to)
  if (action.from.bits !== action.to.bits) throw invalid('move between widths', 'name as many bits on both sides')
  return action
}

function requireSubfield(subfield: Subfield): void {
  const { bits } = fieldCodec(subfield.field)
  if (subfield.offset >= 0 && subfield.bits >= 1 && subfield.offset + subfield.bits <= bits) return
  throw invalid(`${subfield.field} has ${bits} bits`, 'name bits within the field')
}

function normalizeCt(action: Extract<Action, { op: 'ct' }>): Action {
  const { commit, force, zone, table, nat, exec } = action
  if (typeof zone === 'object') requireSubfield(zone)
  return {
    op: 'ct',
    ...(commit === true || force === true ? { commit: true } : {}),
    ...(force === true ? { force: true } : {}),
    ...(zone === undefined || zone === 0 ? {} : { zone }),
    ...(table === undefined ? {} : { table }),
    ...(nat === undefined ? {} : { nat: normalizeNat(nat) }),
    ...(exec === undefined || exec.length === 0 ? {} : { exec: normalizeActions(exec) }),
  }
}

/** Nothing done with a copy is nothing done. */
function normalizeClone(action: Extract<Action, { op: 'clone' }>): Action | undefined {
  const actions = normalizeActions(action.actions)
  if (actions.at(-1)?.op === 'goto') throw invalid('goto inside a clone', 'use resubmit')
  return actions.length === 0 ? undefined : { op: 'clone', actions }
}

const NAT_FLAGS = ['persistent', 'hash', 'random'] as const

function normalizeNat(nat: Nat): Nat {
  const { direction, address, port, flags } = nat
  if (direction === undefined) return {}
  const min = address === undefined ? undefined : canonicalAddress(address.min)
  const max = address?.max === undefined ? undefined : canonicalAddress(address.max)
  return {
    direction,
    ...(min === undefined ? {} : { address: max === undefined || max === min ? { min } : { min, max } }),
    ...(port === undefined
      ? {}
      : {
          port: port.max === undefined || port.max === port.min ? { min: port.min } : { min: port.min, max: port.max },
        }),
    ...(flags === undefined || flags.length === 0 || min === undefined
      ? {}
      : { flags: NAT_FLAGS.filter((flag) => flags.includes(flag)) }),
  }
}

const ADDRESS = new Uint8Array(16)

function canonicalAddress(text: string): string {
  if (parseIpv4(text, ADDRESS, 0)) return formatIpv4(ADDRESS, 0)
  if (parseIpv6(text, ADDRESS, 0)) return formatIpv6(ADDRESS, 0)
  throw invalid(`nat: '${text.slice(0, 60)}' is not an address`, 'give IPv4 or IPv6 text')
}

/** Bytes as lower-case hexadecimal digits; dots between bytes, as ovs-ofctl writes them, are taken too. */
function canonicalHex(text: string): string {
  const digits = text.replaceAll('.', '').toLowerCase()
  if (digits.length % 2 === 0 && /^[0-9a-f]*$/.test(digits)) return digits
  throw invalid(`'${text.slice(0, 60)}' is not bytes in hexadecimal`, 'give two digits per byte')
}

/** The wire has no length for a note: it is filled with zeros to the end of its eight-byte unit, 6, 14, 22 … bytes. */
function padNote(hex: string): string {
  const bytes = hex.length / 2
  return hex.padEnd((6 + 8 * Math.max(0, Math.ceil((bytes - 6) / 8))) * 2, '0')
}

function invalid(cause: string, remedy: string): FlowError {
  return new FlowError('FLOW_ACTION_INVALID', cause, remedy)
}
