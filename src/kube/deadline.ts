/**
 * How long a call may take.
 * @module
 */
export { Deadline } from '../registry/deadline.ts'
