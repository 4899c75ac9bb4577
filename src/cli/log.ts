/**
 * Where daemons say what they do: one JSON object per line on standard error.
 * @module
 */
import { type Logger, pino } from 'pino'

/** A daemon's log. Level from WEFT_LOG_LEVEL, else the one that its settings say, else `info`. */
export function daemonLog(name: string, set?: string): Logger {
  const level = process.env['WEFT_LOG_LEVEL'] ?? set ?? 'info'
  const known = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].includes(level)
  // Written at once: a daemon that is killed has said everything it knew.
  return pino(
    { name, level: known ? level : 'info', base: { pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  )
}
