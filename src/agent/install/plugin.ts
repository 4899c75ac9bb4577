/**
 * The CNI plugin where the container runtime looks for it, under each of its names. It has to be there before a
 * configuration names it.
 * @module
 */
import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../../files/whole-file.ts'
import { AgentError } from '../errors.ts'

/** Under which names runtimes call it for a pod's networks: `type` in a configuration. */
export const NETWORK_NAMES = ['weft', 'k8s-ovs'] as const
/** Names of other projects' plugins that the agent is, too. */
export const SINGLE_NAMES = [
  'ovs',
  'spiderpool',
  'coordinator',
  'ifacer',
  'neutron',
  'ipam-neutron',
  'unnumbered-ptp',
  'ipvlan-ptp',
  'macvlan-ptp',
] as const
export const PLUGIN_NAMES = [...NETWORK_NAMES, ...SINGLE_NAMES] as const
export type PluginName = (typeof PLUGIN_NAMES)[number]

/** What became of a name. `foreign`: somebody else's program is there, and stays. */
export type Installed = 'written' | 'already there' | 'foreign'

/**
 * Puts the plugin into a folder of the runtime's. Another project's plugin of one of the names is not touched, unless it is
 * `required`: then this throws AGENT_PLUGIN_FOREIGN.
 * @param plugin the file to copy
 * @param required the name that the configuration calls it by
 * @param names besides {@link NETWORK_NAMES}
 */
export function installPlugin(
  plugin: string,
  folder: string,
  required: PluginName,
  names: readonly PluginName[] = SINGLE_NAMES,
): ReadonlyMap<PluginName, Installed> {
  const content = readPlugin(plugin)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const done = new Map([...NETWORK_NAMES, ...names].map((name) => [name, install(content, join(folder, name))]))
  if (done.get(required) !== 'foreign') return done
  const path = join(folder, required)
  throw new AgentError(
    'AGENT_PLUGIN_FOREIGN',
    `${path} is another program`,
    `remove it if nothing needs it any more: rm ${path}`,
  )
}

/** Where the plugin is that came with a program, by the folder of its executable: as installed, or as built. */
export function pluginBeside(folder: string): string {
  const [installed, built] = [join(folder, 'cni', 'weft'), join(folder, 'weft-cni')]
  return existsSync(installed) || !existsSync(built) ? installed : built
}

/** Whether a file is the plugin, of whatever version. */
export function isPlugin(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && readFileSync(path).includes(MARK)
}

/** What every version of the plugin says of itself, and no other program. */
const MARK = 'CNI plugin of Weft;'

function install(content: Buffer, path: string): Installed {
  const present = lstatSync(path, { throwIfNoEntry: false })
  if (present !== undefined) {
    if (!present.isFile()) return 'foreign'
    const old = readFileSync(path)
    if (!old.includes(MARK)) return 'foreign'
    if (old.equals(content) && (present.mode & 0o7777) === 0o755) return 'already there'
  }
  writeWhole(path, content, 0o755)
  return 'written'
}

function readPlugin(path: string): Buffer {
  try {
    const content = readFileSync(path)
    if (content.includes(MARK)) return content
  } catch (cause) {
    throw missing(`the CNI plugin ${path} cannot be read`, cause)
  }
  throw missing(`${path} is no CNI plugin of Weft`)
}

function missing(message: string, cause?: unknown): AgentError {
  const remedy =
    'install it beside the executable: packages and the image have it in cni/, npm run build makes weft-cni'
  return new AgentError('AGENT_PLUGIN_MISSING', message, remedy, { cause })
}
