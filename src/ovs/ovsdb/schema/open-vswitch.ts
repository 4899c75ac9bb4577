import { map, optional, scalar, set, volatile } from './column.ts'
import type * as database from './database.ts'

const strings = map('string', 'string')
const counters = volatile(map('string', 'integer'))
const liveStatus = volatile(strings)

/** The tables and columns Weft uses, as in ovs-vswitchd.conf.db(5). */
const TABLES = {
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
} as const satisfies database.Tables

/** The database every Open vSwitch serves. */
export const OPEN_VSWITCH: database.Database<OvsTables> = {
  name: 'Open_vSwitch',
  tables: TABLES,
  remedies: {
    unreachable: 'start ovsdb-server (service openvswitch-switch) or name its socket',
    schema: 'use Open vSwitch 2.17 or later and convert its database (ovsdb-tool convert)',
    follower: 'check that ovs-vswitchd is running (ovs-appctl version) and read its log',
  },
}

export type OvsTables = typeof TABLES
export type TableName = database.TableName<OvsTables>
export type ColumnName<T extends TableName> = database.ColumnName<OvsTables, T>
export type ValueOf<T extends TableName, C extends ColumnName<T>> = database.ValueOf<OvsTables, T, C>
export type InputOf<T extends TableName, C extends ColumnName<T>> = database.InputOf<OvsTables, T, C>
export type StableColumn<T extends TableName> = database.StableColumn<OvsTables, T>
export type Row<T extends TableName, C extends ColumnName<T> = StableColumn<T>> = database.Row<OvsTables, T, C>
export type RowInput<T extends TableName> = database.RowInput<OvsTables, T>
