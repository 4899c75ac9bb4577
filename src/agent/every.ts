/**
 * A job that is done again and again until it is disposed of.
 * @module
 */

/** Does it first after so many milliseconds. */
export function every(milliseconds: number, job: () => void): Disposable {
  const timer = setInterval(job, milliseconds)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
