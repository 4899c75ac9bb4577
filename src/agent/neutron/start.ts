/**
 * A node's ports of Neutron's, wired: what is read of them, and what is told.
 * @module
 */
import { reflect } from '../../registry/reflector.ts'
import type { Registry } from '../../registry/registry.ts'
import type { PodNotices } from '../notices.ts'
import type { Problems } from '../problems.ts'
import { LocalPorts } from './local-ports.ts'
import { type BookFiles, PortBook } from './port-book.ts'
import { PortUseWriter } from './port-use-writer.ts'

/** What they need of the agent. Times are in milliseconds. */
export interface NeutronStart {
  readonly node: string
  readonly stateDir: string
  readonly registry: Pick<Registry, 'get' | 'list' | 'watch' | 'create' | 'update'>
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly notices: Pick<PodNotices, 'tell'>
  readonly signal: AbortSignal
  /** A host without pods: it reads nothing of ports, and has none to give. */
  readonly isExternal?: boolean
  readonly files?: BookFiles
  readonly restMs?: number
  readonly coldMs?: number
  readonly gapMs?: number
}

/** A node's ports, under way. */
export interface NodeNeutron extends Disposable {
  readonly ports: LocalPorts
}

/** Follows this node's NodePorts and writes its PortUse, those alone, until `signal` aborts. */
export function startNeutron(start: NeutronStart): NodeNeutron {
  const { node, registry, problems, notices, signal, gapMs } = start
  const book = new PortBook(start.stateDir, start.files)
  // What is wrong with ports outweighs that somebody cannot be told.
  let trouble: string | undefined
  let untold: unknown
  const tell = (): void => {
    const problem = trouble === undefined ? untold : new Error(trouble)
    if (problem === undefined) problems.solved('neutron')
    else problems.failed('neutron', problem)
  }
  const writer: PortUseWriter = new PortUseWriter({
    node,
    registry,
    use: () => ports.use(),
    promised: (ids) => ports.promise(ids),
    failed: (error) => {
      untold = error
      tell()
    },
    solved: () => {
      untold = undefined
      tell()
    },
    signal,
    ...(gapMs === undefined ? {} : { gapMs }),
  })
  const { restMs, coldMs } = start
  const ports: LocalPorts = new LocalPorts({
    node,
    book,
    now: Date.now,
    notices,
    changed: (isUrgent) => writer.changed(isUrgent),
    problem: (text) => {
      trouble = text
      tell()
    },
    ...(restMs === undefined ? {} : { restMs }),
    ...(coldMs === undefined ? {} : { coldMs }),
  })
  if (start.isExternal === true) return { ports, [Symbol.dispose]: () => ports[Symbol.dispose]() }
  const { done } = reflect(registry as Registry, 'NodePorts', {
    name: node,
    signal,
    onChange: (change) => ports.put(change.type === 'put' ? change.object.value : undefined),
    onSynced: () => ports.read(),
    onError: (error) => problems.failed('networks', error),
    onRecovered: () => problems.solved('networks'),
  })
  // Only a defect of ours rejects: better to end than to run on with what no longer follows.
  done.catch((error: unknown) => {
    throw error
  })
  return { ports, [Symbol.dispose]: () => ports[Symbol.dispose]() }
}
