/**
 * What the agent needs of a log: levels, and an object of fields before the text.
 * @module
 */
import type { Logger } from 'pino'

/** A log with levels; secrets and packets' contents never go into it. */
export type AgentLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
