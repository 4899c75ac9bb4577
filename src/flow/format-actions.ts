import { longName, setName } from './field-names.ts'
import { canonicalFieldMatch, fieldCodec } from './field-value.ts'
import type { Action, Nat, Scalar, Subfield } from './flow.ts'
import { formatPort, formatScalar } from './format-scalar.ts'
import { normalizeActions } from './normalize-actions.ts'

/** Actions as ovs-ofctl writes them: `set_field:0x5->reg0,output:1`, or `drop` for none. Throws FlowError. */
export function formatActions(actions: readonly Action[]): string {
  const canonical = normalizeActions(actions)
  return canonical.length === 0 ? 'drop' : canonical.map(formatAction).join(',')
}

/** One action; see `formatActions`. */
export function formatAction(action: Action): string {
  switch (action.op) {
    case 'output':
      return formatOutput(action)
    case 'output_reg':
      return `output:${formatSubfield(action.from)}`
    case 'set':
      return formatSet(action)
    case 'move':
      return `move:${formatSubfield(action.from)}->${formatSubfield(action.to)}`
    case 'goto':
      return `goto_table:${action.table}`
    case 'resubmit':
      return action.ct === true ? `resubmit(,${action.table},ct)` : `resubmit(,${action.table})`
    case 'group':
      return `group:${action.group}`
    case 'meter':
      return `meter:${action.meter}`
    case 'check_pkt_larger':
      return `check_pkt_larger(${action.size})->${formatSubfield(action.to)}`
    case 'controller':
      return formatController(action)
    case 'ct':
      return formatCt(action)
    case 'clone':
      return `clone(${action.actions.map(formatAction).join(',')})`
    case 'conjunction':
      return `conjunction(${action.id},${action.clause}/${action.of})`
    case 'push_vlan':
      return `push_vlan:0x${action.ethertype.toString(16).padStart(4, '0')}`
    case 'note':
      return `note:${dotted(action.data)}`
    default:
      return action.op
  }
}

function formatOutput({ port, maxLength }: Extract<Action, { op: 'output' }>): string {
  const text = typeof port === 'number' ? formatPort(port) : port.toUpperCase()
  if (maxLength !== undefined) return `output(port=${text},max_len=${maxLength})`
  return typeof port === 'number' ? `output:${text}` : text
}

/** `NXM_NX_REG0[0..15]`, `NXM_NX_REG0[3]`, or `NXM_NX_REG0[]` for the whole field. */
function formatSubfield({ field, offset, bits }: Subfield): string {
  const name = longName(field)
  if (offset === 0 && bits === fieldCodec(field).bits) return `${name}[]`
  return bits === 1 ? `${name}[${offset}]` : `${name}[${offset}..${offset + bits - 1}]`
}

function formatSet({ field, value, mask }: Extract<Action, { op: 'set' }>): string {
  return `set_field:${mask === undefined ? formatScalar(field, value, false) : formatMasked(field, value, mask)}->${setName(field)}`
}

function formatMasked(field: Subfield['field'], value: Scalar, mask: Scalar): string {
  const canonical = canonicalFieldMatch({ ...fieldCodec(field), maskable: true }, { value, mask })
  if (typeof canonical === 'string') return canonical
  return `${formatScalar(field, value, true)}/${formatScalar(field, mask, true)}`
}

function formatController({ maxLength, userdata, meter }: Extract<Action, { op: 'controller' }>): string {
  if (userdata === '' && meter === undefined) return `CONTROLLER:${maxLength}`
  const parts = [
    ...(maxLength === 0xffff ? [] : [`max_len=${maxLength}`]),
    ...(userdata === '' ? [] : [`userdata=${dotted(userdata)}`]),
    ...(meter === undefined ? [] : [`meter_id=${meter}`]),
  ]
  return `controller(${parts.join(',')})`
}

function dotted(hex: string): string {
  return hex.replace(/..(?=.)/g, '$&.')
}

function formatCt(action: Extract<Action, { op: 'ct' }>): string {
  const { commit, force, zone, table, nat, exec } = action
  const parts = [
    ...(commit === true ? ['commit'] : []),
    ...(force === true ? ['force'] : []),
    ...(table === undefined ? [] : [`table=${table}`]),
    ...(zone === undefined ? [] : [`zone=${typeof zone === 'object' ? formatSubfield(zone) : zone}`]),
    ...(nat === undefined ? [] : [formatNat(nat)]),
    ...(exec === undefined ? [] : [`exec(${exec.map(formatAction).join(',')})`]),
  ]
  return `ct(${parts.join(',')})`
}

function formatNat({ direction, address, port, flags }: Nat): string {
  if (direction === undefined) return 'nat'
  const bracket = (text: string): string => (text.includes(':') && port !== undefined ? `[${text}]` : text)
  const range = (min: string | number, max: string | number | undefined): string =>
    max === undefined ? String(min) : `${min}-${max}`
  const addresses =
    address === undefined
      ? ''
      : range(bracket(address.min), address.max === undefined ? undefined : bracket(address.max))
  const ports = port === undefined ? '' : `:${range(port.min, port.max)}`
  const target = addresses === '' && ports === '' ? direction : `${direction}=${addresses}${ports}`
  return `nat(${[target, ...(flags ?? [])].join(',')})`
}
