export type { OvsdbClient, OvsdbOptions, TransactOptions } from './client/client.ts'
export { connectOvsdb } from './client/client.ts'
export type { LinkState } from './client/link.ts'
export type { Log } from './client/log.ts'
export type { Change, Monitor, MonitoredRow, MonitorSpec, TableSpec, WaitOptions } from './client/monitor.ts'
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
export type { ColumnName, InputOf, Row, RowInput, TableName, ValueOf } from './schema/open-vswitch.ts'
export type { Clause, Mutation, Operation, Where } from './transact/operations.ts'
export {
  byName,
  byUuid,
  comment,
  deleteRows,
  everyRow,
  insert,
  mutate,
  named,
  select,
  update,
  wait,
} from './transact/operations.ts'
export type { OperationResult } from './transact/results.ts'
export { decodeRows } from './transact/results.ts'
