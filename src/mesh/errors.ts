/**
 * What can be wrong with a mesh that is asked for, or with the machine that it is to be made on.
 * @module
 */
import { CodedError } from '../text/coded-error.ts'

/** Stable codes. */
export type MeshErrorCode =
  /** The list of machines, or a way, makes no sense. */
  | 'MESH_CONFIG'
  /** None of this machine's addresses is in the list. */
  | 'MESH_NOT_A_HOST'
  /** Somebody else has a bridge, a port or a link of that name. */
  | 'MESH_NOT_OURS'
  /** The bridge that containers are on is not there, or is none. */
  | 'MESH_ATTACH'
  /** A daemon keeps the mesh, or a command is at work. */
  | 'MESH_BUSY'
  /** There is no mesh on this machine. */
  | 'MESH_NONE'

/** An error with a stable code: `message` is the cause, `remedy` what to do. */
export class MeshError extends CodedError<MeshErrorCode> {
  override readonly name = 'MeshError'
}
