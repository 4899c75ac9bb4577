export type { ClientOptions, DatabaseClient, TransactOptions } from './client/client.ts'
export { connectDatabase } from './client/client.ts'
export type { LinkState } from './client/link.ts'
export type { Log } from './client/log.ts'
export type { Monitor as DatabaseMonitor, WaitOptions } from './client/monitor.ts'
export type {
  Change,
  Monitor,
  MonitoredRow,
  MonitorSpec,
  OvsdbClient,
  OvsdbOptions,
  TableSpec,
} from './client/open-vswitch.ts'
export { connectOvsdb } from './client/open-vswitch.ts'
export type { OvsdbErrorCode, OvsdbErrorInfo } from './errors.ts'
export { isOvsdbError, OvsdbError } from './errors.ts'
export type { PortBatcher } from './helpers/batcher.ts'
export { createPortBatcher } from './helpers/batcher.ts'
export type { AddedBridge, BridgeRequest } from './helpers/bridges.ts'
export { addBridge, delBridge } from './helpers/bridges.ts'
export type { ConfigWatch, InterfaceChange, InterfaceWatch, OfportWaitOptions } from './helpers/interfaces.ts'
export { setInterface, waitForConfig, waitForOfport } from './helpers/interfaces.ts'
export type { AddedPort, PortRequest } from './helpers/ports.ts'
export { addPort, addPorts, delPortRows, delPorts } from './helpers/ports.ts'
export type { NamedUuid, UuidRef } from './schema/column.ts'
export { map, optional, scalar, set } from './schema/column.ts'
export type { Database, RowInput as DatabaseRowInput, Tables } from './schema/database.ts'
export type { ColumnName, InputOf, Row, RowInput, TableName, ValueOf } from './schema/open-vswitch.ts'
export type { Clause, Mutation, Where } from './transact/open-vswitch.ts'
export { decodeRows, deleteRows, insert, mutate, select, update, wait } from './transact/open-vswitch.ts'
export type { Operation } from './transact/operations.ts'
export { byName, byUuid, comment, everyRow, named, operationsOf } from './transact/operations.ts'
export type { OperationResult } from './transact/results.ts'
export type { Remote } from './wire/remote.ts'
export { formatRemote, parseRemotes } from './wire/remote.ts'
export type { TlsFiles } from './wire/tls.ts'
