import {
  type ColumnInput,
  type ColumnValue,
  map,
  optional,
  scalar,
  set,
  type TableColumns,
  volatile,
} from './column.ts'

/** Name of the database every Open vSwitch serves. */
export const DATABASE = 'Open_vSwitch'

const strings = map('string', 'string')
const counters = volatile(map('string', 'integer'))
const liveStatus = volatile(strings)

/** The tables and columns Weft uses, as in ovs-vswitchd.conf.db(5); checked against the server at every connect. */
export const TABLES = {
  Open_vSwitch: {
    bridges: set('uuid'),
    manager_options: set('uuid'),
    next_cfg: scalar('integer'),
    cur_cfg: scalar('integer'),
    ovs_version: optional('string'),
    db_version: optional('string'),
    datapath_types: set('string'),
    iface_types: set('string'),
    external_ids: strings,
    other_config: strings,
    statistics: liveStatus,
  },
  Bridge: {
    name: scalar('string'),
    ports: set('uuid'),
    controller: set('uuid'),
    datapath_type: scalar('string'),
    datapath_id: optional('string'),
    fail_mode: optional('string'),
    protocols: set('string'),
    flow_tables: map('integer', 'uuid'),
    mcast_snooping_enable: scalar('boolean'),
    external_ids: strings,
    other_config: strings,
  },
  Port: {
    name: scalar('string'),
    interfaces: set('uuid'),
    tag: optional('integer'),
    trunks: set('integer'),
    cvlans: set('integer'),
    vlan_mode: optional('string'),
    protected: scalar('boolean'),
    qos: optional('uuid'),
    external_ids: strings,
    other_config: strings,
  },
  Interface: {
    name: scalar('string'),
    type: scalar('string'),
    options: strings,
    ofport: optional('integer'),
    ofport_request: optional('integer'),
    mac: optional('string'),
    mac_in_use: optional('string'),
    mtu: optional('integer'),
    mtu_request: optional('integer'),
    ifindex: optional('integer'),
    admin_state: optional('string'),
    link_state: optional('string'),
    error: optional('string'),
    ingress_policing_rate: scalar('integer'),
    ingress_policing_burst: scalar('integer'),
    bfd: strings,
    bfd_status: strings,
    external_ids: strings,
    other_config: strings,
    status: strings,
    statistics: counters,
  },
  QoS: {
    type: scalar('string'),
    queues: map('integer', 'uuid'),
    external_ids: strings,
    other_config: strings,
  },
  Queue: {
    dscp: optional('integer'),
    external_ids: strings,
    other_config: strings,
  },
  Controller: {
    target: scalar('string'),
    connection_mode: optional('string'),
    is_connected: scalar('boolean'),
    role: optional('string'),
    max_backoff: optional('integer'),
    inactivity_probe: optional('integer'),
    external_ids: strings,
    other_config: strings,
    status: liveStatus,
  },
  Manager: {
    target: scalar('string'),
    connection_mode: optional('string'),
    is_connected: scalar('boolean'),
    max_backoff: optional('integer'),
    inactivity_probe: optional('integer'),
    external_ids: strings,
    other_config: strings,
    status: liveStatus,
  },
  Flow_Table: {
    name: optional('string'),
    flow_limit: optional('integer'),
    overflow_policy: optional('string'),
    groups: set('string'),
    external_ids: strings,
  },
} as const satisfies Readonly<Record<string, TableColumns>>

export type TableName = keyof typeof TABLES
export type ColumnName<T extends TableName> = keyof (typeof TABLES)[T] & string
type ColumnOf<T extends TableName, C extends ColumnName<T>> = (typeof TABLES)[T][C] extends infer D
  ? D extends TableColumns[string]
    ? D
    : never
  : never

export type ValueOf<T extends TableName, C extends ColumnName<T>> = ColumnValue<ColumnOf<T, C>>
export type InputOf<T extends TableName, C extends ColumnName<T>> = ColumnInput<ColumnOf<T, C>>

/** Columns monitored when none are named: all but the volatile ones. */
export type StableColumn<T extends TableName> = {
  [C in ColumnName<T>]: (typeof TABLES)[T][C] extends { readonly volatile: true } ? never : C
}[ColumnName<T>]

/** A cached row. */
export type Row<T extends TableName, C extends ColumnName<T> = StableColumn<T>> = {
  readonly [K in C]: ValueOf<T, K>
} & { readonly uuid: string }

/** Columns of an insert or update; the server gives the others their defaults or leaves them. */
export type RowInput<T extends TableName> = { readonly [C in ColumnName<T>]?: InputOf<T, C> }

/** Our declaration of a table, without its literal types. */
export function columnsOf(table: TableName): TableColumns {
  return TABLES[table]
}

/** Names of the columns monitored by default. */
export function stableColumns(table: TableName): readonly string[] {
  return Object.entries(columnsOf(table)).flatMap(([name, column]) => (column.volatile ? [] : [name]))
}

/** Narrows a name to one of our tables. */
export function isTableName(name: string): name is TableName {
  return Object.hasOwn(TABLES, name)
}
