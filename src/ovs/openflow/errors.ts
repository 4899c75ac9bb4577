import { ERROR_NAMES, ERROR_TYPES } from './error-names.ts'

/** An OpenFlow failure. `code` is stable; `message` is the cause; `remedy` says what to do. */
export class OpenFlowError extends Error {
  override readonly name = 'OpenFlowError'
  readonly code: string
  readonly remedy: string

  constructor(code: string, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}

/** An ERROR message of the switch. `data` is the start of the offending message: the switch may cut it. */
export class SwitchError extends OpenFlowError {
  readonly type: number
  readonly number: number
  readonly xid: number
  readonly data: Uint8Array

  constructor(type: number, number: number, xid: number, data: Uint8Array, about = '') {
    const name = errorName(type, number)
    super(name, `the switch answered ${name}${about === '' ? '' : ` to ${about}`}`, remedyOf(name))
    this.type = type
    this.number = number
    this.xid = xid
    this.data = data
  }

  /** The same error, telling what it was about. */
  about(what: string): SwitchError {
    return new SwitchError(this.type, this.number, this.xid, this.data, what)
  }
}

/** `OPENFLOW_<TYPE>_<CODE>` as the specification and Open vSwitch name them; numbers where no name is known. */
export function errorName(type: number, code: number): string {
  const typeName = ERROR_TYPES[type]
  if (typeName === undefined) return `OPENFLOW_ERROR_${type}_${code}`
  return `OPENFLOW_${typeName}_${ERROR_NAMES[typeName]?.[code] ?? code}`
}

/** Input that no well-behaved peer sends: `what` names the part. */
export function malformed(what: string): OpenFlowError {
  return new OpenFlowError(
    'OPENFLOW_MALFORMED',
    `malformed OpenFlow message: ${what}`,
    'check that the socket belongs to Open vSwitch 2.17 or later',
  )
}

/** Something valid that the flow language has no word for. */
export function unknownAction(what: string): OpenFlowError {
  return new OpenFlowError(
    'OPENFLOW_UNKNOWN_ACTION',
    `${what} is not in the flow language`,
    'the flow was installed by other software; remove it, or use a bridge of our own',
  )
}

const REMEDIES: Readonly<Record<string, string>> = {
  OPENFLOW_HELLO_FAILED_INCOMPATIBLE: "let the bridge's protocols include OpenFlow13, OpenFlow14 or OpenFlow15",
  OPENFLOW_BAD_MATCH_BAD_PREREQ: 'add eth_type, ip_proto or ct_state to the match',
  OPENFLOW_BAD_ACTION_BAD_OUT_PORT: 'output to a port number that exists or to a reserved port',
  OPENFLOW_BAD_ACTION_BAD_OUT_GROUP: 'add the group before the flows that use it',
  OPENFLOW_BAD_ACTION_MATCH_INCONSISTENT: 'match what the action needs (eth_type for ct, ip_proto for ports)',
  OPENFLOW_GROUP_MOD_FAILED_GROUP_EXISTS: 'modify the group instead of adding it',
  OPENFLOW_GROUP_MOD_FAILED_UNKNOWN_GROUP: 'add the group before modifying it',
  OPENFLOW_METER_MOD_FAILED_METER_EXISTS: 'modify the meter instead of adding it',
  OPENFLOW_METER_MOD_FAILED_UNKNOWN_METER: 'add the meter before the flows that use it',
  OPENFLOW_FLOW_MOD_FAILED_TABLE_FULL: 'raise the flow limit of the table or install fewer flows',
  OPENFLOW_BUNDLE_FAILED_MSG_UNSUP: 'send meters outside of the bundle, before or after it',
}

function remedyOf(name: string): string {
  return REMEDIES[name] ?? 'compare the message with what ovs-ofctl sends, and look into ovs-vswitchd.log'
}
