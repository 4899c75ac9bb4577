/**
 * The shape of errors that are told to people and programs.
 * @module
 */

/** An error with a stable code: `message` is the cause, `remedy` what to do. Each room has a kind of its own, with its codes. */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code
  readonly remedy: string

  constructor(code: Code, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.remedy = remedy
  }
}
