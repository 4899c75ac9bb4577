/**
 * What settings say of networks by name, as the agent takes it.
 * @module
 */
import { ATTACHMENT_DEFAULTS, type AttachmentOptions } from '../agent/options.ts'
import type { BridgeGrant, VlanRange } from '../network/model/grants.ts'
import type { BridgeGrantText } from '../settings/attachments-table.ts'
import type { Settings } from '../settings/table.ts'

/** The options in these settings; the cluster's network may have been given on the command line. */
export function attachmentOptions(settings: Settings, clusterNetwork?: string): AttachmentOptions {
  const chosen = clusterNetwork ?? settings['attachments.clusterNetwork']
  return {
    namespace: settings['attachments.namespace'] ?? ATTACHMENT_DEFAULTS.namespace,
    ...(chosen === undefined ? {} : { clusterNetwork: chosen }),
    defaultNetworks: settings['attachments.defaultNetworks'] ?? ATTACHMENT_DEFAULTS.defaultNetworks,
    systemNamespaces: settings['attachments.systemNamespaces'] ?? ATTACHMENT_DEFAULTS.systemNamespaces,
    trustedNamespaces: settings['attachments.trustedNamespaces'] ?? ATTACHMENT_DEFAULTS.trustedNamespaces,
    types: settings['attachments.types'] ?? ATTACHMENT_DEFAULTS.types,
    bridges: (settings['attachments.bridges'] ?? []).map(grantOf),
    plugins: settings['attachments.plugins'] ?? ATTACHMENT_DEFAULTS.plugins,
    configDir: settings['attachments.configDir'] ?? ATTACHMENT_DEFAULTS.configDir,
    networksPerPod: settings['attachments.networksPerPod'] ?? ATTACHMENT_DEFAULTS.networksPerPod,
    findsConflicts: settings['attachments.findConflicts'] ?? ATTACHMENT_DEFAULTS.findsConflicts,
    findsGateway: settings['attachments.findGateway'] ?? ATTACHMENT_DEFAULTS.findsGateway,
  }
}

function grantOf({ bridge, namespaces = [], vlans = [] }: BridgeGrantText): BridgeGrant {
  return { bridge, namespaces, vlans: vlans.map(rangeOf) }
}

/** `100`, or `100-199`, as the settings' decoder let it through. */
function rangeOf(text: string): VlanRange {
  const [first = '0', last = first] = text.split('-')
  return { first: Number(first), last: Number(last) }
}
