/**
 * Probes one run of a container until told to stop.
 * @module
 */
import { sleep } from '../../../registry/backoff.ts'
import { NO_PROBES } from '../pod/facts.ts'
import { afterAnswer, type Probe, type ProbeKind, type ProbeState } from '../pod/probe.ts'
import { type Asked, ask } from './ask.ts'

/** How a run is probed. */
export interface ProberOptions {
  readonly asked: Asked
  readonly now: () => number
  /** Called when a verdict changed. */
  readonly onVerdict: () => void
  /** Called for every failure. */
  readonly onFailure: (kind: ProbeKind, message: string) => void
  /** What the last kubelet found out about this very run. */
  readonly known: Partial<Record<ProbeKind, ProbeState>>
}

/** A run being probed. */
export interface Prober {
  readonly states: Readonly<Record<ProbeKind, ProbeState>>
  stop(): void
}

/** Starts probing. Liveness and readiness wait until a startup probe has passed. */
export function startProber(options: ProberOptions): Prober {
  const states: Record<ProbeKind, ProbeState> = { ...NO_PROBES, ...options.known }
  const stopping = new AbortController()
  const { startup, liveness, readiness } = options.asked.container
  const others = (): void => {
    if (liveness !== undefined) void repeat(options, states, 'liveness', liveness, stopping.signal)
    if (readiness !== undefined) void repeat(options, states, 'readiness', readiness, stopping.signal)
  }
  if (startup === undefined || states.startup.verdict === 'passed') others()
  else void repeat(options, states, 'startup', startup, stopping.signal).then(others)
  return { states, stop: () => stopping.abort() }
}

async function repeat(
  { asked, now, onVerdict, onFailure }: ProberOptions,
  states: Record<ProbeKind, ProbeState>,
  kind: ProbeKind,
  probe: Probe,
  signal: AbortSignal,
): Promise<void> {
  await sleep(Math.max(0, asked.run.startedAt + probe.delay - now()), signal)
  while (!signal.aborted) {
    const { success, message } = await ask(asked, probe.action, probe.timeout)
    if (signal.aborted) return
    const before = states[kind].verdict
    states[kind] = afterAnswer(states[kind], success, probe)
    if (!success) onFailure(kind, message)
    if (states[kind].verdict !== before) onVerdict()
    if (kind === 'startup' && states[kind].verdict !== 'unknown') return
    await sleep(probe.period, signal)
  }
}
