/**
 * What tenants may ask a root daemon for. Attachment definitions and annotations are theirs to write; what is in them
 * counts only as far as an administrator granted it.
 * @module
 */

/** Who wrote a network's configuration. */
export type Origin =
  /** A file of the node's: the administrator. */
  | { readonly kind: 'node' }
  /** An attachment definition of this namespace. */
  | { readonly kind: 'definition'; readonly namespace: string; readonly name: string }
  /** Whoever called the plugin, which may be a Multus with a tenant's definition: nobody is known. */
  | { readonly kind: 'caller' }

/** VLANs, ranges with both ends included. */
export type VlanRange = { readonly first: number; readonly last: number }

/** Who may have ports on a bridge by definitions of their own, and of which VLANs. */
export interface BridgeGrant {
  readonly bridge: string
  /** Empty: every namespace. */
  readonly namespaces: readonly string[]
  /** VLAN 0 is the untagged one. Empty: every VLAN. */
  readonly vlans: readonly VlanRange[]
}

/** What an administrator grants on a node. */
export interface Grants {
  /** Namespaces whose definitions and whose pods' requests count as an administrator's own. */
  readonly trustedNamespaces: ReadonlySet<string>
  /** Plugins that definitions of other namespaces may name. */
  readonly types: ReadonlySet<string>
  readonly bridges: readonly BridgeGrant[]
}

/** Whether a configuration of this origin is an administrator's. */
export function isTrusted({ trustedNamespaces }: Grants, origin: Origin): boolean {
  return origin.kind === 'node' || (origin.kind === 'definition' && trustedNamespaces.has(origin.namespace))
}
