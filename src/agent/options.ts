/**
 * What an agent must be told. Everything else it learns from the registry and from the node.
 * @module
 */

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
  /** `system` is the kernel's datapath, `netdev` the userspace one. */
  readonly datapath: 'system' | 'netdev'
  /** How long a freed address rests, in seconds. */
  readonly addressRest: number
  /** How often the switch is compared with the plan when nothing happens, in seconds. */
  readonly resync: number
  /** A host outside the cluster: it reaches pods and has none, and reads nothing of services and tenants. */
  readonly external?: boolean
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
  addressRest: 60,
  resync: 60,
  resolvConf: '/etc/resolv.conf',
  cniConfigName: '10-weft.conflist',
} as const satisfies Partial<AgentOptions>
