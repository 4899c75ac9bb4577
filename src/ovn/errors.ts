/**
 * What can go wrong between us and the northbound database, with what to do.
 * @module
 */
import { CodedError } from '../text/coded-error.ts'

/** Stable codes: part of the API. */
export type OvnErrorCode =
  | 'OVN_BAD_REQUEST'
  | 'OVN_NAME_TAKEN'
  | 'OVN_AMBIGUOUS'
  | 'OVN_NO_SWITCH'
  | 'OVN_NO_ROUTER'
  | 'OVN_NO_PARENT'
  | 'OVN_TAG_TAKEN'
  | 'OVN_ELSEWHERE'
  | 'OVN_IN_USE'
  | 'OVN_NEUTRONS_ROUTER'
  | 'OVN_NOT_FOLLOWED'
  | 'OVN_NOT_UP'
  | 'OVN_CONTENDED'
  | 'OVN_UNREACHABLE'
  | 'OVN_REFUSED'

/** Every failure of this room but OVSDB's own while connecting. Nothing of what the call was to do is half done. */
export class OvnError extends CodedError<OvnErrorCode> {
  override readonly name = 'OvnError'
}

/** True for an OvnError, optionally of one code. */
export function isOvnError(error: unknown, code?: OvnErrorCode): error is OvnError {
  return error instanceof OvnError && (code === undefined || error.code === code)
}

/** The name of a row of which there may be only one, and which is not ours. */
export function nameTaken(table: string, name: string): OvnError {
  return new OvnError(
    'OVN_NAME_TAKEN',
    `${table} ${name} is there already, and is not of this cluster`,
    'choose another name, or remove that row if nobody needs it; what is of others is not touched',
  )
}

/** Several rows bear a name that is to mean one. */
export function ambiguous(table: string, name: string, count: number): OvnError {
  return new OvnError(
    'OVN_AMBIGUOUS',
    `${count} rows of ${table} are named ${name}`,
    'rename or remove all but one of them (ovn-nbctl list shows their UUIDs)',
  )
}
