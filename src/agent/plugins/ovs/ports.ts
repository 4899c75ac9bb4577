/**
 * Pods' ports on bridges of others, in Open vSwitch's database.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import { isPortOf, type PodPortRows } from '../../../compat/ovs-cni/rows.ts'
import { WIRE_OWNER } from '../../../network/host.ts'
import type { Ip, Mac } from '../../../network/model/address.ts'
import { type Endpoint, endpointId } from '../../../network/model/endpoint.ts'
import { FIRST_ENDPOINT_PORT, LAST_ENDPOINT_PORT } from '../../../network/pipeline/stages.ts'
import {
  createPortBatcher,
  delPortRows,
  delPorts,
  isOvsdbError,
  type MonitoredRow,
  type OvsdbClient,
  type PortBatcher,
  setInterface,
  waitForOfport,
} from '../../../ovs/ovsdb/index.ts'
import { type Lease, linkName } from '../../attach/lease.ts'
import { isOurs, type PortRecord, placeIds, recordOf } from './record.ts'
import { type UnderlayTables, WATCHED } from './tables.ts'

/** A port to be. */
export interface PortOrder {
  readonly bridge: string
  /** Name of port, interface and the node's end of the pod's link. */
  readonly link: string
  readonly rows: PodPortRows
  /** UUID of the row that has Open vSwitch keep its hands off the port's queueing discipline. */
  readonly qos?: string
}

/** A port that is there. */
export interface FoundPort extends PortOrder {
  readonly uuid: string
  readonly record: PortRecord
  /** What Open vSwitch says is wrong with it. */
  readonly error?: string
}

/** A pod's port on a bridge, in the words of whoever guards it. */
export interface GuardedPort {
  readonly bridge: string
  readonly endpoint: Endpoint
}

/** How long ovs-vswitchd may take to give a port its number. */
const OFPORT_TIMEOUT_MS = 20_000
/** How long the database may take to show what it has recorded. */
const SHOWN_TIMEOUT_MS = 5_000
/** Of a link whose MTU Open vSwitch has not told yet. */
const DEFAULT_MTU = 1_500

/** The ports. */
export class UnderlayPorts {
  readonly tables: UnderlayTables
  readonly #client: OvsdbClient
  readonly #batcher: PortBatcher
  /** Ports that were seen, by name: they bring back those that somebody else removes. */
  readonly #remembered = new Map<string, FoundPort>()

  private constructor(client: OvsdbClient, tables: UnderlayTables) {
    this.#client = client
    this.tables = tables
    this.#batcher = createPortBatcher(client)
    for (const port of this.all()) this.#remembered.set(port.link, port)
    tables.subscribe((changes) => {
      for (const change of changes) {
        if (change.type === 'delete' || (change.table !== 'Port' && change.table !== 'Interface')) continue
        const port = this.named(change.row.name)
        if (port !== undefined) this.#remembered.set(port.link, port)
      }
    })
  }

  /** Copies the rows that matter; resolves when they are there. */
  static async open(client: OvsdbClient, signal: AbortSignal): Promise<UnderlayPorts> {
    return new UnderlayPorts(client, await client.monitor(WATCHED, { signal }))
  }

  get connected(): boolean {
    return this.#client.state === 'connected'
  }

  /**
   * Adds a port, together with those that others ask for in the same turn; resolves when Open vSwitch forwards for it
   * under the number that was asked for. Throws `bridge-missing`, and what Open vSwitch says.
   */
  async add({ bridge, link, rows, qos }: PortOrder, signal: AbortSignal): Promise<void> {
    try {
      const port = qos === undefined ? rows.port : { ...rows.port, qos }
      await this.#batcher.add({ bridge, name: link, ...rows, port })
    } catch (error) {
      throw isOvsdbError(error, 'OVSDB_NO_SUCH_BRIDGE') ? cniError('bridge-missing', { bridge }) : error
    }
    const requested = rows.interface.ofport_request
    await waitForOfport(this.tables, link, {
      signal,
      timeoutMs: OFPORT_TIMEOUT_MS,
      // Another than was asked for would change under the pod, when the one that was asked for comes free.
      ...(requested === undefined ? {} : { requested }),
    })
  }

  /** Resolves when Open vSwitch sees a carrier. Throws `link-not-up` after a time. */
  async linkIsUp(link: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const isUp = (): true | undefined => (this.tables.byName('Interface', link)?.link_state === 'up' ? true : undefined)
    try {
      await this.tables.waitFor(isUp, { timeoutMs, signal, what: `the carrier of ${link}` })
    } catch (error) {
      throw isOvsdbError(error, 'OVSDB_TIMEOUT') ? cniError('link-not-up', { link, milliseconds: timeoutMs }) : error
    }
  }

  /** Records what a pod may send from; resolves when it is in the database. */
  async recordPlace(link: string, place: { readonly mac: Mac; readonly addresses: readonly Ip[] }): Promise<void> {
    const ids = placeIds(place)
    await setInterface(this.#client, link, { externalIds: ids })
    const isShown = (): true | undefined => {
      const row = this.tables.byName('Interface', link)
      return Object.entries(ids).every(([key, value]) => row?.external_ids.get(key) === value) ? true : undefined
    }
    await this.tables.waitFor(isShown, { timeoutMs: SHOWN_TIMEOUT_MS, what: `the addresses of ${link}` })
  }

  /** Removes ports; resolves when the database has recorded it. They are not to be put back. */
  async remove(ports: readonly Pick<FoundPort, 'uuid' | 'link'>[]): Promise<void> {
    for (const { link } of ports) this.#remembered.delete(link)
    const uuids = ports.map(({ uuid }) => uuid)
    await delPortRows(this.#client, uuids)
    const areGone = (): true | undefined =>
      uuids.some((uuid) => this.tables.row('Port', uuid) !== undefined) ? undefined : true
    await this.tables.waitFor(areGone, { timeoutMs: SHOWN_TIMEOUT_MS, what: 'removed ports to be gone' })
    // What the database told of them in between.
    for (const { link } of ports) this.#remembered.delete(link)
  }

  /** Takes back what an ADD asked for, whatever became of it: the name is the attachment's alone. */
  async withdraw(link: string): Promise<void> {
    this.#remembered.delete(link)
    await delPorts(this.#client, [link])
    this.#remembered.delete(link)
  }

  /** Ports that somebody else has removed. */
  lost(): readonly FoundPort[] {
    return [...this.#remembered.values()].filter(({ link }) => this.named(link) === undefined)
  }

  /** A lost port is not to be put back. */
  forget(link: string): void {
    this.#remembered.delete(link)
  }

  /** The port of an attachment, on whichever bridge. */
  of(containerId: string, ifname: string): FoundPort | undefined {
    const port = this.named(linkName(endpointId(containerId, ifname)))
    return port?.record.containerId === containerId && port.record.ifname === ifname ? port : undefined
  }

  /** The port of ours that has this name. */
  named(link: string): FoundPort | undefined {
    const row = this.tables.byName('Port', link)
    return row === undefined ? undefined : this.#found(row)
  }

  /** Every port of ours. */
  all(): readonly FoundPort[] {
    return [...this.tables.rows('Port').values()].flatMap((row) => this.#found(row) ?? [])
  }

  /** Ports of an attachment that ovs-cni made before us: it knew them by the namespace and the interface alone. */
  ofOvsCni(netns: string, ifname: string): readonly { readonly uuid: string; readonly link: string }[] {
    return [...this.tables.rows('Port')].flatMap(([uuid, { name: link, external_ids: ids }]) =>
      !isOurs(ids) && isPortOf(ids, { netns, ifname }) ? [{ uuid, link }] : [],
    )
  }

  /** Pods' ports that Open vSwitch has numbered, for whoever guards the bridges that they are on. */
  guarded(): readonly GuardedPort[] {
    return this.all().flatMap((port) => this.guardedPort(port) ?? [])
  }

  /** The same for one port; undefined while its number or its MAC address is not known. */
  guardedPort({ bridge, link, record }: Pick<FoundPort, 'bridge' | 'link' | 'record'>): GuardedPort | undefined {
    const ofport = this.tables.byName('Interface', link)?.ofport
    const { containerId, ifname, pod, mac, addresses, limits } = record
    if (ofport === undefined || ofport < 1 || mac === undefined) return undefined
    const endpoint: Endpoint = {
      id: endpointId(containerId, ifname),
      containerId,
      ifname,
      namespace: pod?.namespace ?? '',
      pod: pod?.name ?? containerId.slice(0, 12),
      ...(pod?.uid === undefined ? {} : { podUid: pod.uid }),
      mac,
      addresses,
      ofport,
      ...(limits === undefined ? {} : { limits }),
    }
    return { bridge, endpoint }
  }

  /** Whether a bridge is ours to guard. */
  isGuarded(bridge: string): boolean {
    return this.tables.byName('Bridge', bridge)?.external_ids.get(WIRE_OWNER.key) === WIRE_OWNER.value
  }

  /**
   * Pods' ports on guarded bridges, to be held to their bandwidth. By their numbers classes and meters are told apart: those
   * that the agent did not give out are not here.
   */
  leases(): readonly Lease[] {
    return this.all().flatMap((port) => this.#lease(port) ?? [])
  }

  /** The same for one port. */
  leaseOf(link: string): Lease | undefined {
    const port = this.named(link)
    return port === undefined ? undefined : this.#lease(port)
  }

  #lease(port: FoundPort): Lease | undefined {
    const { bridge, link, record } = port
    const endpoint = this.isGuarded(bridge) ? this.guardedPort(port)?.endpoint : undefined
    if (endpoint === undefined || endpoint.ofport < FIRST_ENDPOINT_PORT || endpoint.ofport > LAST_ENDPOINT_PORT)
      return undefined
    const mtu = this.tables.byName('Interface', link)?.mtu ?? DEFAULT_MTU
    const { network, netns } = record
    return { endpoint, link, network, netns, mtu, wire: { bridge, datapath: this.#datapathOf(bridge) } }
  }

  #datapathOf(bridge: string): 'system' | 'netdev' {
    return this.tables.byName('Bridge', bridge)?.datapath_type === 'netdev' ? 'netdev' : 'system'
  }

  #found(row: PortRow): FoundPort | undefined {
    const [uuid] = row.interfaces
    const inner = uuid === undefined ? undefined : this.tables.row('Interface', uuid)
    const record = inner === undefined ? undefined : recordOf(inner.external_ids)
    if (inner === undefined || record === undefined || !isOurs(row.external_ids)) return undefined
    const { vlan_mode, tag, trunks, cvlans, qos, name: link } = row
    const { type, ofport_request, error } = inner
    return {
      uuid: row.uuid,
      link,
      bridge: this.#bridgeOf(row.uuid) ?? '',
      record,
      ...(error === undefined ? {} : { error }),
      ...(qos === undefined ? {} : { qos }),
      rows: {
        port: {
          ...(vlan_mode === undefined ? {} : { vlan_mode }),
          ...(tag === undefined ? {} : { tag }),
          ...(trunks.length === 0 ? {} : { trunks }),
          ...(cvlans.length === 0 ? {} : { cvlans }),
          external_ids: Object.fromEntries(row.external_ids),
        },
        interface: {
          ...(type === '' ? {} : { type }),
          ...(ofport_request === undefined ? {} : { ofport_request }),
          external_ids: Object.fromEntries(inner.external_ids),
        },
      },
    }
  }

  #bridgeOf(port: string): string | undefined {
    for (const { name, ports } of this.tables.rows('Bridge').values()) if (ports.includes(port)) return name
    return undefined
  }
}

type PortRow = MonitoredRow<typeof WATCHED, 'Port'>
