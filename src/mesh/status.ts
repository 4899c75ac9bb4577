/**
 * How the mesh of this machine is: what its daemon noted, and what Open vSwitch says now. Changes nothing.
 * @module
 */
import { existsSync } from 'node:fs'
import { lockFile } from '../linux/index.ts'
import { connectOvsdb } from '../ovs/ovsdb/index.ts'
import { MeshError } from './errors.ts'
import { lockPath, type MeshRecord, type PeerRecord, readRecord } from './record.ts'
import { portStates, SWITCH_SPEC, sentenceOf } from './switch.ts'

/** A mesh as it is. */
export interface MeshStatus extends MeshRecord {
  /** A daemon keeps it. */
  readonly kept: boolean
}

/** Where the mesh is. */
export interface StatusOptions {
  readonly ovsdb: string
  readonly folder: string
}

/** Looks. Throws MESH_NONE. */
export async function meshStatus({ ovsdb, folder }: StatusOptions): Promise<MeshStatus> {
  const record = readRecord(folder)
  if (record === undefined) {
    throw new MeshError(
      'MESH_NONE',
      'there is no mesh on this machine',
      'make it: weft mesh up --config /etc/weft/mesh.yaml',
    )
  }
  const kept = isKept(folder)
  const problems = kept ? [] : ['no daemon keeps the mesh: what is there stays as it is → systemctl start weft-mesh']
  if (record.bridge === undefined) return { ...record, kept, problems: [...problems, ...record.problems] }
  try {
    using client = await connectOvsdb({ path: ovsdb })
    const states = portStates(await client.monitor(SWITCH_SPEC))
    const peers = record.peers.map((peer) => (isTunnel(peer) ? withState(peer, states.get(peer.port ?? '')) : peer))
    return { ...record, kept, peers, problems: [...problems, ...record.problems] }
  } catch (error) {
    return { ...record, kept, problems: [...problems, sentenceOf(error), ...record.problems] }
  }
}

/** Whether all is as it should be. */
export function isWhole({ peers, problems }: MeshStatus): boolean {
  return problems.length === 0 && peers.every(({ state }) => state === 'up')
}

function isTunnel({ way }: PeerRecord): boolean {
  return way !== 'direct' && way !== 'none'
}

function withState(peer: PeerRecord, port: { readonly bfd?: string } | undefined): PeerRecord {
  return { ...peer, state: port === undefined ? 'no port' : (port.bfd ?? 'unknown') }
}

function isKept(folder: string): boolean {
  if (!existsSync(lockPath(folder))) return false
  using lock = lockFile(lockPath(folder))
  return lock === undefined
}
