/**
 * What an agent must be told. Everything else it learns from the registry and from the node.
 * @module
 */

import type { BridgeGrant } from '../network/model/grants.ts'
import { SINGLE_NAMES } from './install/plugin.ts'

/** Networks that pods are attached to by name, and who may ask for what. */
export interface AttachmentOptions {
  /** Where definitions are that are named without a namespace. */
  readonly namespace: string
  /** The definition that pods' first interface is of; absent: the overlay. */
  readonly clusterNetwork?: string
  readonly defaultNetworks: readonly string[]
  readonly systemNamespaces: readonly string[]
  readonly trustedNamespaces: readonly string[]
  readonly types: readonly string[]
  readonly bridges: readonly BridgeGrant[]
  /** Other projects' plugins that the agent is installed as. */
  readonly plugins: readonly (typeof SINGLE_NAMES)[number][]
  /** Folder with configurations of networks that definitions without one name. */
  readonly configDir: string
  /** How many networks a pod may ask for besides those that it gets anyway. */
  readonly networksPerPod: number
  readonly findsConflicts: boolean
  readonly findsGateway: boolean
}

/** How an agent is set up. Paths are absolute. */
export interface AgentOptions {
  /** The node's name in the registry. */
  readonly node: string
  /** Socket of ovsdb-server. */
  readonly ovsdb: string
  /** Folder of the bridges' OpenFlow sockets (`<bridge>.mgmt`). */
  readonly ovsRunDir: string
  /** The agent's own folder, mode 0700: `cni.sock`, `agent.sock`. */
  readonly runDir: string
  /** Folder for what must outlive a restart of the machine, mode 0700: which networks pods were attached to. */
  readonly stateDir: string
  /** `system` is the kernel's datapath, `netdev` the userspace one. */
  readonly datapath: 'system' | 'netdev'
  /** How long a freed address rests, in seconds. */
  readonly addressRest: number
  /** How often the switch is compared with the plan when nothing happens, in seconds. */
  readonly resync: number
  /** A host outside the cluster: it reaches pods and has none, and reads nothing of services and tenants. */
  readonly external?: boolean
  /** Absent: {@link ATTACHMENT_DEFAULTS}. */
  readonly attachments?: AttachmentOptions
  /** The uplink's rate in Mbit/s, to be shared fairly between pods; absent: nobody shares it. Kernel datapath only. */
  readonly uplinkMbit?: number
  /** Names the DNS servers that are asked for names in policies; absent: the machine's. */
  readonly resolvConf?: string
  /** Where the runtime looks for plugins: ours is installed there; absent: it is nowhere, and theirs are looked for in the usual place. */
  readonly cniBinDir?: string
  /** Where the network's configuration for the container runtime is written once pods can be attached; absent: nowhere. */
  readonly cniConfigDir?: string
  /** That configuration's file. */
  readonly cniConfigName?: string
}

/** What holds unless said otherwise. */
export const AGENT_DEFAULTS = {
  ovsdb: '/run/openvswitch/db.sock',
  ovsRunDir: '/run/openvswitch',
  runDir: '/run/weft',
  stateDir: '/var/lib/weft',
  addressRest: 60,
  resync: 60,
  resolvConf: '/etc/resolv.conf',
  cniConfigName: '10-weft.conflist',
} as const satisfies Partial<AgentOptions>

/** What holds of networks by name unless said otherwise. */
export const ATTACHMENT_DEFAULTS: AttachmentOptions = {
  namespace: 'kube-system',
  defaultNetworks: [],
  systemNamespaces: ['kube-system', 'weft-system'],
  trustedNamespaces: ['kube-system', 'weft-system'],
  types: ['weft', 'ovs', 'spiderpool', 'coordinator'],
  bridges: [],
  plugins: SINGLE_NAMES,
  configDir: '/etc/cni/multus/net.d',
  networksPerPod: 16,
  findsConflicts: false,
  findsGateway: false,
}
