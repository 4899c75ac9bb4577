/**
 * Takes a mesh away: everything that is ours, and nothing else.
 * @module
 */
import { rmSync } from 'node:fs'
import { openRtnl, type RtnlSocket } from '../linux/index.ts'
import { connectOvsdb, isOvsdbError, type OvsdbClient } from '../ovs/ovsdb/index.ts'
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
  using client = await connectSwitch(ovsdb, readRecord(folder)?.bridge !== undefined)
  return await clearMesh({ rtnl, client, folder })
}

/** The same, without a look at who else is at work. `client` undefined: there is no Open vSwitch. */
export async function clearMesh({ rtnl, client, folder }: ClearParts): Promise<readonly string[]> {
  const left =
    client === undefined ? [] : await applySwitch(client, await client.monitor(SWITCH_SPEC), undefined, 'system')
  removeRoutes(rtnl)
  await removeFilters()
  rmSync(recordPath(folder), { force: true })
  return left
}

interface ClearParts {
  readonly rtnl: RtnlSocket
  readonly client: OvsdbClient | undefined
  readonly folder: string
}

/** A machine without tunnels may have no Open vSwitch at all. */
async function connectSwitch(ovsdb: string, hasBridge: boolean): Promise<OvsdbClient | undefined> {
  try {
    return await connectOvsdb({ path: ovsdb })
  } catch (error) {
    if (!hasBridge && isOvsdbError(error, 'OVSDB_UNREACHABLE')) return undefined
    throw error
  }
}
