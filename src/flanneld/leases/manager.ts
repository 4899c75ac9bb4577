/**
 * Where leases are kept: what the daemon needs of etcd and of Kubernetes alike.
 * @module
 */
import type { Memory } from '../../compat/flannel/choice.ts'
import type { NetworkConfig } from '../../compat/flannel/config.ts'
import type { Lease, LeaseAttributes } from '../../compat/flannel/lease.ts'

/** What a machine asks for. */
export interface LeaseWish {
  readonly config: NetworkConfig
  readonly attributes: LeaseAttributes
  readonly memory: Memory | undefined
}

/** Where problems go. */
export interface FlannelLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A machine's lease, and what becomes of it and of others'. */
export interface HeldLease {
  readonly lease: Lease
  /** Everybody else's. Called once at first, and whenever they change. */
  follow(onLeases: (leases: readonly Lease[]) => void): void
  /** Rejects with FLANNEL_REVOKED when it is not this machine's any more; resolves when `signal` aborts. */
  readonly lost: Promise<void>
  /** Tells whoever watches the cluster that this machine's network works. */
  ready(): Promise<void>
}

/** Where leases are kept. Every call waits until it has an answer, and tells what is in the way. */
export interface LeaseManager {
  config(signal: AbortSignal): Promise<NetworkConfig>
  /** At which addresses an administrator would have this machine reached, as far as that is said where leases are. */
  wished(signal: AbortSignal): Promise<Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>>
  /**
   * What is stored of this machine's own lease from the time before, as far as it has one: its back end's data outlives
   * devices.
   */
  stored(
    own: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
    signal: AbortSignal,
  ): Promise<LeaseAttributes | undefined>
  /** Takes a lease and keeps it until `signal` aborts. Throws FLANNEL_FULL, FLANNEL_NODE. */
  take(wish: LeaseWish, signal: AbortSignal): Promise<HeldLease>
  close(): void
}

/** The next number of milliseconds after a failure that is worth repeating. */
export const RETRY_MS = 1000
