/**
 * The ways in which taking part in a flannel mesh fails.
 * @module
 */
import { CodedError } from '../../text/coded-error.ts'

/** The code of a failure. */
export type FlannelErrorCode =
  /** The network configuration, or a flag, cannot be followed. */
  | 'FLANNEL_CONFIG'
  /** Every subnet of the network is taken. */
  | 'FLANNEL_FULL'
  /** This machine's lease is not its own any more. */
  | 'FLANNEL_REVOKED'
  /** This machine has no link or address that fits. */
  | 'FLANNEL_INTERFACE'
  /** Something on this machine is in the way. */
  | 'FLANNEL_HOST'
  /** Another program of ours is at work on this machine. */
  | 'FLANNEL_BUSY'
  /** What Kubernetes says of this node is not enough. */
  | 'FLANNEL_NODE'

/** A failure: the message is the cause, the remedy what to do. */
export class FlannelError extends CodedError<FlannelErrorCode> {
  override readonly name = 'FlannelError'
}

/** A configuration that cannot be followed. */
export function configFault(message: string, remedy: string): FlannelError {
  return new FlannelError('FLANNEL_CONFIG', message, remedy)
}

/** Somebody's text as it may stand in a message. */
export function quoted(text: unknown): string {
  const json = JSON.stringify(text) ?? String(text)
  return json.length > 100 ? `${json.slice(0, 100)}…` : json
}
