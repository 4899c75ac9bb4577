/**
 * What is measured: the built programs, or the source tree where only the plugin is built.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')
const BUILT = join(ROOT, 'dist/weft')

/** Our CNI plugin, and the peer's. */
export const OUR_PLUGIN = join(ROOT, 'dist/weft-cni')
export const PEER_PLUGINS = '/usr/lib/cni'
export const PEER_PLUGIN = join(PEER_PLUGINS, 'bridge')

/** Whether `dist/weft` is used. */
export function isBuilt(fromSource: boolean): boolean {
  return !fromSource && existsSync(BUILT)
}

/** How to run `weft` with these arguments. */
export function weft(fromSource: boolean, ...args: readonly string[]): readonly string[] {
  return isBuilt(fromSource) ? [BUILT, ...args] : [process.execPath, join(ROOT, 'src/main.ts'), ...args]
}
