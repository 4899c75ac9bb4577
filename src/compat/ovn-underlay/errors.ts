/**
 * What can be wrong with the underlay of a node.
 * @module
 */
import { CodedError } from '../../text/coded-error.ts'

/** Stable codes. */
export type UnderlayErrorCode =
  /** What was asked for makes no sense. Nothing was done. */
  | 'UNDERLAY_USAGE'
  /** `external_ids:neutron-config` is missing, or what it names lacks something. */
  | 'UNDERLAY_CONFIG'
  /** The node has another logical switch, or Neutron an object of somebody else in the place of ours. */
  | 'UNDERLAY_TAKEN'
  | 'UNDERLAY_NOT_SET_UP'
  /** The ports of pods cannot be put behind the port of this machine. */
  | 'UNDERLAY_NO_NESTING'
  /** Pods still have ports of the switch. */
  | 'UNDERLAY_IN_USE'
  /** What is kept in Open vSwitch cannot be read. */
  | 'UNDERLAY_CACHE'
  | 'UNDERLAY_NO_PORT'
  | 'UNDERLAY_BUSY'
  | 'UNDERLAY_NODE'

/** An error with a stable code: `message` is the cause, `remedy` what to do. */
export class UnderlayError extends CodedError<UnderlayErrorCode> {
  override readonly name = 'UnderlayError'
}
