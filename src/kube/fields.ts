/**
 * Objects as JSON and YAML have them, before anybody knows what they are.
 * @module
 */

/** An object whose fields may be anything. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether something is an object, and no list. */
export function isFields(input: unknown): input is Fields {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}
