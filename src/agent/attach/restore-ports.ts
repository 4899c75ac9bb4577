/**
 * Ports of standing pods that somebody else removed.
 * @module
 */
import type { AgentLog } from '../log.ts'
import type { Attachments } from './attachments.ts'
import type { EndpointLinks } from './endpoint-links.ts'
import type { Lease } from './lease.ts'
import type { Ports } from './ports.ts'

/** What putting ports back works with. */
export interface RestoreParts {
  readonly ports: Ports
  readonly links: Pick<EndpointLinks, 'facts'>
  readonly attachments: Pick<Attachments, 'whenIdle'>
  readonly log: Pick<AgentLog, 'warn'>
  readonly signal: AbortSignal
}

/** Puts them back while their pods stand. A pod that goes meanwhile has to wait: its port would outlive it. */
export async function restorePorts({ ports, links, attachments, log, signal }: RestoreParts): Promise<void> {
  const standing = new Set(links.facts().flatMap(({ name, doomed }) => (doomed ? [] : [name])))
  const restore = async (lease: Lease): Promise<void> => {
    if (!standing.has(lease.link)) return ports.forget(lease)
    log.warn({ link: lease.link, pod: lease.endpoint.pod }, 'somebody removed a port; putting it back')
    await ports.add(lease, signal)
  }
  await Promise.all(ports.lost().map((lease) => attachments.whenIdle(lease.endpoint.id, () => restore(lease))))
}
