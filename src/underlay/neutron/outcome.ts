/**
 * Calls whose answer was lost: what they were to make is looked for before it is asked for again.
 * @module
 */
import { OpenStackError, type OpenStackErrorCode } from '../../openstack/errors.ts'

/** What is found, else what is made, else what is found then. Throws what making it threw. */
export async function foundOrMade<T>(find: () => Promise<T | undefined>, make: () => Promise<T>): Promise<T> {
  const found = await find()
  if (found !== undefined) return found
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof OpenStackError && error.isUncertain)) throw error
    const after = await find()
    if (after === undefined) throw error
    return after
  }
}

/** Whether it is a refusal of one of these kinds. */
export function isRefusal(error: unknown, ...codes: readonly OpenStackErrorCode[]): error is OpenStackError {
  return error instanceof OpenStackError && codes.includes(error.code)
}
