/**
 * Takes a mesh away: everything that is ours, and nothing else.
 * @module
 */
import { rmSync } from 'node:fs'
import { openRtnl } from '../linux/index.ts'
import { connectOvsdb, isOvsdbError } from '../ovs/ovsdb/index.ts'
import { takeLock } from './daemon.ts'
import { removeFilters } from './filters.ts'
import { removeRoutes } from './kernel.ts'
import { readRecord, recordPath } from './record.ts'
import { applySwitch, SWITCH_SPEC } from './switch.ts'

/** Where the mesh is. */
export interface DownOptions {
  /** Socket of ovsdb-server. */
  readonly ovsdb: string
  /** Folder of lock and record. */
  readonly folder: string
}

/** Resolves with what stayed, in words. Throws MESH_BUSY, and what Open vSwitch says where there may be something in it. */
export async function takeMeshDown({ ovsdb, folder }: DownOptions): Promise<readonly string[]> {
  using _lock = takeLock(folder)
  using rtnl = openRtnl()
  const left = await clearSwitch(ovsdb, readRecord(folder)?.bridge !== undefined)
  removeRoutes(rtnl)
  await removeFilters()
  rmSync(recordPath(folder), { force: true })
  return left
}

/** A machine without tunnels may have no Open vSwitch at all. */
async function clearSwitch(ovsdb: string, hasBridge: boolean): Promise<readonly string[]> {
  try {
    using client = await connectOvsdb({ path: ovsdb })
    return await applySwitch(client, await client.monitor(SWITCH_SPEC), undefined, 'system')
  } catch (error) {
    if (!hasBridge && isOvsdbError(error, 'OVSDB_UNREACHABLE')) return []
    throw error
  }
}
