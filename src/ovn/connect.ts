/**
 * The way to OVN's northbound database.
 * @module
 */
import { type ClientOptions, connectDatabase, type DatabaseClient, parseRemotes } from '../ovs/ovsdb/index.ts'
import { OvnError } from './errors.ts'
import { NORTHBOUND, type NorthboundTables } from './northbound.ts'
import { clusterProblem } from './owner.ts'

/** How the database is reached, and on whose behalf. */
export interface NorthboundOptions extends Omit<ClientOptions, 'remotes' | 'leaderOnly'> {
  /** As ovn-nbctl's `--db`: `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`, with commas between a cluster's servers. */
  readonly remotes: string
  /** Whose rows are ours: a name of this Kubernetes cluster that no other user of the database has. */
  readonly cluster: string
  /** Time for one operation with all its repetitions; default 30 s. */
  readonly timeoutMs?: number
}

/** A way to the database: what every operation of this room is given. */
export interface Northbound {
  readonly client: DatabaseClient<NorthboundTables>
  readonly cluster: string
  readonly timeoutMs: number
  close(): void
}

/**
 * Connects to the leader of the database's servers, and stays so: it reconnects by itself, and reads on from where it was.
 * Throws OVN_BAD_REQUEST for the cluster's name, and as {@link connectDatabase} does.
 */
export async function connectNorthbound(options: NorthboundOptions): Promise<Northbound> {
  const { remotes, cluster, timeoutMs = 30_000, ...rest } = options
  const problem = clusterProblem(cluster)
  if (problem !== undefined) {
    throw new OvnError(
      'OVN_BAD_REQUEST',
      `${JSON.stringify(cluster.slice(0, 80))} names no cluster: ${problem}`,
      'name it so',
    )
  }
  const client = await connectDatabase(NORTHBOUND, { ...rest, remotes: parseRemotes(remotes), leaderOnly: true })
  return { client, cluster, timeoutMs, close: () => client.close() }
}
