/**
 * Where this program and its companions are: the compiled executable, or the source tree under Bun.
 * @module
 */
import { dirname, join, relative, resolve } from 'node:path'
import { DEFAULT_RUN_DIR } from './layout.ts'

const COMPILED = Bun.main.startsWith('/$bunfs')

/** How to run this program again with other arguments. */
export function selfCommand(...args: readonly string[]): readonly string[] {
  return COMPILED ? [process.execPath, ...args] : [process.execPath, join(import.meta.dir, '../main.ts'), ...args]
}

/** The folder of the CNI plugin and the addon. */
export function companionFolder(): string {
  return COMPILED ? dirname(process.execPath) : join(import.meta.dir, '../../dist')
}

/** What people type to run this program: its name where their shell finds it, else its path as seen from their folder. */
function commandName(): string {
  if (!COMPILED || Bun.which('weft') === process.execPath) return 'weft'
  const path = relative(process.env['INIT_CWD'] ?? process.cwd(), process.execPath)
  return path.startsWith('..') ? process.execPath : path.includes('/') ? path : `./${path}`
}

/**
 * A command as people have to type it for what lives in `runDir`: `weft play table` becomes
 * `dist/weft play table --run-dir /run/second`. Undefined: the default folder.
 */
export function typedCommand(command: string, runDir: string | undefined, name = commandName()): string {
  const rest = command.replace(/^weft ?/, '')
  const folder = runDir === undefined ? DEFAULT_RUN_DIR : resolve(runDir)
  const isAbout = /^(play|tenant|host|status|drops|trace|audit|bandwidth|ipam|explain)\b(?!.* --help)/.test(rest)
  if (folder === DEFAULT_RUN_DIR || !isAbout) return `${name} ${rest}`
  // What follows the place belongs to the program that is run there.
  const [, exec, place] = /^(play exec)( .*)$/.exec(rest) ?? []
  const words = exec === undefined ? `${rest} --run-dir ${folder}` : `${exec} --run-dir ${folder}${place}`
  return `${name} ${words}`
}

/**
 * A text whose commands stand there as {@link typedCommand} says: those in backquotes, which go, and the few that advice
 * on the network names without.
 */
export function withTypedCommands(text: string, runDir: string | undefined, name = commandName()): string {
  return text.replace(COMMAND, (bare, quoted?: string) => typedCommand(quoted ?? bare, runDir, name))
}

const COMMAND =
  /`(weft [^`]*)`|\bweft (?:tenant join [\w-]+ --to [\w-]+|status --nodes|status|audit --repair|audit|trace)(?![\w-])/g
