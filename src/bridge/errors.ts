/**
 * What can be wrong with a bridge that is asked for, or with making it.
 * @module
 */
import { CodedError } from '../text/coded-error.ts'

/** Stable codes. The first ones are refusals: nothing was done. */
export type BridgeErrorCode =
  | 'BRIDGE_NAME'
  | 'BRIDGE_NO_UPLINK'
  | 'BRIDGE_UPLINK_UNFIT'
  | 'BRIDGE_UPLINK_TAKEN'
  | 'BRIDGE_UPLINK_HAS_ADDRESSES'
  | 'BRIDGE_MTU'
  | 'BRIDGE_NOT_OURS'
  | 'BRIDGE_UNKNOWN'
  | 'BRIDGE_HAS_PORTS'
  | 'BRIDGE_GATEWAY_SILENT'
  | 'BRIDGE_ROUTE_UNKNOWN'
  | 'BRIDGE_PERSIST'
  | 'BRIDGE_BUSY'
  | 'BRIDGE_GUARD'
  /** Everything is as it was before. */
  | 'BRIDGE_ROLLED_BACK'
  /** Not everything could be put back; the message says what. */
  | 'BRIDGE_HALF_DONE'

/** An error with a stable code: `message` is the cause, `remedy` what to do. */
export class BridgeError extends CodedError<BridgeErrorCode> {
  override readonly name = 'BridgeError'
}
