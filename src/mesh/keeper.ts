/**
 * Brings this machine to its list, as often as it is asked to, and notes how it is.
 * @module
 */
import { OwnFilters } from '../agent/node/own-filters.ts'
import type { RtnlSocket } from '../linux/index.ts'
import type { OvsdbClient } from '../ovs/ovsdb/index.ts'
import type { MeshConfig } from './config.ts'
import { applyKernel } from './kernel.ts'
import { ownHost, placesOf } from './look.ts'
import { portName } from './names.ts'
import { askNeighbours, segmentStates } from './neighbours.ts'
import { type MeshPlan, type PeerPlan, planMesh } from './plan.ts'
import { type MeshRecord, type PeerRecord, readRecord, writeRecord } from './record.ts'
import { FILTER_OWNER, meshAcceptance, meshRuleset, meshTraffic } from './ruleset.ts'
import { applySwitch, type DatapathType, portStates, type SwitchMonitor, sentenceOf } from './switch.ts'

/** Open vSwitch, as far as it answers. */
export interface Switch {
  readonly client: OvsdbClient
  readonly monitor: SwitchMonitor
}

/** On what it works. */
export interface KeeperParts {
  readonly rtnl: RtnlSocket
  /** Undefined while it does not answer. */
  ovs(): Switch | undefined
  readonly datapathType: DatapathType
  /** False: this machine believes others by whatever link, also where the list says that it does not. */
  readonly guard: boolean
  /** Folder of the record. */
  readonly folder: string
  /** Where the list comes from, for people. */
  readonly source: string
  /** Seconds since the epoch. */
  now(): number
}

/** What came of a turn. */
export interface Turn {
  readonly plan: MeshPlan
  /** Our bridge, where there is to be one, has its ports and is one of the containers'. */
  readonly isMade: boolean
  /** What is in the way, in words. */
  readonly problems: readonly string[]
  /** What works all the same. */
  readonly notes: readonly string[]
}

/** Keeps one machine's part of a mesh. */
export class Keeper {
  readonly #parts: KeeperParts
  readonly #filters = new OwnFilters(FILTER_OWNER)
  #peers: ReadonlyMap<string, PeerRecord>
  #turn: Turn | undefined

  constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#peers = new Map((readRecord(parts.folder)?.peers ?? []).map((peer) => [peer.name, peer]))
  }

  /**
   * Brings everything to a list. What cannot be done is told, and the rest is. Packet filters are looked at where they are to be others, or
   * when it is `asked` to. Throws MESH_NOT_A_HOST and MESH_CONFIG.
   */
  async apply(config: MeshConfig, asked: { readonly filters: boolean }): Promise<Turn> {
    const { rtnl } = this.#parts
    const guard = this.#parts.guard && config.guard
    const self = ownHost(rtnl, config)
    const plan = planMesh({ ...config, guard }, self.host, placesOf(rtnl, config, self.host), self.link)
    const switched = await this.#switch(plan)
    const kernel = applyKernel(rtnl, plan)
    const filters = { ruleset: meshRuleset(plan), acceptance: meshAcceptance(plan), traffic: meshTraffic(plan) }
    const problems = [
      ...switched,
      ...kernel.problems,
      ...(await this.#filters.apply(filters, asked.filters).catch((error: unknown) => [sentenceOf(error)])),
      ...plan.peers.flatMap(({ way, why }) => (way === 'none' && why !== undefined ? [why] : [])),
    ]
    this.#turn = { plan, isMade: switched.length === 0 && kernel.isJoined, problems, notes: kernel.notes }
    askNeighbours(rtnl, plan)
    return this.#turn
  }

  /** Has the machines on segments asked whether they are there. */
  ask(): void {
    if (this.#turn !== undefined) askNeighbours(this.#parts.rtnl, this.#turn.plan)
  }

  /** Notes how everything is now; `more` is what else is in the way. Returns what was noted. */
  note(more: readonly string[]): MeshRecord | undefined {
    const { rtnl, folder, source, now } = this.#parts
    if (this.#turn === undefined) return undefined
    const { plan, problems, notes } = this.#turn
    const ovs = this.#parts.ovs()
    const ports = ovs === undefined ? new Map() : portStates(ovs.monitor)
    const segments = segmentStates(rtnl, plan)
    const peers = plan.peers.map((peer): PeerRecord => {
      const port = plan.tunnel === undefined ? undefined : portName(plan.tunnel.type, peer.host.address)
      const state = stateOf(peer, segments, ports.get(port ?? '')?.bfd)
      return this.#recordOf(peer, state, port, now())
    })
    this.#peers = new Map(peers.map((peer) => [peer.name, peer]))
    const errors = [...ports].flatMap(([name, { error }]) => (error === undefined ? [] : [`${name}: ${error}`]))
    const { self, attach, bridge } = plan
    const record: MeshRecord = {
      host: self.name,
      address: self.address,
      source,
      attach,
      ...(bridge === undefined ? {} : { bridge: bridge.name, mtu: bridge.mtu }),
      peers,
      problems: [...more, ...problems, ...errors],
      notes,
    }
    writeRecord(folder, record)
    return record
  }

  #recordOf({ host, way, mtu, why }: PeerPlan, state: string, port: string | undefined, now: number): PeerRecord {
    const before = this.#peers.get(host.name)
    const isSame = before?.way === way && before.state === state && before.address === host.address
    return {
      name: host.name,
      address: host.address,
      subnets: host.subnets,
      way,
      state,
      since: isSame ? before.since : now,
      ...(mtu === undefined ? {} : { mtu }),
      ...(port === undefined ? {} : { port }),
      ...(why === undefined ? {} : { why }),
    }
  }

  async #switch({ bridge }: MeshPlan): Promise<readonly string[]> {
    const ovs = this.#parts.ovs()
    // A machine that has no tunnels needs no Open vSwitch.
    if (ovs === undefined)
      return bridge === undefined ? [] : ['Open vSwitch does not answer → systemctl start openvswitch-switch']
    try {
      return await applySwitch(ovs.client, ovs.monitor, bridge, this.#parts.datapathType)
    } catch (error) {
      return [sentenceOf(error)]
    }
  }
}

function stateOf({ way, host }: PeerPlan, segments: ReadonlyMap<string, string>, bfd: string | undefined): string {
  if (way === 'none') return 'none'
  return (way === 'direct' ? segments.get(host.address) : bfd) ?? 'unknown'
}
