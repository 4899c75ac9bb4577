/**
 * Files of ours: the runtime's configuration, the plugin, what is in the agent's own folder.
 * @module
 */
import { lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asidesOf, MARK, readOurs } from '../install/cni-config.ts'
import { isPlugin, PLUGIN_NAMES } from '../install/plugin.ts'
import { AGENT_DEFAULTS } from '../options.ts'
import type { CleanPlaces, Trace } from './clean.ts'

/** The configuration, without which no pod is attached any more; or everything else. */
export function fileTraces(places: CleanPlaces, which: 'configuration' | 'rest'): readonly Trace[] {
  return which === 'configuration' ? configurations(places) : [...plugins(places), ...runFiles(places)]
}

/** Names that a configuration of ours has had. */
const CONFIGURATIONS = [AGENT_DEFAULTS.cniConfigName, '80-k8s-ovs.conf'] as const
/** Everything that daemons keep in their folder. */
const RUN_FILES: ReadonlySet<string> = new Set(['agent.sock', 'cni.sock', 'controller.sock', MARK])

function configurations({ cniConfigDir, cniConfigName, runDir }: CleanPlaces): readonly Trace[] {
  const names = new Set([cniConfigName, notedName(join(runDir, MARK)), ...CONFIGURATIONS].filter(isFileName))
  const files = [...names].flatMap((name) => [name, ...asidesOf(name)]).map((name) => join(cniConfigDir, name))
  return files.filter((file) => readOurs(file) !== undefined).map(fileTrace)
}

/** The name that the agent noted. */
function notedName(mark: string): string | undefined {
  try {
    return readFileSync(mark, 'utf8').trim()
  } catch {
    return undefined
  }
}

function isFileName(name: string | undefined): name is string {
  return name !== undefined && /^(?!\.)[^/\0]{1,255}$/.test(name)
}

/** The plugin under its names, and what an interrupted installation left. */
function plugins({ cniBinDir }: CleanPlaces): readonly Trace[] {
  const isNamed = (name: string): boolean =>
    PLUGIN_NAMES.some((plugin) => name === plugin || name.startsWith(`${plugin}.new-`))
  return entriesOf(cniBinDir)
    .filter(isNamed)
    .map((name) => join(cniBinDir, name))
    .filter(isPlugin)
    .map(fileTrace)
}

function runFiles({ runDir }: CleanPlaces): readonly Trace[] {
  const present = entriesOf(runDir)
  const ours = present.filter((name) => RUN_FILES.has(name))
  const isAllOurs = present.length === ours.length && isOrdinaryFolder(runDir)
  const folder = { what: `folder ${runDir}`, remove: () => removeFolder(runDir) }
  return [...ours.map((name) => fileTrace(join(runDir, name))), ...(isAllOurs ? [folder] : [])]
}

function fileTrace(file: string): Trace {
  return { what: `file ${file}`, remove: () => rmSync(file, { force: true }) }
}

/** In a container the folder is where another is mounted: that stays, empty. */
function isOrdinaryFolder(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.dev === lstatSync(dirname(folder)).dev
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if (!STAYS.has(codeOf(error))) throw error
  }
}

const STAYS: ReadonlySet<unknown> = new Set(['EBUSY', 'ENOTEMPTY', 'ENOENT', 'EROFS'])

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
