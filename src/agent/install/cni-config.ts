/**
 * The container runtime's network configuration: a node is Ready as soon as one is there, so ours appears when pods can
 * really be attached, and not before.
 *
 * It stays when the agent ends: pods go on, and the next agent is there in a moment. A machine that started anew is
 * another matter: what an earlier life left is put aside until it is true again.
 * @module
 */
import { existsSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type CniVersion, isAtLeast } from '../../cni/index.ts'
import { writeWhole } from '../../files/whole-file.ts'
import { AgentError } from '../errors.ts'
import { OFFERED, PORTMAP, type Portmap } from './portmap.ts'
import { readRegularFile } from './regular-file.ts'

/** Where the configuration is, and where it is noted that this life of the machine has seen it true. */
export interface CniConfigPlace {
  /** The runtime's folder, `/etc/cni/net.d`. */
  readonly dir: string
  /** The file in it. Its name tells the form: `.conflist`, else a single plugin. */
  readonly name: string
  /** A folder that is empty after the machine starts, such as one under /run. */
  readonly runDir: string
}

/** Names under which a file is put aside: runtimes read `.conf`, `.conflist` and `.json`. The first that is nobody else's is taken. */
export function asidesOf(file: string): readonly string[] {
  return ['', '-2', '-3', '-4', '-5'].map((end) => `${file}.waiting${end}`)
}

/** The note; it names the file. */
export const MARK = 'cni-config-written'

/**
 * Puts aside what an earlier life of the machine left; does nothing when this one wrote it. Where every name for that is
 * somebody else's it stays: runtimes then ask for pods early, and are told to try again.
 */
export function holdCniConfig(place: CniConfigPlace): void {
  if (existsSync(join(place.runDir, MARK))) return
  const file = join(place.dir, place.name)
  if (readOurs(file) === undefined) return
  const aside = asidesOf(file).find((name) => isMissing(name) || readOurs(name) !== undefined)
  if (aside !== undefined) renameSync(file, aside)
}

/**
 * Makes sure that the configuration is there, with what can be called. One that people edited is left as it is; one that
 * an agent wrote, of whatever version, follows. Throws `AGENT_CNI_CONFIG` where something else has its name, be it
 * broken: what we write is there as a whole or not at all. Returns what is there then.
 * @param portmap the plugin that publishes pods' host ports, where it can be run
 */
export function giveCniConfig(place: CniConfigPlace, portmap?: Portmap): object {
  const file = join(place.dir, place.name)
  mkdirSync(place.dir, { recursive: true, mode: 0o755 })
  if (readOurs(file) === undefined) {
    if (!isMissing(file)) throw inTheWay(file)
    const aside = asidesOf(file).find((name) => readOurs(name) !== undefined)
    if (aside !== undefined) renameSync(aside, file)
  }
  const present = readOurs(file)
  const wanted = configurationFor(place.name, portmap)
  if (present === undefined || (isAsWritten(file, present) && !isDeepStrictEqual(JSON.parse(present), wanted))) {
    writeWhole(file, `${JSON.stringify(wanted, null, 2)}\n`, 0o644)
  }
  const mark = join(place.runDir, MARK)
  if (!existsSync(mark)) writeFileSync(mark, place.name, { mode: 0o600 })
  return JSON.parse(readOurs(file) ?? '{}')
}

/** Whether nobody but an agent has had a hand in a file: the content is of a form that one has written, and it is no link. */
function isAsWritten(file: string, text: string): boolean {
  const forms = [undefined, ...PORTMAPS].map((portmap) => configurationFor(basename(file), portmap))
  return lstatSync(file).isFile() && forms.some((form) => isDeepStrictEqual(JSON.parse(text), form))
}

/** Whether not even a link that leads nowhere has this name. */
function isMissing(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) === undefined
}

function inTheWay(file: string): AgentError {
  const cause = `${file} is in the way: it is no network configuration that names our plugin`
  return new AgentError('AGENT_CNI_CONFIG', cause, 'remove it, or choose another name: --cni-config-name')
}

/** For runtimes that do not know `cniVersions`: the newest of what they may be expected to speak. */
const EXPECTED = '1.0.0'
/** Every portmap that makes a difference to what is written: one for each choice of versions. */
const PORTMAPS: readonly Portmap[] = Array.from({ length: 2 ** OFFERED.length - 1 }, (_, i) => ({
  versions: OFFERED.filter((_version, bit) => ((i + 1) >> bit) % 2 === 1),
}))

/**
 * The configuration of a file of this name. Runtimes that know `cniVersions` take the newest that they speak; older ones
 * take the first. k8s-ovs had a single plugin of its own name, in CNI's first version. Only a list calls portmap, and only in
 * versions that it speaks: runtimes call every plugin in the same one.
 */
export function configurationFor(name: string, portmap?: Portmap): object {
  if (name.endsWith('k8s-ovs.conf')) return { cniVersion: '0.1.0', name: 'k8s-ovs', type: 'k8s-ovs' }
  if (!isList(name)) return { ...offering(OFFERED), type: 'weft' }
  if (portmap === undefined) return { ...offering(OFFERED), plugins: [{ type: 'weft' }] }
  const { versions } = portmap
  return { ...offering(versions), ...checking(versions), plugins: [{ type: 'weft' }, PUBLISHING] }
}

/** Whether a file of this name holds a list of plugins; others hold a single one, which calls no other. */
export function isList(name: string): boolean {
  return name.endsWith('.conflist')
}

function offering(cniVersions: readonly CniVersion[]): object {
  const cniVersion = cniVersions.findLast((version) => isAtLeast(EXPECTED, version)) ?? EXPECTED
  return { cniVersion, cniVersions, name: 'weft' }
}

/**
 * With `snat` callers on the node itself and pods of its range get the node's address, or answers would pass portmap by.
 */
const PUBLISHING = { type: PORTMAP, capabilities: { portMappings: true }, snat: true } as const

/**
 * A portmap older than CNI 1.1.0 fails CHECK for every pod with a host port (containernetworking/plugins#819), and some
 * runtimes would then have no address for it.
 */
function checking(versions: readonly CniVersion[]): { readonly disableCheck?: true } {
  return versions.includes('1.1.0') ? {} : { disableCheck: true }
}

/** Whether a configuration has a plugin to which runtimes pass pods' host ports. */
export function publishesHostPorts(configuration: object): boolean {
  const { plugins } = configuration as { readonly plugins?: unknown }
  return Array.isArray(plugins) && plugins.some(takesPorts)
}

function takesPorts(plugin: unknown): boolean {
  const { type, capabilities } = Object(plugin) as { readonly type?: unknown; readonly capabilities?: unknown }
  return !OUR_PLUGINS.has(type) && Object(capabilities)['portMappings'] === true
}

/** The names under which runtimes call our plugin. */
export const OUR_PLUGINS: ReadonlySet<unknown> = new Set(['weft', 'weft-cni', 'k8s-ovs'])

/** What a file says, if our plugin is in it. */
export function readOurs(file: string): string | undefined {
  try {
    const text = readRegularFile(file)
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
