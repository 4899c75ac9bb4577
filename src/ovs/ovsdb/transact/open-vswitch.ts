import { OPEN_VSWITCH, type OvsTables, type TableName } from '../schema/open-vswitch.ts'
import type * as operations from './operations.ts'
import { operationsOf } from './operations.ts'

/** The builders of operations on Open vSwitch's own database. */
export const { insert, update, mutate, deleteRows, select, wait, decodeRows } = operationsOf(OPEN_VSWITCH)

export type Clause<T extends TableName> = operations.Clause<OvsTables, T>
export type Where<T extends TableName> = operations.Where<OvsTables, T>
export type Mutation<T extends TableName> = operations.Mutation<OvsTables, T>
