/**
 * Where daemons say what they do: one JSON object per line on standard error.
 * @module
 */
import { type Logger, pino } from 'pino'

/** A daemon's log. Level from WEFT_LOG_LEVEL, `info` when unset. */
export function daemonLog(name: string): Logger {
  const level = process.env['WEFT_LOG_LEVEL'] ?? 'info'
  const known = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].includes(level)
  // Written at once: a daemon that is killed has said everything it knew.
  return pino(
    { name, level: known ? level : 'info', base: { pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  )
}
