/**
 * Passwords, application credentials' secrets, keys and tokens: whoever prints one prints that it is one.
 * @module
 */

/** What stands where a secret would be printed. */
export const HIDDEN = '[secret]'

/** A text that no log, error, JSON or debugger shows by accident. `reveal` is the one way to it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the wire. */
  reveal(): string {
    return this.#text
  }

  /** Whether somebody else's text holds it, so that it is not repeated. */
  isIn(text: string): boolean {
    return this.#text !== '' && text.includes(this.#text)
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN
  }
}
