/**
 * The part of OVN's northbound schema that is used here, as in ovn-nb(5); checked against the server's at every connect.
 * @module
 */
import { type Database, map, operationsOf, optional, scalar, set, type Tables } from '../ovs/ovsdb/index.ts'

const strings = map('string', 'string')

const TABLES = {
  NB_Global: {
    name: scalar('string'),
    nb_cfg: scalar('integer'),
    sb_cfg: scalar('integer'),
    hv_cfg: scalar('integer'),
    options: strings,
    external_ids: strings,
  },
  Logical_Switch: {
    name: scalar('string'),
    ports: set('uuid'),
    acls: set('uuid'),
    load_balancer: set('uuid'),
    other_config: strings,
    external_ids: strings,
  },
  Logical_Switch_Port: {
    name: scalar('string'),
    type: scalar('string'),
    options: strings,
    parent_name: optional('string'),
    tag_request: optional('integer'),
    tag: optional('integer'),
    addresses: set('string'),
    dynamic_addresses: optional('string'),
    port_security: set('string'),
    up: optional('boolean'),
    enabled: optional('boolean'),
    external_ids: strings,
  },
  Logical_Router: {
    name: scalar('string'),
    ports: set('uuid'),
    static_routes: set('uuid'),
    load_balancer: set('uuid'),
    enabled: optional('boolean'),
    options: strings,
    external_ids: strings,
  },
  Logical_Router_Port: {
    name: scalar('string'),
    mac: scalar('string'),
    networks: set('string'),
    options: strings,
    external_ids: strings,
  },
  Logical_Router_Static_Route: {
    ip_prefix: scalar('string'),
    nexthop: scalar('string'),
    output_port: optional('string'),
    policy: optional('string'),
    options: strings,
    external_ids: strings,
  },
  Address_Set: {
    name: scalar('string'),
    addresses: set('string'),
    external_ids: strings,
  },
  Port_Group: {
    name: scalar('string'),
    ports: set('uuid'),
    acls: set('uuid'),
    external_ids: strings,
  },
  ACL: {
    name: optional('string'),
    direction: scalar('string'),
    priority: scalar('integer'),
    match: scalar('string'),
    action: scalar('string'),
    external_ids: strings,
  },
  Load_Balancer: {
    name: scalar('string'),
    vips: strings,
    protocol: optional('string'),
    options: strings,
    external_ids: strings,
  },
} as const satisfies Tables

export type NorthboundTables = typeof TABLES

/** OVN's northbound database. */
export const NORTHBOUND: Database<NorthboundTables> = {
  name: 'OVN_Northbound',
  tables: TABLES,
  remedies: {
    unreachable: "start OVN's northbound ovsdb-server (service ovn-central), or correct its address",
    schema: "use OVN 22.03 or later, and convert the northbound database to that version's schema",
    follower: 'check that ovn-northd is running (ovn-appctl -t ovn-northd status) and read its log',
  },
}

/** The builders of its operations. */
export const nb = operationsOf(NORTHBOUND)
