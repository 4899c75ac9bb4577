/**
 * Objects of Spiderpool's and Multus's kinds and of ours, with what a kube-apiserver 1.32 says to them.
 * @module
 */

/** Of which kind, the fields beside the metadata, and what is wrong with them; without words they are stored. */
export type UnderlayCase = readonly [kind: string, fields: object, words?: string]

const POOL = { subnet: '172.18.0.0/16', ips: ['172.18.30.131-172.18.30.140'], gateway: '172.18.0.1' }
const POOL6 = { subnet: 'fd00:18::/64', ips: ['fd00:18::a-fd00:18::14', 'fd00:18::1:0'], gateway: 'fd00:18::1' }
const CLAIM = {
  address: '172.18.30.131',
  prefixLength: 16,
  pool: 'p',
  namespace: 'shop',
  pod: 'web-0',
  podUID: 'u',
  interface: 'eth0',
  sandbox: 'c',
  node: 'n',
}
const NO_RANGE =
  'must be an address or a range, such as 192.0.2.10 or 192.0.2.10-192.0.2.20; a network is not understood here'
const UNASKED =
  '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

/** Objects that are stored, and objects that are not. */
export const UNDERLAY_CASES: readonly UnderlayCase[] = [
  ['SpiderIPPool', { spec: { ...POOL, multusName: ['kube-system/ovs-conf'] } }],
  ['SpiderIPPool', { spec: { ...POOL6, ipVersion: 6, routes: [{ dst: 'fd01::/16', gw: 'fd00:18::2' }] } }],
  ['SpiderIPPool', { spec: { ips: [] } }, `[spec.subnet: Required value, ${UNASKED}]`],
  [
    'SpiderIPPool',
    { spec: { ...POOL, subnet: '172.18.0.0' } },
    `[spec.subnet: Invalid value: "172.18.0.0": spec.subnet in body must be of type cidr: "172.18.0.0", ${UNASKED}]`,
  ],
  ['SpiderIPPool', { spec: { ...POOL, ips: ['172.18.0.0/24'] } }, `spec.ips[0]: Invalid value: "string": ${NO_RANGE}`],
  ['SpiderIPPool', { spec: { ...POOL, ips: ['172.18.0.256'] } }, `spec.ips[0]: Invalid value: "string": ${NO_RANGE}`],
  [
    'SpiderIPPool',
    { spec: { ...POOL, ipVersion: 5 } },
    `[spec.ipVersion: Unsupported value: 5: supported values: "4", "6", ${UNASKED}]`,
  ],
  [
    'SpiderIPPool',
    { spec: { ...POOL, ipVersion: 6 } },
    'spec: Invalid value: "object": ipVersion is not the family of the subnet',
  ],
  [
    'SpiderIPPool',
    { spec: { ...POOL, podAffinity: {} } },
    'spec.podAffinity: Invalid value: 0: spec.podAffinity in body should have at least 1 properties',
  ],
  [
    'SpiderIPPool',
    { spec: { ...POOL, gateway: 'router' } },
    `[<nil>: Invalid value: "": "spec.gateway" must validate at least one schema (anyOf), spec.gateway: Invalid value: "router": spec.gateway in body must be of type ipv4: "router", ${UNASKED}]`,
  ],
  [
    'SpiderIPPool',
    { spec: { ...POOL, routes: [{ dst: '10.0.0.0/8' }] } },
    `[spec.routes[0].gw: Required value, ${UNASKED}]`,
  ],
  ['SpiderSubnet', { spec: POOL }],
  [
    'SpiderSubnet',
    { spec: { ...POOL6, ipVersion: 4 } },
    'spec: Invalid value: "object": ipVersion is not the family of the subnet',
  ],
  [
    'SpiderIPPool',
    { spec: { ...POOL, excludeIPs: ['172.18.30.131-132'] } },
    `spec.excludeIPs[0]: Invalid value: "string": ${NO_RANGE}`,
  ],
  [
    'SpiderSubnet',
    { spec: { ...POOL, ips: ['172.18.0.1', '1234'] } },
    `spec.ips[1]: Invalid value: "string": ${NO_RANGE}`,
  ],
  [
    'SpiderReservedIP',
    { spec: { ips: ['172.18.0.9', 'fd00::1', '255.255.255.255', '10.0.0.1-10.0.0.9', '::ffff:1.2.3.4'] } },
  ],
  ['SpiderReservedIP', { spec: { ips: ['01.2.3.4'] } }, `spec.ips[0]: Invalid value: "string": ${NO_RANGE}`],
  [
    'SpiderReservedIP',
    { spec: { ips: [] } },
    'spec.ips: Invalid value: 0: spec.ips in body should have at least 1 items',
  ],
  ['SpiderEndpoint', { status: { current: { uid: 'u', node: 'n', ips: [{ interface: 'eth0', vlan: 0 }] } } }],
  [
    'SpiderEndpoint',
    { status: { current: { uid: 'u', node: 'n', ips: [{ interface: 'eth0', vlan: 4095 }] } } },
    'status.current.ips[0].vlan: Invalid value: 4095: status.current.ips[0].vlan in body should be less than or equal to 4094',
  ],
  [
    'SpiderCoordinator',
    { spec: { mode: 'underlays', podCIDRType: 'auto' } },
    `[spec.mode: Unsupported value: "underlays": supported values: "auto", "underlay", "overlay", "disabled", ${UNASKED}]`,
  ],
  ['SpiderCoordinator', { spec: {} }, `[spec.podCIDRType: Required value, ${UNASKED}]`],
  [
    'SpiderCoordinator',
    { spec: { podCIDRType: 'auto', podMACPrefix: '0b:1b' } },
    `spec.podMACPrefix: Invalid value: "0b:1b": spec.podMACPrefix in body should match '^([0-9a-fA-F][02468aceACE][:-][0-9a-fA-F]{2})?$'`,
  ],
  [
    'SpiderCoordinator',
    { spec: { podCIDRType: 'auto', podRPFilter: 3 } },
    'spec.podRPFilter: Invalid value: 3: spec.podRPFilter in body should be less than or equal to 2',
  ],
  [
    'SpiderCoordinator',
    { spec: { podCIDRType: 'auto', hostRuleTable: 254 } },
    '<nil>: Invalid value: "": "spec.hostRuleTable" must not validate the schema (not)',
  ],
  [
    'SpiderCoordinator',
    { spec: { podCIDRType: 'auto', policyRoutes: [{ dst: '10.0.0.0/8', gw: 'fd00::1' }] } },
    'spec.policyRoutes[0]: Invalid value: "object": dst and gw are of two families',
  ],
  ['SpiderMultusConfig', { spec: { cniType: 'ovs', ovs: { bridge: 'br1' } } }],
  ['SpiderMultusConfig', { spec: {} }],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'ovs' } },
    'spec: Invalid value: "object": ovs is for cniType ovs, which needs it',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'ovs', ovs: { bridge: 'br1' }, macvlan: { master: ['eth0'] } } },
    'spec: Invalid value: "object": macvlan is for cniType macvlan, which needs it',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'ovs', ovs: { bridge: 'br1', vlan: 4095 } } },
    'spec.ovs.vlan: Invalid value: 4095: spec.ovs.vlan in body should be less than or equal to 4094',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'ovs', ovs: { bridge: 'br1', trunk: [{ minID: 20, maxID: 10 }] } } },
    'spec.ovs.trunk[0]: Invalid value: "object": minID is above maxID',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'ovs', ovs: { bridge: 'br1', trunk: [{ maxID: 10 }] } } },
    '[spec.ovs.trunk[0]: Invalid value: "object": minID and maxID come together, spec.ovs.trunk[0]: Invalid value: "object": neither an id nor a range]',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'macvlan', macvlan: { master: ['eth0', 'eth1'] } } },
    'spec.macvlan: Invalid value: "object": several masters need a bond',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'vlan', vlan: { master: ['eth0'] } } },
    'spec.vlan: Invalid value: "object": vlanMode manual needs a vlanID',
  ],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'vlan', vlan: { master: ['eth0'], vlanMode: 'auto', vlanID: 7 } } },
    'spec.vlan: Invalid value: "object": vlanMode auto has no vlanID',
  ],
  ['SpiderMultusConfig', { spec: { customCNI: '{}' } }],
  [
    'SpiderMultusConfig',
    { spec: { cniType: 'ovs', ovs: { bridge: 'br1' }, customCNI: '{}' } },
    'spec: Invalid value: "object": customCNI is for cniType custom',
  ],
  ['NetworkAttachmentDefinition', { spec: { config: '{"type":' } }],
  ['NetworkAttachmentDefinition', {}],
  ['AddressClaim', { metadata: { name: 'underlay.172.18.30.131' }, spec: CLAIM }],
  ['AddressClaim', { spec: CLAIM }, `<nil>: Invalid value: "object": the name is not the address'`],
  ['AddressClaim', { spec: { ...CLAIM, address: 'fd00::1' } }],
  ['AddressClaim', { spec: { ...CLAIM, address: undefined } }, `[spec.address: Required value, ${UNASKED}]`],
]

/** Of which kind, what was stored, what it is to become, and what is wrong with that. */
export const UNDERLAY_CHANGES: readonly (readonly [kind: string, before: object, after: object, words: string])[] = [
  [
    'SpiderIPPool',
    { spec: POOL },
    { spec: { ...POOL, subnet: '172.19.0.0/16' } },
    'spec: Invalid value: "object": the subnet cannot be changed',
  ],
  [
    'SpiderIPPool',
    { spec: { ...POOL, ipVersion: 4 } },
    { spec: { ...POOL, ipVersion: null } },
    'spec: Invalid value: "object": ipVersion cannot be changed',
  ],
  [
    'SpiderSubnet',
    { spec: POOL },
    { spec: { ...POOL, subnet: '172.19.0.0/16' } },
    'spec: Invalid value: "object": the subnet cannot be changed',
  ],
  [
    'AddressClaim',
    { spec: { ...CLAIM, address: 'fd00::1' } },
    { spec: { ...CLAIM, address: 'fd00::2' } },
    'spec: Invalid value: "object": a claim is on one address for all its life',
  ],
]
