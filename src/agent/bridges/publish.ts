/**
 * Tells the cluster which bridges a node has: as soon as Open vSwitch's database says so, and from time to time, because a
 * kubelet that starts anew forgets what others counted.
 * @module
 */
import { bridgeResource } from '../../compat/ovs-cni/resources.ts'
import type { AgentLog } from '../log.ts'
import { podBridges } from '../plugins/ovs/bridges.ts'
import type { UnderlayTables } from '../plugins/ovs/tables.ts'
import { Repeater } from '../repeater.ts'
import type { NodeResources } from './node-resources.ts'

/** How often they are looked at when nothing happens, in milliseconds: ten minutes, and a bit more each time. */
const INTERVAL_MS = 600_000

/** What publishing works with. */
export interface PublishParts {
  readonly tables: Pick<UnderlayTables, 'rows' | 'subscribe'>
  readonly resources: NodeResources
  /** Hears how each look ended: without an error, or with one. */
  readonly published: (failure?: { readonly error: unknown }) => void
  readonly log: Pick<AgentLog, 'info'>
  readonly signal: AbortSignal
  /** From 0 up to 1, so that nodes do not all come at once. */
  random(): number
}

/** Publishes bridges until disposed; what is published stays. */
export function publishBridges({ tables, resources, published, log, signal, random }: PublishParts): Disposable {
  let isRefused = false
  const repeater = new Repeater(
    async () => {
      try {
        await resources.set(new Set(podBridges(tables).flatMap((name) => bridgeResource(name) ?? [])), signal)
        published()
      } catch (error) {
        // Where there is no admission policy agents may not write to nodes at all, and nobody allows it a moment later.
        if (!isForbidden(error)) throw error
        if (!isRefused) log.info({ err: error }, "the node's bridges are not counted as its resources")
        isRefused = true
      }
    },
    (error) => published({ error }),
    signal,
  )
  const undo = tables.subscribe((changes) => {
    const matters = changes.some(
      (change) => change.table === 'Open_vSwitch' || (change.table === 'Bridge' && change.type !== 'modify'),
    )
    if (matters) repeater.request()
  })
  const timer = setInterval(() => repeater.request(), INTERVAL_MS * (1 + random()))
  repeater.request()
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer)
      undo()
    },
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'KUBE_FORBIDDEN'
}
