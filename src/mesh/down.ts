/**
 * Takes a mesh away: everything that is ours, and nothing else.
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { OwnFilters } from '../agent/node/own-filters.ts'
import { openRtnl, type RtnlSocket } from '../linux/index.ts'
import { connectOvsdb, isOvsdbError, type OvsdbClient } from '../ovs/ovsdb/index.ts'
import { takeLock } from './daemon.ts'
import { removeRoutes } from './kernel.ts'
import { readRecord, recordPath } from './record.ts'
import { FILTER_OWNER } from './ruleset.ts'
import { applySwitch, isOurs, SWITCH_SPEC } from './switch.ts'

/** Where the mesh is. */
export interface DownOptions {
  /** Socket of ovsdb-server. */
  readonly ovsdb: string
  /** Folder of lock and record. */
  readonly folder: string
}

/** What became of it. */
export interface TakenDown {
  /** Something of ours was there. */
  readonly found: boolean
  /** What stayed, in words. */
  readonly left: readonly string[]
}

/** Throws MESH_BUSY, and what Open vSwitch says where there may be something in it. */
export async function takeMeshDown({ ovsdb, folder }: DownOptions): Promise<TakenDown> {
  using _lock = takeLock(folder)
  using rtnl = openRtnl()
  using client = await connectSwitch(ovsdb, readRecord(folder)?.bridge !== undefined)
  return await clearMesh({ rtnl, client, folder })
}

/** The same, without a look at who else is at work. `client` undefined: there is no Open vSwitch. */
export async function clearMesh({ rtnl, client, folder }: ClearParts): Promise<TakenDown> {
  const monitor = await client?.monitor(SWITCH_SPEC)
  const hasBridge = [...(monitor?.rows('Bridge').values() ?? [])].some(isOurs)
  const left =
    client === undefined || monitor === undefined ? [] : await applySwitch(client, monitor, undefined, 'system')
  const hasRoutes = removeRoutes(rtnl)
  const hasFilters = await new OwnFilters(FILTER_OWNER).remove()
  const hasRecord = existsSync(recordPath(folder))
  rmSync(recordPath(folder), { force: true })
  return { found: hasBridge || hasRoutes || hasFilters || hasRecord, left }
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
