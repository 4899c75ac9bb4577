/**
 * The container runtime's network configuration: a node is Ready as soon as one is there, so ours appears when pods can
 * really be attached, and not before.
 *
 * It stays when the agent ends: pods go on, and the next agent is there in a moment. A machine that started anew is
 * another matter: what an earlier life left is put aside until it is true again.
 * @module
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AgentError } from '../errors.ts'
import { writeDurably } from './write-durably.ts'

/** Where the configuration is, and where it is noted that this life of the machine has seen it true. */
export interface CniConfigPlace {
  /** The runtime's folder, `/etc/cni/net.d`. */
  readonly dir: string
  /** The file in it. Its name tells the form: `.conflist`, else a single plugin. */
  readonly name: string
  /** A folder that is empty after the machine starts, such as one under /run. */
  readonly runDir: string
}

/** Runtimes read `.conf`, `.conflist` and `.json`. */
export const ASIDE = '.waiting'
/** The note; it names the file. */
export const MARK = 'cni-config-written'

/** Puts aside what an earlier life of the machine left; does nothing when this one wrote it. */
export function holdCniConfig(place: CniConfigPlace): void {
  if (existsSync(join(place.runDir, MARK))) return
  const file = join(place.dir, place.name)
  if (readOurs(file) !== undefined) renameSync(file, file + ASIDE)
}

/**
 * Makes sure that the configuration is there. One that people edited is left as it is. Throws `AGENT_CNI_CONFIG` where
 * something else has its name, be it broken: what we write is there as a whole or not at all.
 */
export function giveCniConfig(place: CniConfigPlace): void {
  const file = join(place.dir, place.name)
  mkdirSync(place.dir, { recursive: true, mode: 0o755 })
  if (readOurs(file) === undefined) {
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) throw inTheWay(file)
    if (readOurs(file + ASIDE) !== undefined) renameSync(file + ASIDE, file)
    else writeDurably(file, `${JSON.stringify(configurationFor(place.name), null, 2)}\n`, 0o644)
  }
  const mark = join(place.runDir, MARK)
  if (!existsSync(mark)) writeFileSync(mark, place.name, { mode: 0o600 })
}

function inTheWay(file: string): AgentError {
  const cause = `${file} is in the way: it is no network configuration that names our plugin`
  return new AgentError('AGENT_CNI_CONFIG', cause, 'remove it, or choose another name: --cni-config-name')
}

/**
 * The configuration of a file of this name. Runtimes that know `cniVersions` take the newest that they speak; older ones
 * take the first. k8s-ovs had a single plugin of its own name, in CNI's first version.
 */
export function configurationFor(name: string): object {
  if (name.endsWith('k8s-ovs.conf')) return { cniVersion: '0.1.0', name: 'k8s-ovs', type: 'k8s-ovs' }
  const versions = { cniVersion: '1.0.0', cniVersions: ['0.4.0', '1.0.0', '1.1.0'], name: 'weft' }
  return name.endsWith('.conflist') ? { ...versions, plugins: [{ type: 'weft' }] } : { ...versions, type: 'weft' }
}

/** The names under which runtimes call our plugin. */
export const OUR_PLUGINS: ReadonlySet<unknown> = new Set(['weft', 'weft-cni', 'k8s-ovs'])

/** What a file says, if our plugin is in it. */
export function readOurs(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    const configuration: unknown = JSON.parse(text)
    return pluginsOf(configuration).some((type) => OUR_PLUGINS.has(type)) ? text : undefined
  } catch {
    return undefined
  }
}

function pluginsOf(configuration: unknown): readonly unknown[] {
  if (typeof configuration !== 'object' || configuration === null) return []
  const { type, plugins } = configuration as { readonly type?: unknown; readonly plugins?: unknown }
  return [type, ...(Array.isArray(plugins) ? plugins.map((one: unknown) => Object(one)['type']) : [])]
}
