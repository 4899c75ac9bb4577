/**
 * Keeps pods' ports on others' bridges: what somebody removes while its pod stands is put back, and what is left of pods that
 * are gone is removed. Only ports of ours are looked at, and none that an operation is under way for.
 * @module
 */
import { endpointId } from '../../../network/model/endpoint.ts'
import type { OneAtATime } from '../../attach/one-at-a-time.ts'
import type { AgentLog } from '../../log.ts'
import { Repeater } from '../../repeater.ts'
import type { PodLinks } from './pod-link.ts'
import type { FoundPort, UnderlayPorts } from './ports.ts'

/** Changes are looked at together, after this many milliseconds. */
const SETTLE_MS = 100

/** What keeping works with. */
export interface KeeperParts {
  readonly ports: UnderlayPorts
  readonly links: Pick<PodLinks, 'nodeEnd' | 'raise'>
  readonly operations: Pick<OneAtATime, 'whenIdle'>
  readonly log: Pick<AgentLog, 'warn' | 'info'>
  /** Hears what a look ended with: nothing, or the error that has it repeated. */
  readonly looked?: (failure?: { readonly error: unknown }) => void
  readonly signal: AbortSignal
}

/** Looks after them from now on, and at every change of theirs in Open vSwitch's database, until disposed. */
export function keepPorts(parts: KeeperParts): Disposable {
  const { ports, looked, signal } = parts
  let settling: ReturnType<typeof setTimeout> | undefined
  const repeater = new Repeater(
    async () => {
      await lookAtPorts(parts)
      looked?.()
    },
    (error) => looked?.({ error }),
    signal,
  )
  const unsubscribe = ports.tables.subscribe((changes) => {
    const matters = changes.some(
      (change) =>
        // A bridge may have become ours to guard.
        change.table === 'Port' || change.table === 'Bridge' || hasFailed(change),
    )
    if (!matters) return
    settling ??= setTimeout(() => {
      settling = undefined
      repeater.request()
    }, SETTLE_MS)
  })
  repeater.request()
  return {
    [Symbol.dispose]: () => {
      clearTimeout(settling)
      unsubscribe()
    },
  }
}

/** Looks once: removes what is left of pods that are gone, then puts back what is missing of those that stand. */
export async function lookAtPorts({ ports, links, operations, log, signal }: KeeperParts): Promise<void> {
  if (!ports.connected) return
  const whenIdle = (port: FoundPort, work: () => Promise<void>): Promise<void> =>
    operations.whenIdle(endpointId(port.record.containerId, port.record.ifname), work)
  await Promise.all(
    ports
      .all()
      .filter(({ link }) => links.nodeEnd(link) === undefined)
      .map((port) =>
        whenIdle(port, async () => {
          log.info({ link: port.link, pod: port.record.pod }, 'removing the port of a pod that is gone')
          await ports.remove([port])
        }),
      ),
  )
  await Promise.all(
    ports.lost().map((port) =>
      whenIdle(port, async () => {
        if (links.nodeEnd(port.link) === undefined) return ports.forget(port.link)
        // With its bridge gone there is nothing to put it on; a new bridge of the name is a change.
        if (ports.tables.byName('Bridge', port.bridge) === undefined) return
        log.warn(
          { link: port.link, bridge: port.bridge, pod: port.record.pod },
          'somebody removed a port; putting it back',
        )
        await ports.add(port, signal)
        links.raise(port.link)
      }),
    ),
  )
}

type Changes = Parameters<Parameters<UnderlayPorts['tables']['subscribe']>[0]>[0]

/** Of a port whose link went away ovs-vswitchd says that it cannot open it, or that it is down. */
function hasFailed(change: Changes[number]): boolean {
  if (change.table !== 'Interface' || change.type !== 'modify') return false
  const { error, link_state: carrier } = change.row
  return error !== undefined || carrier !== 'up'
}
