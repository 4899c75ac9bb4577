/**
 * A SpiderMultusConfig's NetworkAttachmentDefinition.
 * @module
 */
import { apiVersionOf, type KubeObject, type ObjectMeta } from '../../../kube/object.ts'
import { optionalField } from '../../fields.ts'
import { NETWORK_ATTACHMENT_DEFINITIONS, RESOURCE_NAME } from '../../multus/attachment-definition.ts'
import { bridgeResource } from '../../ovs-cni/resources.ts'
import { SPIDER_MULTUS_CONFIGS } from '../resources.ts'
import type { DefaultPools, InterfaceStep, JsonObject, MultusConfig } from './multus-config.ts'
import { definitionNameOf } from './read.ts'
import { MADE_FOR } from './words.ts'

/** What the object itself remembers of how it was applied; on a copy it would be wrong. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The definition that is made of an object, which belongs to it. */
export function definitionOf(object: KubeObject, config: MultusConfig): KubeObject {
  const { namespace = '', labels } = object.metadata
  const text = configTextOf(config)
  const annotations = annotationsOf(object, config)
  return {
    apiVersion: apiVersionOf(NETWORK_ATTACHMENT_DEFINITIONS),
    kind: NETWORK_ATTACHMENT_DEFINITIONS.kind,
    metadata: {
      name: definitionNameOf(object),
      namespace,
      ...(isEmpty(labels) ? {} : { labels }),
      ...(isEmpty(annotations) ? {} : { annotations }),
      ownerReferences: [ownerReferenceTo(object)],
    },
    spec: text === '' ? {} : { config: text },
  }
}

/** The CNI configuration as JSON; empty: a file of the node has it. */
export function configTextOf(config: MultusConfig): string {
  if (config.is === 'custom') return config.config
  const { cniVersion, name } = config
  return JSON.stringify({ cniVersion, name, plugins: stepsOf(config) })
}

function stepsOf({
  interface: step,
  pools,
  chain,
  coordinator,
}: Extract<MultusConfig, { is: 'list' }>): readonly unknown[] {
  const ipam = pools === undefined ? {} : { ipam: ipamOf(pools) }
  return [
    ...subInterfaceOf(step),
    { ...interfaceOf(step), ...ipam },
    ...chain,
    ...(coordinator === undefined ? [] : [{ type: 'coordinator', ...withoutEmptyLists(coordinator) }]),
  ]
}

/** macvlan and ipvlan on a VLAN share a sub-interface that is made first; vlan makes its own in the pod. */
function subInterfaceOf(step: InterfaceStep): readonly JsonObject[] {
  if (step.type === 'ovs' || step.type === 'vlan' || step.vlan === 0) return []
  return [{ type: 'ifacer', interfaces: [step.master], vlanID: step.vlan }]
}

function interfaceOf(step: InterfaceStep): JsonObject {
  if (step.type === 'ovs') {
    const { type, bridge, vlan, trunk } = step
    // A trunk has no VLAN of its own unless somebody gave one: 0 is there whether or not.
    const isTrunk = trunk.length > 0
    return { type, bridge, ...(isTrunk && vlan === 0 ? {} : { vlan }), ...(isTrunk ? { trunk } : {}) }
  }
  const { type, vlan, mtu } = step
  if (type === 'vlan') return { type, master: step.master, vlanMode: 'manual', vlanId: vlan, mtu }
  const master = vlan === 0 ? step.master : `${step.master}.${vlan}`
  return { type, master, ...(type === 'macvlan' ? { mode: 'bridge' } : {}), mtu }
}

function ipamOf({ ipv4, ipv6 }: DefaultPools): JsonObject {
  return {
    type: 'spiderpool',
    ...(ipv4.length === 0 ? {} : { default_ipv4_ippool: ipv4 }),
    ...(ipv6.length === 0 ? {} : { default_ipv6_ippool: ipv6 }),
  }
}

function annotationsOf({ metadata: { annotations = {} } }: KubeObject, config: MultusConfig): Record<string, string> {
  const { [LAST_APPLIED]: _, [MADE_FOR]: __, ...copied } = annotations
  // Nodes say which bridges they have: whoever counts resources sends pods to those that have this one.
  const isOvs = config.is === 'list' && config.interface.type === 'ovs'
  return { ...optionalField(RESOURCE_NAME, isOvs ? bridgeResource(config.interface.bridge) : undefined), ...copied }
}

function ownerReferenceTo({ metadata: { name, uid = '' } }: KubeObject) {
  const { kind } = SPIDER_MULTUS_CONFIGS
  return { apiVersion: apiVersionOf(SPIDER_MULTUS_CONFIGS), kind, name, uid, controller: true }
}

function withoutEmptyLists(fields: object): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !Array.isArray(value) || value.length > 0))
}

function isEmpty(map: ObjectMeta['labels']): boolean {
  return map === undefined || Object.keys(map).length === 0
}
