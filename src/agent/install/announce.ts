/**
 * Tells the container runtime that there is a network, and whoever asks for host ports whether anybody publishes them.
 * @module
 */
import { join } from 'node:path'
import { AgentError } from '../errors.ts'
import type { HostPorts } from '../host-ports.ts'
import type { AgentLog } from '../log.ts'
import { AGENT_DEFAULTS, type AgentOptions } from '../options.ts'
import type { Problems } from '../problems.ts'
import { type CniConfigPlace, giveCniConfig, isList, publishesHostPorts } from './cni-config.ts'
import { DEFAULT_BIN_DIR, findPortmap, type Portmap } from './portmap.ts'

/** Whom telling the runtime concerns. */
export interface AnnouncementParts {
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly hostPorts: Pick<HostPorts, 'serve'>
  readonly log: AgentLog
}

/** What of the options says where the runtime looks. */
export type RuntimePlaces = Pick<AgentOptions, 'cniBinDir' | 'cniConfigDir' | 'cniConfigName' | 'runDir'>

/** Where the runtime's configuration is; undefined where the agent is not to write it. */
export function cniConfigPlace({
  cniConfigDir: dir,
  cniConfigName,
  runDir,
}: RuntimePlaces): CniConfigPlace | undefined {
  return dir === undefined ? undefined : { dir, name: cniConfigName ?? AGENT_DEFAULTS.cniConfigName, runDir }
}

/** Looks at what the runtime can call; resolves with what tells it, to be called whenever pods can be attached. */
export async function announcement(options: RuntimePlaces, parts: AnnouncementParts): Promise<() => void> {
  const place = cniConfigPlace(options)
  if (place === undefined) return () => undefined
  const portmap = await portmapFor(place, options)
  if (portmap instanceof AgentError) {
    parts.log.info({ remedy: portmap.remedy }, `hostPort of pods is not published: ${portmap.message}`)
  }
  return () => announce(place, portmap, parts)
}

/** Only a list calls another plugin, and calls ours by this name. */
async function portmapFor(place: CniConfigPlace, { cniBinDir }: RuntimePlaces): Promise<Portmap | AgentError> {
  if (isList(place.name)) return findPortmap(cniBinDir ?? DEFAULT_BIN_DIR, 'weft')
  const cause = `${place.name} is the form of a single plugin, which calls no portmap`
  return new AgentError('AGENT_HOST_PORTS', cause, `choose a list: --cni-config-name ${AGENT_DEFAULTS.cniConfigName}`)
}

function announce(place: CniConfigPlace, portmap: Portmap | AgentError, parts: AnnouncementParts): void {
  const { problems, hostPorts } = parts
  try {
    const standing = giveCniConfig(place, portmap instanceof AgentError ? undefined : portmap)
    problems.solved('cni-config')
    hostPorts.serve(publishesHostPorts(standing) ? undefined : unserved(place, portmap))
  } catch (error) {
    problems.failed('cni-config', error)
  }
}

function unserved({ dir, name }: CniConfigPlace, portmap: Portmap | AgentError): AgentError {
  if (portmap instanceof AgentError) return portmap
  const cause = `${join(dir, name)} was edited and calls no plugin that publishes ports`
  return new AgentError('AGENT_HOST_PORTS', cause, 'add portmap to its plugins, or remove it and restart the agent')
}
