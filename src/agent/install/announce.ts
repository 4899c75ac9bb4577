/**
 * Tells the container runtime that there is a network, and whoever asks for host ports whether anybody publishes them.
 * @module
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { AgentError } from '../errors.ts'
import type { HostPorts } from '../host-ports.ts'
import type { AgentLog } from '../log.ts'
import { AGENT_DEFAULTS, type AgentOptions } from '../options.ts'
import type { Problems } from '../problems.ts'
import { type CniConfigPlace, giveCniConfig, isList, publishesHostPorts } from './cni-config.ts'
import { DEFAULT_BIN_DIR, findPortmap, PORTMAP, type Portmap } from './portmap.ts'

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

/**
 * What tells the runtime, to be called again and again while pods can be attached, and never twice at once. It looks each
 * time at what the runtime can call: a list that names what is no longer there would break every pod.
 */
export function announcement(options: RuntimePlaces, parts: AnnouncementParts): () => Promise<void> {
  const place = cniConfigPlace(options)
  if (place === undefined) return () => Promise.resolve()
  const look = isList(place.name) ? lookingFor(options.cniBinDir ?? DEFAULT_BIN_DIR) : () => Promise.resolve(SINGLE)
  let said: string | undefined
  return async () => {
    const portmap = await look()
    const [missing, remedy] = portmap instanceof AgentError ? [portmap.message, portmap.remedy] : []
    if (missing !== undefined && missing !== said) parts.log.info({ remedy }, `hostPort is not published: ${missing}`)
    said = missing
    announce(place, portmap, parts)
  }
}

/** Only a list calls another plugin. */
const SINGLE = new AgentError(
  'AGENT_HOST_PORTS',
  'the configuration is of a single plugin, which calls no portmap',
  `choose a list: ${AGENT_DEFAULTS.cniConfigName} (agent.cniConfigName, --cni-config-name)`,
)

/** One that answered is asked again when it has become another file. Lists call our own plugin `weft`. */
function lookingFor(folder: string): () => Promise<Portmap | AgentError> {
  let answered: { readonly file: string; readonly portmap: Portmap } | undefined
  return async () => {
    const file = ['weft', PORTMAP].map((name) => identityOf(join(folder, name))).join()
    if (answered?.file === file) return answered.portmap
    const portmap = await findPortmap(folder, 'weft')
    answered = portmap instanceof AgentError ? undefined : { file, portmap }
    return portmap
  }
}

function identityOf(path: string): string {
  try {
    const { ino, mtimeMs, size, mode } = statSync(path)
    return `${ino} ${mtimeMs} ${size} ${mode}`
  } catch {
    return ''
  }
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
  return new AgentError('AGENT_HOST_PORTS', cause, 'add portmap to its plugins, or remove it: the agent writes another')
}
