/** Codes of the errors the flow language gives. Stable: they are API. */
export type FlowErrorCode =
  | 'FLOW_FIELD_UNKNOWN'
  | 'FLOW_VALUE_INVALID'
  | 'FLOW_MASK_REFUSED'
  | 'FLOW_MATCH_CONFLICT'
  | 'FLOW_PREREQUISITE_MISSING'
  | 'FLOW_ACTION_INVALID'

/** A flow, group or value that cannot be expressed: `message` is the cause, `remedy` what to do. */
export class FlowError extends Error {
  override readonly name = 'FlowError'
  readonly code: FlowErrorCode
  readonly remedy: string

  constructor(code: FlowErrorCode, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}
