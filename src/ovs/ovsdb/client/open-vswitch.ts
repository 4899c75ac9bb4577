import { OPEN_VSWITCH, type OvsTables, type TableName } from '../schema/open-vswitch.ts'
import { type ClientOptions, connectDatabase, type DatabaseClient } from './client.ts'
import type * as monitor from './monitor.ts'

export type OvsdbOptions = Omit<ClientOptions, 'remotes' | 'tls' | 'leaderOnly' | 'connectTimeoutMs'> & {
  /** Unix socket of ovsdb-server, usually /var/run/openvswitch/db.sock. */
  readonly path: string
}

/** A client of Open vSwitch's own database. */
export type OvsdbClient = DatabaseClient<OvsTables>

export type TableSpec<T extends TableName> = monitor.TableSpec<OvsTables, T>
export type MonitorSpec = monitor.MonitorSpec<OvsTables>
export type Monitor<S extends MonitorSpec> = monitor.Monitor<OvsTables, S>
export type Change<S extends MonitorSpec = MonitorSpec> = monitor.Change<OvsTables, S>
export type MonitoredRow<S extends MonitorSpec, T extends keyof S & TableName> = monitor.MonitoredRow<OvsTables, S, T>

/** Connects to a machine's Open vSwitch; see {@link connectDatabase}. */
export function connectOvsdb({ path, ...options }: OvsdbOptions): Promise<OvsdbClient> {
  return connectDatabase(OPEN_VSWITCH, { ...options, remotes: [{ kind: 'unix', path }] })
}
