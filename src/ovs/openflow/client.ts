import type { Flow, Group, Meter } from '../../flow/flow.ts'
import type { ConnectionFilter } from './ct-flush.ts'
import type { FlowFilter, FlowMod } from './flow-mod.ts'
import type { DumpedFlow } from './flow-stats.ts'
import type { GroupMod } from './group-mod.ts'
import type { GroupStats } from './group-stats.ts'
import type { Version } from './hello.ts'
import type { MeterMod, MeterStats } from './meters.ts'
import type { PacketIn } from './packet-in.ts'
import type { PacketOut } from './packet-out.ts'
import type { PortDesc, PortStatus } from './port-desc.ts'
import type { FragmentMode, TableStats } from './settings.ts'

/** What is changed together. Groups are added and modified before the flows, removed after them. */
export interface Change {
  readonly groups?: readonly GroupMod[]
  readonly flows?: readonly FlowMod[]
}

/** How to connect. */
export interface OpenFlowOptions {
  /** The bridge's management socket, `<rundir>/<bridge>.mgmt`. */
  readonly path: string
  /** Ends the client for good. */
  readonly signal?: AbortSignal
  readonly log?: (text: string) => void
  /** False (the default): a first connection that fails rejects. True: keep trying until it works or `signal` fires. */
  readonly waitForSwitch?: boolean
  /** Fragment mode to set on every connection; ovs-vswitchd forgets it when it restarts. */
  readonly fragments?: FragmentMode
  /** After every connection, the first included, once it is set up: compare with what the switch holds, and mend. */
  readonly onConnect?: (client: OpenFlowClient) => void | Promise<void>
  readonly onDisconnect?: (cause: Error) => void
  /** Packets that flows send by their `controller` action. None come unless this is given. */
  readonly onPacketIn?: (packetIn: PacketIn) => void
  /** Ports that come, go or change. None are told unless this is given. */
  readonly onPortStatus?: (status: PortStatus) => void
}

/**
 * A bridge over OpenFlow. Requests while it is disconnected reject with `OPENFLOW_DISCONNECTED` at once; the client
 * reconnects by itself with growing, jittered pauses.
 */
export interface OpenFlowClient {
  readonly connected: boolean
  /** The negotiated version on the wire: 4 is OpenFlow 1.3, 6 is 1.5. The last one while disconnected. */
  readonly version: Version
  /**
   * All of it or nothing, in one atomic bundle. Throws BundleError naming the message at fault. With `confirm:
   * 'afterwards'` the commit is sent without waiting for the answers to the messages: half the round trips, but when
   * one message is refused the others may be in place.
   */
  bundle(change: Change, options?: { readonly confirm?: 'before' | 'afterwards' }): Promise<void>
  /** A large change in bundles of `size` messages (default 2,000), so that forwarding is not held up. Not atomic. */
  bundles(change: Change, size?: number): Promise<void>
  dumpFlows(filter?: FlowFilter): Promise<DumpedFlow[]>
  /** Like dumpFlows, handing over each part of the reply as it comes. */
  eachFlow(filter: FlowFilter, onPart: (flows: DumpedFlow[]) => void): Promise<void>
  dumpGroups(): Promise<Group[]>
  groupStats(): Promise<GroupStats[]>
  dumpMeters(): Promise<Meter[]>
  meterStats(): Promise<MeterStats[]>
  dumpPorts(): Promise<PortDesc[]>
  tableStats(): Promise<TableStats[]>
  /** Changes meters one after the other, outside of any bundle, confirmed by a barrier. Throws SwitchError. */
  meters(mods: readonly MeterMod[]): Promise<void>
  /** Resolves when everything sent before has been done. */
  barrier(): Promise<void>
  packetOut(packet: Uint8Array, out: PacketOut): Promise<void>
  /** The same packet in several ways, confirmed by one barrier. Throws SwitchError for the first that was refused. */
  packetOuts(packet: Uint8Array, outs: readonly PacketOut[]): Promise<void>
  /** Forgets tracked connections of the bridge's datapath. Throws SwitchError on an Open vSwitch older than 3.1. */
  ctFlush(filter: ConnectionFilter): Promise<void>
  setFragments(mode: FragmentMode): Promise<void>
  getFragments(): Promise<FragmentMode>
  close(): void
}

/** Flow modifications that add these flows, replacing rows of the same table, priority and match. */
export function addFlows(flows: readonly Flow[]): FlowMod[] {
  return flows.map((flow) => ({ op: 'add', flow }))
}

/** Flow modifications that remove exactly these rows. */
export function removeFlows(flows: readonly Pick<Flow, 'table' | 'priority' | 'match'>[]): FlowMod[] {
  return flows.map((flow) => ({ op: 'delete_strict', flow }))
}
