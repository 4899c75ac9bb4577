import { isOvsdbError, OvsdbError } from '../errors.ts'
import { SERVER } from '../schema/server.ts'
import type { Connection } from '../wire/connection.ts'
import type { Log } from './log.ts'
import { createMonitor, type MonitorCore } from './monitor.ts'

/** Whether a server of a cluster is the one to write through. */
export type LeaderWatch = {
  readonly core: MonitorCore
  /** Resolves when it is; rejects with OVSDB_NOT_LEADER, and OVSDB_NO_DATABASE where it does not serve the database. */
  check(connection: Connection): Promise<void>
}

/**
 * Follows one server's word about a database. `onLost` is called when it leads no more, with the reason: whoever writes
 * elsewhere is slower, and reads there what is old.
 */
export function createLeaderWatch(database: string, onLost: (reason: string) => void, log: Log): LeaderWatch {
  const spec = { Database: { where: [['name', '==', database]] } } as const
  const { core, monitor } = createMonitor(SERVER, 'weft-server', spec, () => undefined, log)
  const row = () => monitor.rows('Database').values().next().value
  return {
    core,
    async check(connection) {
      try {
        // Without it the server closes the connection whenever one of its databases comes or goes.
        await connection.request('set_db_change_aware', [true])
        await core.start(connection)
      } catch (error) {
        // A server before 2.9 knows neither, and no clusters.
        if (isOvsdbError(error, 'OVSDB_RPC_ERROR')) return
        throw error
      }
      const found = row()
      if (found === undefined) throw noDatabase(database)
      if (found.model === 'clustered' && !(found.connected && found.leader)) throw notLeader(database, found.connected)
      monitor.subscribe(() => {
        const now = row()
        if (now === undefined) onLost(`the server serves ${database} no more`)
        else if (now.model === 'clustered' && !now.leader) onLost(`the server is no longer the leader for ${database}`)
        else if (!now.connected) onLost(`the server lost its cluster of ${database}`)
      })
    },
  }
}

function notLeader(database: string, connected: boolean): OvsdbError {
  const what = connected ? `is not the leader for ${database}` : `is not connected to its cluster of ${database}`
  return new OvsdbError('OVSDB_NOT_LEADER', `the server ${what}`, {
    remedy: 'name all servers of the cluster, with commas between them; one of them leads as long as most of them live',
  })
}

function noDatabase(database: string): OvsdbError {
  return new OvsdbError('OVSDB_NO_DATABASE', `the server does not serve ${database}`, {
    remedy: `name the socket or port of the server that has ${database}`,
  })
}
