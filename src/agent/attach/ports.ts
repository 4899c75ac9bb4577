/**
 * The node's Open vSwitch as OVSDB describes it: our bridge, its two own ports, and one port per endpoint whose row is
 * the lease record.
 * @module
 */

import { DIRECT } from '../../network/fabric/direct.ts'
import { BRIDGE, type BridgePlan, GATEWAY, TUNNEL } from '../../network/host.ts'
import type { Ip } from '../../network/model/address.ts'
import { FIRST_ENDPOINT_PORT, LAST_ENDPOINT_PORT } from '../../network/pipeline/stages.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'
import { createPortBatcher, type PortBatcher } from '../../ovs/ovsdb/helpers/batcher.ts'
import { addBridge } from '../../ovs/ovsdb/helpers/bridges.ts'
import { setInterface, waitForOfport } from '../../ovs/ovsdb/helpers/interfaces.ts'
import { addPort, delPortRows } from '../../ovs/ovsdb/helpers/ports.ts'
import { type OvsdbClient, OvsdbError } from '../../ovs/ovsdb/index.ts'
import type { PortFact } from '../control/facts.ts'
import { HandsOff } from './hands-off.ts'
import { isLease, type Lease, leaseIds, leaseOf, recordedAddresses, type UnreadableLease } from './lease.ts'
import { MONITORED, type Tables } from './tables.ts'
import { isAsWanted, type WantedInterface } from './wanted-interface.ts'

/** What of an Interface row a lease is recorded in. */
interface RecordRow {
  readonly name: string
  readonly ofport_request: number | undefined
  readonly external_ids: ReadonlyMap<string, string>
}

/** How long ovs-vswitchd may take to give a port its number. */
const OFPORT_TIMEOUT_MS = 20_000

/** What every bridge has. */
const OWN_PORTS = [BRIDGE, GATEWAY, TUNNEL]

/** The bridge and its ports. */
export class Ports {
  readonly #client: OvsdbClient
  readonly #tables: Tables
  readonly #datapath: 'system' | 'netdev'
  readonly #batcher: PortBatcher
  /** Says of ports whose shaping is ours that Open vSwitch has to keep its hands off. */
  readonly handsOff: HandsOff
  /** Leases that were recorded, by link: they bring back ports that somebody else removes. */
  readonly #remembered = new Map<string, Lease>()
  /** Links whose ports we remove ourselves; OVSDB may still tell of them for a moment. */
  readonly #leaving = new Set<string>()
  /** What rows record, by the row: a changed one is another. */
  readonly #records = new WeakMap<object, Lease | UnreadableLease | undefined>()
  #nextOfport = FIRST_ENDPOINT_PORT
  /** The bridge and its own ports, by name. */
  #own: readonly string[] = OWN_PORTS

  private constructor(client: OvsdbClient, tables: Tables, datapath: 'system' | 'netdev') {
    this.#client = client
    this.#tables = tables
    this.#datapath = datapath
    this.#batcher = createPortBatcher(client)
    this.handsOff = new HandsOff(client, tables)
  }

  /** Copies the tables; resolves when they are there. */
  static async open(client: OvsdbClient, datapath: 'system' | 'netdev', signal: AbortSignal): Promise<Ports> {
    return new Ports(client, await client.monitor(MONITORED, { signal }), datapath)
  }

  get connected(): boolean {
    return this.#client.state === 'connected'
  }

  get ovsVersion(): string {
    const [root] = this.#tables.rows('Open_vSwitch').values()
    return root?.ovs_version ?? ''
  }

  /** Calls back after every change of the tables. Returns the undo. */
  onChange(listener: () => void): () => void {
    return this.#tables.subscribe(listener)
  }

  /** Makes the bridge and its own ports what the plan says; leaves what is right alone. Never removes the bridge. */
  async ensureBridge(plan: BridgePlan, signal: AbortSignal): Promise<void> {
    await this.prepareBridge(plan, signal)
    const { tunnel, direct } = plan
    await this.#ensurePort(TUNNEL, tunnel.ofport, { type: tunnel.type, options: tunnel.options }, signal)
    this.#own = direct === undefined ? OWN_PORTS : [...OWN_PORTS, DIRECT]
    if (direct !== undefined) {
      const { ofport, mac, mtu } = direct
      await this.#ensurePort(DIRECT, ofport, { type: 'internal', mtu_request: mtu, mac }, signal)
    } else if (this.has(DIRECT)) await this.remove([DIRECT])
  }

  /** The same without the tunnel, for as long as another bridge has one like it: Open vSwitch takes no two. */
  async prepareBridge({ gateway }: BridgePlan, signal: AbortSignal): Promise<void> {
    const bridge = this.#tables.byName('Bridge', BRIDGE)
    if (bridge?.fail_mode !== 'secure' || bridge.datapath_type !== this.#datapath) {
      await addBridge(this.#client, {
        name: BRIDGE,
        bridge: {
          datapath_type: this.#datapath,
          fail_mode: 'secure',
          protocols: ['OpenFlow13', 'OpenFlow15'],
          external_ids: { 'weft-owner': 'weft-agent' },
        },
      })
    }
    await this.#ensurePort(
      GATEWAY,
      gateway.ofport,
      { type: 'internal', mtu_request: gateway.mtu, mac: gateway.mac },
      signal,
    )
  }

  /** Adds an endpoint's port with its lease; resolves when OVS forwards for it. Throws where it cannot. */
  async add(lease: Lease, signal: AbortSignal): Promise<void> {
    const { endpoint, link } = lease
    this.#leaving.delete(link)
    await this.#batcher.add({
      bridge: BRIDGE,
      name: link,
      ...(isUnlimited(endpoint.limits ?? {}) ? {} : { port: { qos: await this.handsOff.row() } }),
      interface: { ofport_request: endpoint.ofport, external_ids: leaseIds(lease) },
    })
    await waitForOfport(this.#tables, link, {
      requested: endpoint.ofport,
      signal,
      timeoutMs: OFPORT_TIMEOUT_MS,
    })
    if (!this.#leaving.has(link)) this.#remembered.set(link, lease)
  }

  /** Asks OVS again for the number that a lease has. Resolves when the port has it; throws where it cannot be had. */
  async put({ link, endpoint }: Lease): Promise<void> {
    await setInterface(this.#client, link, { set: { ofport_request: endpoint.ofport } })
    await waitForOfport(this.#tables, link, { requested: endpoint.ofport, timeoutMs: OFPORT_TIMEOUT_MS })
  }

  /** Removes ports of our bridge by name; resolves when OVSDB has recorded it. Unknown names are fine. */
  async remove(links: readonly string[]): Promise<void> {
    for (const link of links) {
      this.#leaving.add(link)
      this.#remembered.delete(link)
    }
    const uuids = links.flatMap((link) => this.#tables.byName('Port', link)?.uuid ?? [])
    await delPortRows(this.#client, uuids)
  }

  /** Leases whose ports somebody else has removed, or the whole bridge with them. */
  lost(): readonly Lease[] {
    for (const link of this.#leaving) if (!this.has(link)) this.#leaving.delete(link)
    for (const lease of this.leases()) if (!this.#leaving.has(lease.link)) this.#remembered.set(lease.link, lease)
    return [...this.#remembered.values()].filter(({ link }) => !this.has(link))
  }

  /** A lost lease is not to be brought back: its pod is gone as well. */
  forget({ link }: Lease): void {
    this.#remembered.delete(link)
  }

  /** Whether our bridge has a port of this name. */
  has(link: string): boolean {
    return this.#tables.byName('Port', link) !== undefined
  }

  /** Whether our bridge or one of its own ports is missing: somebody removed it. */
  lacksBridge(): boolean {
    return this.#own.some((name) => !this.has(name))
  }

  /** The OpenFlow number that OVS gave a port, once it has. */
  ofportOf(link: string): number | undefined {
    const ofport = this.#tables.byName('Interface', link)?.ofport
    return ofport !== undefined && ofport > 0 ? ofport : undefined
  }

  /** Every lease that is recorded, and every record that cannot be read. */
  records(): readonly (Lease | UnreadableLease)[] {
    return this.#ourInterfaces().flatMap((row) => this.#recordIn(row) ?? [])
  }

  /** Every address that any record names. */
  recordedAddresses(): readonly Ip[] {
    return this.#ourInterfaces().flatMap((row) => recordedAddresses(row.external_ids))
  }

  /** The lease whose port has this name, or had it until somebody else removed the port: it holds until its DEL. */
  leaseOf(link: string): Lease | undefined {
    const row = this.#tables.byName('Interface', link)
    if (row === undefined) return this.#remembered.get(link)
    const record = this.#recordIn(row)
    return record !== undefined && isLease(record) ? record : undefined
  }

  /** What is wrong with the port of a lease, for people; undefined when nothing is. */
  problemOf({ link, endpoint }: Lease): string | undefined {
    const row = this.#tables.byName('Interface', link)
    if (row === undefined) return `Open vSwitch has no port ${link}`
    if (row.error !== undefined) return `Open vSwitch cannot use port ${link}: ${row.error}`
    if (row.ofport !== endpoint.ofport)
      return `port ${link} has OpenFlow number ${row.ofport} instead of ${endpoint.ofport}`
    return undefined
  }

  leases(): readonly Lease[] {
    return this.records().filter(isLease)
  }

  /** Names of the ports of any bridge. */
  namesOn(bridge: string): readonly string[] {
    return (this.#tables.byName('Bridge', bridge)?.ports ?? []).flatMap(
      (uuid) => this.#tables.row('Port', uuid)?.name ?? [],
    )
  }

  /** Ports of our bridge. */
  facts(): readonly PortFact[] {
    return this.#ourInterfaces().map(({ name, type, ofport, ofport_request: requested, error }) => ({
      name,
      type,
      ofport,
      requested,
      error,
    }))
  }

  /** A port number that no port has or asks for. Numbers go round, so that a freed one comes back late. */
  freeOfport(isReserved: (ofport: number) => boolean): number {
    const taken = new Set<number | undefined>()
    // Other bridges' numbers are skipped too: there are enough.
    for (const row of this.#tables.rows('Interface').values()) taken.add(row.ofport).add(row.ofport_request)
    const count = LAST_ENDPOINT_PORT - FIRST_ENDPOINT_PORT + 1
    for (let i = 0; i < count; i += 1) {
      const candidate = this.#nextOfport
      this.#nextOfport = candidate === LAST_ENDPOINT_PORT ? FIRST_ENDPOINT_PORT : candidate + 1
      if (!taken.has(candidate) && !isReserved(candidate)) return candidate
    }
    throw new OvsdbError('OVSDB_INTERFACE_ERROR', `all ${count} port numbers of ${BRIDGE} are taken`, {
      remedy: 'move pods to another node',
    })
  }

  /** Read once for as long as OVSDB has the row so: all of them are looked at after every change. */
  #recordIn(row: RecordRow): Lease | UnreadableLease | undefined {
    if (this.#records.has(row)) return this.#records.get(row)
    const record = leaseOf(row.name, row.ofport_request, row.external_ids)
    this.#records.set(row, record)
    return record
  }

  #ourInterfaces() {
    const bridge = this.#tables.byName('Bridge', BRIDGE)
    return (bridge?.ports ?? []).flatMap((uuid) =>
      (this.#tables.row('Port', uuid)?.interfaces ?? []).flatMap((one) => this.#tables.row('Interface', one) ?? []),
    )
  }

  async #ensurePort(name: string, ofport: number, wanted: WantedInterface, signal: AbortSignal): Promise<void> {
    const row = this.#tables.byName('Interface', name)
    if (row === undefined) {
      await addPort(this.#client, {
        bridge: BRIDGE,
        name,
        interface: { ...wanted, ofport_request: ofport, external_ids: { 'weft-owner': 'weft-agent' } },
      })
    } else if (!isAsWanted(row, wanted)) {
      await setInterface(this.#client, name, { set: { ...wanted, ofport_request: ofport } })
    }
    await waitForOfport(this.#tables, name, { requested: ofport, signal, timeoutMs: OFPORT_TIMEOUT_MS })
  }
}
