/**
 * The settings of networks that pods are attached to by name, and of who may ask for what.
 * @module
 */

import { type Decode, reject, shown } from '../network/model/decode.ts'
import { list, literal, optional, record, text } from '../network/model/decoders.ts'
import { namespaceName } from '../network/model/names.ts'
import { path, type SettingType, setting, wholeNumber, words, yesOrNo } from './setting.ts'

const AGENT = ['agent'] as const
const BOTH = ['agent', 'controller'] as const
const MOST = 256

const DEFINITION = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const definition: SettingType<string> = words('an attachment definition, `<namespace>/<name>` or `<name>`', DEFINITION)
const definitions: SettingType<readonly string[]> = {
  allowed: 'a list of attachment definitions',
  decode: list(definition.decode, MOST),
}
const namespaceNames: SettingType<readonly string[]> = {
  allowed: 'a list of namespaces',
  decode: list(namespaceName, MOST),
}
const PLUGIN_TYPE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const pluginTypes: SettingType<readonly string[]> = {
  allowed: 'a list of plugins’ names',
  decode: list(words('a plugin’s name', PLUGIN_TYPE).decode, MOST),
}

const OTHERS = [
  'ovs',
  'spiderpool',
  'coordinator',
  'ifacer',
  'neutron',
  'ipam-neutron',
  'unnumbered-ptp',
  'ipvlan-ptp',
  'macvlan-ptp',
] as const
const pluginNames: SettingType<readonly (typeof OTHERS)[number][]> = {
  allowed: `a list of ${OTHERS.map((one) => `\`${one}\``).join(', ')}`,
  decode: list(literal(...OTHERS), OTHERS.length),
}

/** `100`, or `100-199`; stays as it is written. */
const vlanRange: Decode<string> = (input, at) => {
  const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(String(input)) ?? []
  const isRange = first !== undefined && Number(first) <= Number(last) && Number(last) <= 4094
  return isRange ? String(input) : reject(at, `${shown(input)} is no range of VLANs`, 'write 100 or 100-199, 0 to 4094')
}

/** Who may name a bridge, and which VLANs of it. */
export interface BridgeGrantText {
  readonly bridge: string
  readonly namespaces?: readonly string[]
  readonly vlans?: readonly string[]
}

const bridgeGrant: Decode<BridgeGrantText> = record<BridgeGrantText>({
  bridge: text(1, 15),
  namespaces: optional(list(namespaceName, MOST)),
  vlans: optional(list(vlanRange, MOST)),
})

const bridgeGrants: SettingType<readonly BridgeGrantText[]> = {
  allowed: 'a list of `{bridge, namespaces, vlans}`',
  decode: list(bridgeGrant, MOST),
}

/** Key → setting, for {@link SETTINGS} of `table.ts`. */
export const ATTACHMENT_SETTINGS = {
  'attachments.namespace': setting({
    type: words('a namespace', /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
    default: 'kube-system',
    description: 'Where attachment definitions are looked for that are named without a namespace',
    programs: BOTH,
    applied: 'restart',
  }),
  'attachments.clusterNetwork': setting({
    type: definition,
    otherwise: 'Weft’s overlay',
    example: 'ovs-conf',
    description: 'The attachment definition that pods’ first interface is of unless they ask for another',
    programs: BOTH,
    applied: 'restart',
    flag: 'cluster-network',
  }),
  'attachments.defaultNetworks': setting({
    type: definitions,
    default: [],
    description: 'Attachment definitions that every pod gets another interface of, but those of system namespaces',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.systemNamespaces': setting({
    type: namespaceNames,
    default: ['kube-system', 'weft-system'],
    description: 'Namespaces whose pods get none of the default networks',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.trustedNamespaces': setting({
    type: namespaceNames,
    default: ['kube-system', 'weft-system'],
    description:
      'Namespaces whose attachment definitions count as yours, for pods of every namespace, and whose pods may ask for fixed MAC addresses and addresses',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.types': setting({
    type: pluginTypes,
    default: ['weft', 'ovs', 'spiderpool', 'coordinator'],
    description: 'Plugins that attachment definitions of other namespaces may name',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.bridges': setting({
    type: bridgeGrants,
    default: [],
    example: [{ bridge: 'br1', namespaces: ['shop'], vlans: ['100-199'] }],
    description:
      'Bridges and VLANs that attachment definitions of other namespaces may name; VLAN 0 is the untagged one, no list means all',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.plugins': setting({
    type: pluginNames,
    default: OTHERS,
    description:
      'Other projects’ plugins that the agent is: it is installed under these names, too, where nobody else’s program has them',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.configDir': setting({
    type: path,
    default: '/etc/cni/multus/net.d',
    description: 'Folder with configurations of networks that definitions without one name',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.networksPerPod': setting({
    type: wholeNumber(0, 64),
    default: 16,
    description:
      'How many networks a pod may ask for, besides those that it gets anyway: each may take an address of the node’s range or of a pool',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.findConflicts': setting({
    type: yesOrNo,
    default: false,
    description: 'Whether the wire is asked if somebody has a fixed address already, before a pod gets it',
    programs: AGENT,
    applied: 'restart',
  }),
  'attachments.findGateway': setting({
    type: yesOrNo,
    default: false,
    description: 'Whether a fixed address’s gateway has to answer before a pod gets the address',
    programs: AGENT,
    applied: 'restart',
  }),
} as const
