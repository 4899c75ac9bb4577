/**
 * The networks of a node's pods, wired: what is read of the cluster for them, and the plugins that make them.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import type { Grants } from '../../network/model/grants.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attachments } from '../attach/attachments.ts'
import { reflectKind } from '../cluster/reflection.ts'
import type { PodWatcher } from '../cluster/watcher.ts'
import type { AgentLog } from '../log.ts'
import type { PodNotices } from '../notices.ts'
import { type AgentOptions, ATTACHMENT_DEFAULTS } from '../options.ts'
import { overlayPlugin } from '../plugins/overlay.ts'
import { pluginsFrom } from '../plugins/plugins.ts'
import type { Problems } from '../problems.ts'
import { Definitions } from './definitions.ts'
import { LocalPods } from './local-pods.ts'
import { Networks } from './networks.ts'
import { Records } from './records.ts'
import { type AnnotatePod, StatusWriter } from './status-writer.ts'

/** What networks need of the agent. */
export interface NetworksStart {
  readonly options: AgentOptions
  readonly registry: Registry
  readonly overlay: Attachments
  readonly notices: PodNotices
  readonly annotate?: AnnotatePod
  readonly problems: Problems
  readonly log: AgentLog
  readonly signal: AbortSignal
}

/** Networks under way. */
export interface RunningNetworks extends Disposable {
  readonly networks: Networks
  /** Is to be told of pods. */
  readonly pods: PodWatcher
}

/** Starts serving pods' networks. Pods that ask for nothing but the overlay wait for nothing of it. */
export function startNetworks(start: NetworksStart): RunningNetworks {
  const { options, registry, overlay, notices, annotate, problems, signal } = start
  const attachments = options.attachments ?? ATTACHMENT_DEFAULTS
  const pods = new LocalPods(options.node, registry)
  const definitions = new Definitions(registry)
  const records = new Records(options.stateDir)
  const status = new StatusWriter(annotate, notices, (error) => problems.failed('networks', error))
  const plugins = pluginsFrom({
    plugins: new Map([['weft', overlayPlugin(overlay)]]),
    ipam: new Map(),
    program: (type) => {
      throw cniError('unsupported-field', { key: 'type', value: type })
    },
  })
  const networks = new Networks({
    overlay,
    plugins,
    records,
    pods,
    resolving: { definitions, grants: grantsOf(attachments), defaults: attachments },
    notices,
    status,
    problems,
    signal,
  })
  if (options.external !== true) reflectKind(registry, 'AttachmentDefinition', definitions, problems, signal)
  for (const record of records.values()) if (record.isLeaving !== true) status.write(record)
  return { networks, pods, [Symbol.dispose]: () => networks[Symbol.dispose]() }
}

function grantsOf({ trustedNamespaces, types, bridges }: typeof ATTACHMENT_DEFAULTS): Grants {
  return { trustedNamespaces: new Set(trustedNamespaces), types: new Set(types), bridges }
}
