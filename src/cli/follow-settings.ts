/**
 * A daemon's settings file while it runs: what counts at once is applied, of the rest is told when it counts.
 * @module
 */
import type { Logger } from 'pino'
import { sleep } from '../registry/backoff.ts'
import { type SettingChange, settingChanges } from '../settings/changes.ts'
import { loadSettings } from '../settings/load.ts'
import type { Program, Setting } from '../settings/setting.ts'
import { SETTINGS, type Settings } from '../settings/table.ts'

/** What is followed. */
export interface FollowOptions {
  readonly program: Program
  readonly file: string
  readonly settings: Settings
  readonly log: Pick<Logger, 'level' | 'info' | 'warn'>
  readonly signal: AbortSignal
  /** Milliseconds between two looks: a folder that Kubernetes mounts changes by itself once a minute. */
  readonly interval?: number
}

const INTERVAL_MS = 10_000

/** Looks at the file until `signal` aborts. One that cannot be read or makes no sense changes nothing. Never rejects. */
export async function followSettings(options: FollowOptions): Promise<void> {
  const { program, file, log, signal, interval = INTERVAL_MS } = options
  let before = options.settings
  let told = ''
  while (!signal.aborted) {
    await sleep(interval, signal)
    try {
      const after = loadSettings(file)
      for (const change of settingChanges(program, before, after)) apply(change, log)
      before = after
      told = ''
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      if (text !== told) log.warn({}, `settings stay as they are: ${text}`)
      told = text
    }
  }
}

const WHEN = { restart: 'when the program starts anew', once: 'for a new cluster: see the ClusterNetwork' } as const

function apply({ key, value, applied }: SettingChange, log: FollowOptions['log']): void {
  if (applied !== 'live') {
    log.info({ key, value }, `${key} was changed; that counts ${WHEN[applied]}`)
    return
  }
  // The one that is live so far; the environment wins, as at the start.
  const { default: usual }: Setting = SETTINGS[key]
  if (key === 'log.level' && process.env['WEFT_LOG_LEVEL'] === undefined) log.level = String(value ?? usual)
  log.info({ key, value }, `${key} was changed`)
}
