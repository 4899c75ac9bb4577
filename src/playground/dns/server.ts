/**
 * A DNS server inside a network namespace.
 * @module
 */
import { respond } from './respond.ts'
import { type DnsSockets, KERNEL_SOCKETS, type Listener, type Respond } from './sockets.ts'
import type { ClusterZone } from './zone.ts'

/** Where a server listens. */
export interface DnsServerOptions {
  readonly zone: ClusterZone
  /** The namespace's path. */
  readonly netns: string
  /** Each gets sockets of its own: an answer comes from where the question went. Absent: all of the namespace. */
  readonly addresses?: readonly string[]
  /** 53 when absent. */
  readonly port?: number
  readonly sockets?: DnsSockets
  /** An answer that could not be made: a defect of ours. The asker gets none. */
  readonly onError?: (error: unknown) => void
}

/** Serves by UDP and TCP until closed. Throws when it cannot listen at one of the addresses. */
export function serveDns(options: DnsServerOptions): Listener {
  const { zone, netns, port = 53, sockets = KERNEL_SOCKETS, onError } = options
  const addresses = options.addresses ?? sockets.addresses(netns)
  const safely: Respond = (question, transport) => {
    try {
      return respond(zone, question, transport)
    } catch (error) {
      onError?.(error)
      return undefined
    }
  }
  const listeners: Listener[] = []
  const close = (): void => {
    for (const one of listeners.splice(0)) one.close()
  }
  try {
    for (const address of addresses) {
      listeners.push(sockets.udp(netns, address, port, safely))
      listeners.push(sockets.tcp(netns, address, port, safely))
    }
  } catch (error) {
    close()
    throw error
  }
  return { close }
}
