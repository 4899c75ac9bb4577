/**
 * BIRD as a whole.
 * @module
 */
import { ask, type ControlSocket } from './control.ts'
import type { Reply } from './reply.ts'

/** What BIRD says of itself. Times are as it writes them, in the machine's own zone: `2026-03-01 12:00:00`. */
export interface BirdStatus {
  readonly version: string
  readonly routerId: string
  readonly now: string
  readonly startedAt: string
  readonly configuredAt: string
  /** It was restarted and still waits for its peers before it forgets what they told it before. */
  readonly isRecovering: boolean
  /** Its own last sentence: `Daemon is up and running`. */
  readonly state: string
}

/** What BIRD says of itself. */
export async function birdStatus(control: ControlSocket): Promise<BirdStatus> {
  return readStatus(await ask(control, 'show status'))
}

/** The status in an answer to `show status`. What is not said is empty. */
export function readStatus({ lines, last }: Reply): BirdStatus {
  const texts = lines.map(({ text }) => text)
  const said = (start: string): string =>
    texts
      .find((text) => text.startsWith(start))
      ?.slice(start.length)
      .trim() ?? ''
  return {
    version: said('BIRD '),
    routerId: said('Router ID is '),
    now: said('Current server time is '),
    startedAt: said('Last reboot on '),
    configuredAt: said('Last reconfiguration on '),
    isRecovering: texts.some((text) => /graceful restart recovery in progress/i.test(text)),
    state: last.text,
  }
}
