/**
 * Changes to what others change too: read, work out, write on the revision that was read; from the start again where somebody
 * was faster.
 * @module
 */
import { Backoff, sleep } from '../../registry/backoff.ts'
import { OpenStackError } from '../errors.ts'
import type { Port, PortChange } from './model.ts'
import type { Ports } from './ports.ts'

/** How it is done. */
export interface OnRevision<T, C> {
  readonly read: () => Promise<T>
  /** What to change about it; undefined where it is as it should be. Called anew after each reading. */
  readonly change: (current: T) => C | undefined
  /** Fails with `OPENSTACK_REVISION` where it is not what was read. */
  readonly write: (current: T, change: C) => Promise<T>
  readonly tries?: number
  readonly random?: () => number
  readonly signal?: AbortSignal
}

const TRIES = 8

/** The object as it stands after the change. Throws `OPENSTACK_REVISION` when others were faster every time. */
export async function onRevision<T, C>(how: OnRevision<T, C>): Promise<T> {
  const { read, change, write, tries = TRIES, random = Math.random, signal = new AbortController().signal } = how
  const backoff = new Backoff(random, { first: 50, most: 2_000 })
  for (let attempt = 1; ; attempt += 1) {
    const current = await read()
    const wanted = change(current)
    if (wanted === undefined) return current
    try {
      return await write(current, wanted)
    } catch (error) {
      const isOvertaken = error instanceof OpenStackError && error.code === 'OPENSTACK_REVISION'
      if (!isOvertaken || attempt >= tries || signal.aborted) throw error
      await sleep(backoff.next(), signal)
    }
  }
}

/**
 * Changes a port that others change too, such as a machine's. A cloud that counts no revisions is written to without: there
 * the last one wins, as ever.
 */
export function changePort(
  ports: Pick<Ports, 'get' | 'update'>,
  id: string,
  change: (port: Port) => PortChange | undefined,
  signal?: AbortSignal,
): Promise<Port> {
  return onRevision<Port, PortChange>({
    read: () => ports.get(id, signal),
    change,
    write: (port, wanted) => ports.update(id, wanted, port.revision, signal),
    ...(signal === undefined ? {} : { signal }),
  })
}
