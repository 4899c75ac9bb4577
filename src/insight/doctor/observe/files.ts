/**
 * Facts from files: configuration of other daemons, of container runtimes, and our plugin.
 * @module
 */
import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { publishesHostPorts } from '../../../agent/install/cni-config.ts'
import { PORTMAP } from '../../../agent/install/portmap.ts'
import { readRegularFile } from '../../../agent/install/regular-file.ts'
import type { CniConfig, HostFacts, LinkFile, PluginFile, Read } from '../facts.ts'
import { type IniSection, parseIni } from '../ini.ts'
import { reading } from './reading.ts'

/** Where systemd looks, the strongest first: a file hides those of its name behind it. */
const SYSTEMD = ['etc/systemd', 'run/systemd', 'usr/local/lib/systemd', 'usr/lib/systemd', 'lib/systemd']

/** networkd.conf(5) with its drop-ins, in the order in which they are read. `root` is the host's, `/` usually. */
export function networkdConfig(root: string): Read<readonly IniSection[]> {
  return reading(() => {
    const folders = SYSTEMD.map((one) => join(root, one))
    const main = folders.map((one) => join(one, 'networkd.conf')).find(isFile)
    const dropIns = strongest(
      folders.map((one) => join(one, 'networkd.conf.d')),
      '.conf',
    )
    return [...(main === undefined ? [] : [main]), ...dropIns].flatMap(iniOf)
  })
}

/** NetworkManager.conf(5) with its drop-ins. */
export function networkManagerConfig(root: string): Read<readonly IniSection[]> {
  return reading(() => {
    const folders = ['etc/NetworkManager/conf.d', 'run/NetworkManager/conf.d', 'usr/lib/NetworkManager/conf.d']
    const main = join(root, 'etc/NetworkManager/NetworkManager.conf')
    const [own = [], ...shipped] = folders.map((one) => strongest([join(root, one)], '.conf'))
    const files = [...shipped.flat(), ...(isFile(main) ? [main] : []), ...own]
    return files.flatMap(iniOf)
  })
}

/** The *.link files of systemd.link(5), in the order in which they are asked. */
export function linkFiles(root: string): Read<readonly LinkFile[]> {
  return reading(() =>
    strongest(
      SYSTEMD.map((one) => join(root, one, 'network')),
      '.link',
    ).map((path) => ({ path, sections: iniOf(path) })),
  )
}

/** Files in the folder that container runtimes read, as they sort them. */
export function cniConfigs(folder: string): Read<readonly CniConfig[]> {
  return reading(() =>
    namesIn(folder)
      .filter((name) => /\.(conf|conflist|json)$/.test(name))
      .map((name) => ({ name, ...pluginsIn(join(folder, name)) })),
  )
}

/** Whether there is a portmap to be run in that folder. */
export function portmapIn(folder: string): HostFacts['portmap'] {
  return reading(() => {
    const found = statSync(join(folder, PORTMAP), { throwIfNoEntry: false })
    return { folder, isThere: found?.isFile() === true && (found.mode & 0o111) !== 0 }
  })
}

/** Our plugin in the folder where runtimes look for plugins. */
export function pluginFile(folder: string): Read<PluginFile> {
  const path = join(folder, 'weft')
  return reading(() => {
    const { uid, mode } = statSync(path)
    return { path, uid, mode: mode & 0o7777 }
  })
}

function pluginsIn(path: string): Omit<CniConfig, 'name'> {
  try {
    const config: unknown = JSON.parse(readRegularFile(path))
    const plugins: unknown = field(config, 'plugins')
    const types = (Array.isArray(plugins) ? plugins : [config]).map((one: unknown) => field(one, 'type'))
    if (types.every((type) => typeof type === 'string')) return { types, publishes: publishesHostPorts(Object(config)) }
  } catch {
    // It is no configuration, as one whose plugins have no name is none.
  }
  return { types: undefined, publishes: false }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined
}

/** By name over all folders; of those with the same name the one of the first folder. */
function strongest(folders: readonly string[], ending: string): readonly string[] {
  const files = new Map<string, string>()
  for (const folder of folders) {
    for (const name of namesIn(folder)) {
      if (name.endsWith(ending) && !files.has(name)) files.set(name, join(folder, name))
    }
  }
  return [...files.values()].sort((a, b) => (basename(a) < basename(b) ? -1 : 1))
}

function iniOf(path: string): readonly IniSection[] {
  return parseIni(readRegularFile(path))
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Sorted as runtimes do; none where there is no such folder. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
