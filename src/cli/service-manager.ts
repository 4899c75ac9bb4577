/**
 * What a daemon lets its service manager know (systemd's `Type=notify`): that it serves, what it waits for, that it lives.
 * @module
 */
import type { AgentState } from '../agent/surroundings.ts'
import { type ServiceManager, serviceManager } from '../linux/sd-notify.ts'

/** Where problems with the manager go; pino's loggers are such. */
export interface ServiceLog {
  warn(fields: object, message: string): void
}

/** The manager that started this program. Undefined where there is none, as on a terminal. */
export function managerOfThis(log: ServiceLog): ServiceManager | undefined {
  return serviceManager(process.env, process.pid, (err) => log.warn({ err }, 'cannot tell the service manager'))
}

/**
 * Tells of an agent whenever it is given its state: once that it serves, what it waits for when that changed, and that it
 * lives as often as the manager wants to hear it. No sign of life without the switch: an agent that has lost it for
 * longer than the manager's patience is started anew.
 * @param now milliseconds of a clock that only goes forward
 */
export function agentTeller(manager: ServiceManager, now: () => number): (state: AgentState) => void {
  let served = false
  let said: string | undefined
  let lastSign = Number.NEGATIVE_INFINITY
  return ({ waitingFor, hasSwitch }) => {
    const serves = waitingFor.length === 0
    const text = serves ? 'attaching pods' : `waiting for ${waitingFor.join('; ')}`
    if (text !== said) manager.status(text)
    said = text
    if (serves && !served) manager.ready()
    served ||= serves
    if (!hasSwitch || manager.watchdogMs === undefined || now() - lastSign < manager.watchdogMs) return
    lastSign = now()
    manager.alive()
  }
}

/** Signs of life for as long as the event loop turns. */
export function signsOfLife(manager: ServiceManager): Disposable {
  const timer = manager.watchdogMs === undefined ? undefined : setInterval(() => manager.alive(), manager.watchdogMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Tells the manager when the daemon begins to end. */
export function tellOfEnd(manager: ServiceManager, signal: AbortSignal): void {
  const tell = (): void => {
    manager.status('ending')
    manager.stopping()
  }
  if (signal.aborted) tell()
  else signal.addEventListener('abort', tell, { once: true })
}
