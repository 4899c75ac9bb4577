/**
 * Configuration files of Keystone and Neutron, as texts.
 * @module
 */

/** Sections of options. */
export type Ini = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>

/** An oslo.config file. */
export function ini(sections: Ini): string {
  return Object.entries(sections)
    .map(([name, options]) => {
      const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}`)
      return [`[${name}]`, ...lines, ''].join('\n')
    })
    .join('\n')
}

/** Keystone's: tokens without a store. */
export function keystoneConf(folder: string, database: string): Ini {
  return {
    DEFAULT: { log_file: `${folder}/keystone.log` },
    database: { connection: database, max_pool_size: 5 },
    token: { provider: 'fernet', expiration: 3600 },
    fernet_tokens: { key_repository: `${folder}/fernet-keys` },
    credential: { key_repository: `${folder}/credential-keys` },
  }
}

/** Which of Neutron's drivers wires ports. */
export type NetworkDriver = 'ovn' | 'ovs'

/** What Neutron's files say. */
export interface NeutronFacts {
  readonly driver: NetworkDriver
  readonly folder: string
  readonly database: string
  readonly port: number
  readonly keystone: string
  /** OVN's databases, for that driver. */
  readonly northbound?: string
  readonly southbound?: string
}

/**
 * Neutron's. No message broker: there are no agents, and OVN needs none. Lists end early and tokens are asked about anew
 * every few seconds, so that tests meet pages and revoked tokens.
 */
export function neutronConf({ driver, folder, database, port, keystone }: NeutronFacts): Ini {
  return {
    DEFAULT: {
      auth_strategy: 'keystone',
      core_plugin: 'ml2',
      service_plugins: driver === 'ovn' ? 'ovn-router,trunk' : 'router,trunk',
      transport_url: 'fake:/',
      bind_host: '127.0.0.1',
      bind_port: port,
      // What it remembers of tokens is a worker's own: with several, a revoked one is refused by some.
      api_workers: 1,
      rpc_workers: 1,
      rpc_state_report_workers: 0,
      state_path: folder,
      api_paste_config: '/etc/neutron/api-paste.ini',
      notify_nova_on_port_status_changes: false,
      notify_nova_on_port_data_changes: false,
      dhcp_agent_notification: false,
      pagination_max_limit: 20,
      log_file: `${folder}/neutron.log`,
    },
    database: { connection: database, max_pool_size: 5, max_overflow: 20 },
    keystone_authtoken: {
      www_authenticate_uri: keystone,
      auth_url: keystone,
      auth_type: 'password',
      project_domain_name: 'Default',
      user_domain_name: 'Default',
      project_name: 'service',
      username: 'neutron',
      password: 'neutron',
      token_cache_time: 5,
    },
    oslo_concurrency: { lock_path: `${folder}/lock` },
    oslo_messaging_notifications: { driver: 'noop' },
    oslo_policy: { policy_dirs: `${folder}/policy.d` },
    quotas: {
      quota_port: -1,
      quota_network: -1,
      quota_subnet: -1,
      quota_security_group: -1,
      quota_security_group_rule: -1,
    },
  }
}

/** Neutron's, of its switch plugin. */
export function ml2Conf({ driver, northbound = '', southbound = '' }: NeutronFacts): Ini {
  const common = { extension_drivers: 'port_security,tag_ports_during_bulk_creation', overlay_ip_version: 4 }
  if (driver === 'ovs') {
    return {
      ml2: {
        mechanism_drivers: 'openvswitch',
        type_drivers: 'local,flat,vlan,vxlan',
        tenant_network_types: 'vxlan',
        ...common,
      },
      ml2_type_vxlan: { vni_ranges: '1:1000' },
      securitygroup: { enable_security_group: true },
    }
  }
  return {
    ml2: {
      mechanism_drivers: 'ovn',
      type_drivers: 'local,flat,vlan,geneve',
      tenant_network_types: 'geneve',
      ...common,
    },
    ml2_type_geneve: { vni_ranges: '1:65536', max_header_size: 38 },
    ml2_type_vlan: { network_vlan_ranges: 'physnet1:100:200' },
    securitygroup: { enable_security_group: true },
    ovn: {
      ovn_nb_connection: northbound,
      ovn_sb_connection: southbound,
      ovn_metadata_enabled: false,
      enable_distributed_floating_ip: false,
      neutron_sync_mode: 'log',
    },
  }
}
