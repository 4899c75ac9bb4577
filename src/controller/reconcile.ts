/**
 * Does everything there is to do, once: for whoever wants the controller's decisions without its daemon.
 * @module
 */
import type { VniPool } from '../ipam/vni.ts'
import type { Registry } from '../registry/registry.ts'
import { perform } from './perform.ts'
import { ControllerState, INPUTS, type Input } from './state.ts'
import type { Write } from './write.ts'

/** What was done. */
export interface PassResult {
  readonly written: readonly Write[]
  /** Writes that somebody else's write made wrong; they were decided anew. */
  readonly overtaken: readonly Write[]
}

/** As often as one write may be overtaken. */
const MOST_TRIES = 10_000

/** Writes until nothing is left to do. Throws a RegistryError when the registry cannot be read or written. */
export async function reconcile(registry: Registry, random: () => number, pool?: VniPool): Promise<PassResult> {
  const state = new ControllerState(random, pool)
  for (const kind of INPUTS) await read(registry, state, kind)
  const written: Write[] = []
  const overtaken: Write[] = []
  for (let write = state.next(); write !== undefined && overtaken.length < MOST_TRIES; write = state.next()) {
    const end = await perform(registry, state, write)
    if (end.is === 'failed') throw end.error
    if (end.is === 'hidden') state.unreadable(write, 'something else has its name')
    ;(end.is === 'made' ? written : overtaken).push(write)
    if (end.is === 'overtaken') state.retry(write)
  }
  return { written, overtaken }
}

/** Reads a kind into the state. */
async function read<K extends Input>(registry: Registry, state: ControllerState, kind: K): Promise<void> {
  state.listed(kind, await registry.list(kind))
}
