/**
 * What another network plugin has left on a node, as far as taking over its pods goes: k8s-ovs and OpenShift SDN have the
 * same bridge, `br0`, with a tunnel, a gateway port `tun0`, and the node's end of a veth pair per pod.
 * @module
 */
import type { Lease } from '../attach/lease.ts'

/** The bridge of both, and its port that the node's own stack uses. */
export const FOREIGN_BRIDGE = 'br0'
export const FOREIGN_GATEWAY = 'tun0'

/** Everything that was found. */
export interface Observed {
  /** Undefined where there is none, or no more. */
  readonly bridge: ForeignBridge | undefined
  readonly pods: readonly FoundPod[]
  readonly records: readonly AddressRecord[]
  /** Sockets of their daemons that somebody serves. */
  readonly daemons: readonly string[]
  /** Leases of ours that stand already. */
  readonly leases: readonly Lease[]
}

export interface ForeignBridge {
  readonly uuid: string
  readonly datapath: 'system' | 'netdev'
  readonly ports: readonly ForeignPort[]
  /** UUIDs of the rows that limit its ports. */
  readonly qos: readonly string[]
}

/** A port that is neither the tunnel nor an internal one. */
export interface ForeignPort {
  readonly name: string
  readonly hasLink: boolean
  /** OpenShift SDN records these; k8s-ovs nothing. */
  readonly sandbox: string | undefined
  readonly address: string | undefined
}

/** The two ends of a veth pair, one on the node and one in another namespace. */
export interface FoundPod {
  readonly host: { readonly index: number; readonly name: string; readonly group: number }
  readonly inside: {
    readonly name: string
    readonly mac: string
    readonly mtu: number
    /** `ip/length`. */
    readonly addresses: readonly string[]
  }
  /** A path of the namespace. */
  readonly netns: string
}

/** What the CNI plugin `host-local` remembers of an address. */
export interface AddressRecord {
  readonly address: string
  readonly containerId: string
  readonly ifname: string | undefined
}
