/**
 * A network as administrators and tenants write it: a list of plugins' configurations, or a single one, which counts as
 * a list of one. Source: CNI specification, "Section 1: Network configuration format"; libcni for what it leaves open.
 * @module
 */
import { readingConfig } from './config-fault.ts'
import { cniError } from './errors.ts'
import { isName } from './formats.ts'
import {
  asText,
  decodeJson,
  isObject,
  type Json,
  type JsonObject,
  list,
  member,
  optionalText,
  ShapeError,
} from './json.ts'
import { CNI_VERSIONS, type CniVersion, IMPLIED_VERSION, isAtLeast, isCniVersion } from './version.ts'

/** A network's plugins in order, and how a runtime may call them. */
export interface NetworkList {
  readonly name: string
  /** What its plugins are spoken to in: the newest version of those it names that we speak. */
  readonly version: CniVersion
  readonly disableCheck: boolean
  readonly disableGc: boolean
  /** At least one; each has a `type` that can be looked up in a folder. */
  readonly plugins: readonly PluginConfig[]
}

/** A plugin's configuration as it is written. */
export type PluginConfig = JsonObject & { readonly type: string }

/** Characters; objects of Kubernetes cannot be longer. */
const MAX_TEXT = 1_048_576
const MAX_PLUGINS = 32

/**
 * The network in a text: a list (`plugins`) or one plugin's configuration (`type`). `fallbackName` is its name where it
 * has none. `source` stands before the field in errors: `kube-system/macvlan-conf`. Throws `input-not-json`,
 * `config-invalid` and `incompatible-version`.
 */
export function networkListOf(text: string, fallbackName: string, source?: string): NetworkList {
  if (text.length > MAX_TEXT) throw cniError('input-too-large', { limit: MAX_TEXT })
  return networkListIn(decode(text, source), fallbackName, source)
}

/** As {@link networkListOf}, of a configuration that is decoded. */
export function networkListIn(config: Json, fallbackName: string, source?: string): NetworkList {
  return readingConfig(() => {
    if (!isObject(config)) throw new ShapeError('config', 'must be an object')
    return read(config, fallbackName)
  }, source)
}

function decode(text: string, source: string | undefined): Json {
  try {
    return decodeJson(text)
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'not JSON'
    throw cniError('input-not-json', { reason: source === undefined ? reason : `${source}: ${reason}` })
  }
}

function read(config: JsonObject, fallbackName: string): NetworkList {
  const name = optionalText(config, 'name', 'name') ?? fallbackName
  if (!isName(name)) throw new ShapeError('name', 'must begin with a letter or digit and hold only these and _ . -')
  return {
    name,
    version: newestOf(config),
    disableCheck: readSwitch(config, 'disableCheck'),
    disableGc: readSwitch(config, 'disableGC'),
    plugins: readPlugins(config),
  }
}

/** A configuration with a `type` is one plugin's, whatever else it has. */
function readPlugins(config: JsonObject): readonly PluginConfig[] {
  if (member(config, 'type') !== undefined) return [readPlugin(config, '')]
  const plugins = list(config, 'plugins', 'plugins', (item, path) => readPlugin(item, `${path}.`))
  if (plugins.length === 0) throw new ShapeError('plugins', 'must name at least one plugin')
  if (plugins.length > MAX_PLUGINS) throw new ShapeError('plugins', `must not be more than ${MAX_PLUGINS}`)
  return plugins
}

function readPlugin(item: Json, prefix: string): PluginConfig {
  if (!isObject(item)) throw new ShapeError(prefix.slice(0, -1), 'must be an object')
  const type = optionalText(item, 'type', `${prefix}type`)
  if (type === undefined) throw new ShapeError(`${prefix}type`, 'is missing')
  if (!isName(type)) throw new ShapeError(`${prefix}type`, "must be a program's name without its folder")
  return { ...item, type }
}

/** The newest of `cniVersion` and `cniVersions` that we speak; without either the version that is implied. */
function newestOf(config: JsonObject): CniVersion {
  const one = optionalText(config, 'cniVersion', 'cniVersion')
  const named = [...(one === undefined ? [] : [one]), ...list(config, 'cniVersions', 'cniVersions', asText)]
  if (named.length === 0) return IMPLIED_VERSION
  const newest = named.filter(isCniVersion).reduce<CniVersion | undefined>(newer, undefined)
  if (newest !== undefined) return newest
  throw cniError('incompatible-version', { version: named.join(', '), supported: JSON.stringify(CNI_VERSIONS) })
}

function newer(best: CniVersion | undefined, version: CniVersion): CniVersion {
  return best !== undefined && isAtLeast(best, version) ? best : version
}

/** The text of 0.4.0 allowed a string; libraries take both, in any case. */
function readSwitch(config: JsonObject, key: string): boolean {
  const value = member(config, key) ?? false
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (text === 'true' || text === 'false') return text === 'true'
  throw new ShapeError(key, 'must be true or false')
}
