/**
 * Who makes the bridge again when the machine starts.
 * @module
 */
import type { Step, UplinkFacts } from '../model.ts'
import { NOT_PERSISTENT, type Persistence } from '../plan.ts'
import type { Wish } from '../wish.ts'

/** What `--persist` takes. */
export const PERSIST_CHOICES = ['auto', 'netplan', 'networkmanager', 'networkd', 'none'] as const
export type PersistChoice = (typeof PERSIST_CHOICES)[number]

/** A persistent form with what has to be told besides. */
export interface Persisting extends Persistence {
  /** Steps that hand DNS over. */
  readonly steps: readonly Step[]
  readonly notes: readonly string[]
}

export function persistenceFor(_: {
  readonly wish: Wish
  readonly uplink: UplinkFacts
  readonly token: string
  readonly persist: PersistChoice
  readonly root: string
}): Persisting {
  return { ...NOT_PERSISTENT, steps: [], notes: [] }
}

export function persistedFor(_: {
  readonly bridge: string
  readonly uplink: string
  readonly manager: string | undefined
  readonly root: string
}): Persistence & { readonly steps: readonly Step[] } {
  return { ...NOT_PERSISTENT, steps: [] }
}
